"""The hub: who is connected to this node, who is subscribed to what, and who gets an event."""

from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import suppress
from enum import Enum, auto

from skubber.core.app import App
from skubber.core.broker import Broker, Joined, Upheaval
from skubber.core.channel import Channel
from skubber.core.channel_name import SERVER_TO_USER_PREFIX, WATCHLIST_PREFIX, ChannelKind
from skubber.core.connection import ClientConnection, Connection, EndReason
from skubber.core.connection_quota import ConnectionQuota
from skubber.core.errors import ForbiddenError, UnavailableError
from skubber.core.event import Event
from skubber.core.meter import Rate
from skubber.core.namespace import Namespace
from skubber.core.newcomer import Newcomer
from skubber.core.observers import Kind, Observers
from skubber.core.presence import PresenceMember
from skubber.core.publish_watch import PublishWatch
from skubber.core.subscription import Subscription
from skubber.core.subscription_counts import SubscriptionCounts
from skubber.core.webhook import Announcer, WebhookEvent, WebhookEventName

_OBSERVED = frozenset(
    {
        WebhookEventName.CHANNEL_OCCUPIED,
        WebhookEventName.CHANNEL_VACATED,
        WebhookEventName.MEMBER_ADDED,
        WebhookEventName.MEMBER_REMOVED,
    }
)
"""What of that which back ends are told of is told to observers in the same place."""


class Admission(Enum):
    """Whether a connection was let in."""

    ADMITTED = auto()
    APP_FULL = auto()
    SERVER_FULL = auto()


class Hub:
    """All apps' connections and channels on this node, above one broker.

    Calls about one connection come one after the other: each waits for the one before it.

    Args:
        broker: what connects this node to the others.
        defer: schedules a call for the end of the running event-loop iteration (``loop.call_soon``).
        max_connections: most connections this node takes, of all apps together; 0 for no limit.
        quota: holds apps to their number of connections on all nodes together; None: each node by itself.
        counts: tells subscribers how many they are, in apps that want it; None: in no app.
        announce: tells back ends what happens on channels; None: nobody is told.
        find_app: the app of an id, for what happens where this node has no connections of it.
        watch: measures publishes; None: nobody does.
        observers: who watches what happens in apps.

    Attributes:
        connection_count: open connections of all apps.
        refusals: how often somebody was over a limit, by its name.
        observers: who watches what happens in apps.
    """

    def __init__(
        self,
        broker: Broker,
        defer: Callable[[Callable[[], None]], object],
        max_connections: int = 0,
        *,
        quota: ConnectionQuota | None = None,
        counts: SubscriptionCounts | None = None,
        announce: Announcer | None = None,
        find_app: Callable[[str], App | None] = lambda _: None,
        watch: PublishWatch | None = None,
        observers: Observers | None = None,
    ) -> None:
        self.broker = broker
        self._quota = quota
        self._counts = counts
        self._announce = announce
        self._find_app = find_app
        self._watch = watch
        self.observers = observers or Observers()
        self.connection_count = 0
        self.refusals: Counter[str] = Counter()
        self._max_connections = max_connections
        self._defer = defer
        self._namespaces: dict[str, Namespace] = {}
        self._unflushed: list[Channel] = []
        self._joining: dict[tuple[str, str, str], tuple[Channel, Newcomer]] = {}
        broker.attach(self)

    def connect(self, app: App, connection: ClientConnection) -> Admission:
        """Register an open connection, unless the app or this node has as many as it may have."""
        if self._max_connections and self.connection_count >= self._max_connections:
            self.refusals["server_connections"] += 1
            return Admission.SERVER_FULL
        namespace = self._namespaces.get(app.id)
        if namespace is None:
            namespace = self._namespaces[app.id] = Namespace(app)
        if app.limits.connections and len(namespace.connections) >= app.limits.connections:
            self.refusals["app_connections"] += 1
            return Admission.APP_FULL
        namespace.connections[connection.socket_id] = connection
        self.connection_count += 1
        app.meter.connected()
        if self._quota is not None:
            self._quota.connected(app, connection)
        if self.observers.by_app:
            detail = " over ".join(connection.kind)
            self.observers.tell(app.id, Kind.CONNECTED, socket_id=connection.socket_id, detail=detail)
        return Admission.ADMITTED

    def namespace(self, app_id: str) -> Namespace | None:
        """An app's share of this node, to be looked at; None without any connection."""
        return self._namespaces.get(app_id)

    def connected(self) -> Iterator[ClientConnection]:
        """The connections of all apps. Those that end while the caller takes its time are left out."""
        for namespace in tuple(self._namespaces.values()):
            for socket_id in tuple(namespace.connections):
                connection = namespace.connections.get(socket_id)
                if connection is not None:
                    yield connection

    def channels(self) -> Iterator[tuple[str, Channel]]:
        """The channels of this node, each with its app's id. Those that end meanwhile are left out."""
        for app_id, namespace in tuple(self._namespaces.items()):
            for name in tuple(namespace.channels):
                channel = namespace.channels.get(name)
                if channel is not None:
                    yield app_id, channel

    def channel_count(self, app_id: str) -> int:
        """How many channels of an app are occupied on this node, those left out that come with a sign-in."""
        namespace = self._namespaces.get(app_id)
        return 0 if namespace is None else len(namespace.channels) - namespace.own_channels

    def subscriber_count(self, app_id: str, channel: str) -> int:
        """How many connections of this node are subscribed to a channel."""
        namespace = self._namespaces.get(app_id)
        local = None if namespace is None else namespace.channels.get(channel)
        return 0 if local is None else len(local)

    async def disconnect(
        self, app: App, connection: Connection, subscriptions: Sequence[Subscription], user_id: str | None = None
    ) -> None:
        """Forget a connection and end its subscriptions. Calling it again is harmless.

        Args:
            app: the connection's app.
            connection: the connection.
            subscriptions: all it has.
            user_id: the user it was claimed for, if it was.
        """
        namespace = self._namespaces.get(app.id)
        if namespace is None or namespace.connections.pop(connection.socket_id, None) is None:
            return
        self.connection_count -= 1
        app.meter.disconnected()
        if self._quota is not None:
            self._quota.disconnected(app, connection)
        # First everything local: from here on nothing is written to the connection, whatever the broker does.
        for subscription in subscriptions:
            self._remove(namespace, subscription)
        if user_id is not None:
            namespace.release_user(user_id, connection)
        if not namespace.connections:
            del self._namespaces[app.id]
        for subscription in subscriptions:
            with suppress(UnavailableError):  # there is nobody left to tell, and the broker makes up for it
                await self._leave(app, subscription)
        if self.observers.by_app:
            self.observers.tell(app.id, Kind.DISCONNECTED, socket_id=connection.socket_id)

    async def subscribe(
        self, app: App, connection: Connection, name: str, member: PresenceMember | None = None
    ) -> tuple[Subscription, Sequence[PresenceMember]]:
        """Subscribe a connection to a channel it is not subscribed to and is allowed on.

        Args:
            app: the connection's app.
            connection: a connected connection.
            name: a valid channel name.
            member: who it is, on presence channels.

        Returns:
            The subscription and, on presence channels, everyone present, the new member included.

        Raises:
            ForbiddenError: ``presence_channel_full`` or ``too_many_channels``.
            UnavailableError: the broker cannot be reached.
        """
        namespace = self._namespaces[app.id]
        if member is not None or ChannelKind.of(name).is_cache:
            return await self._subscribe_held(app, connection, name, member)
        count = await self._count_in(app, name)
        subscription = Subscription(namespace.channel(name), connection)
        subscription.channel.add(connection)
        self._subscribed(app, subscription, count)
        return subscription, ()

    async def sign_in(
        self, app: App, connection: Connection, user_id: str, watchlist: Sequence[str] = ()
    ) -> tuple[Sequence[Subscription], Sequence[str]]:
        """Make a connection a user's: it gets the user's own events, and ends when the user is terminated.

        Args:
            app: the connection's app.
            connection: a connected connection.
            user_id: the user.
            watchlist: the users whose coming and going it wants to hear of, each once.

        Returns:
            The subscriptions that come with it, and those of the watchlist who are online.

        Raises:
            UnavailableError: the broker cannot be reached; the connection is nobody's then.
        """
        own, _ = await self._subscribe_held(app, connection, SERVER_TO_USER_PREFIX + user_id, user_id=user_id)
        try:
            watched, online = await self.watch(app, connection, watchlist)
        except Exception:
            await self._take_back(app, own)
            raise
        return [own, *watched], online

    async def watch(
        self, app: App, connection: Connection, watchlist: Sequence[str]
    ) -> tuple[Sequence[Subscription], Sequence[str]]:
        """Let a connection hear when users come online and go offline.

        Args:
            app: the connection's app.
            connection: a connected connection.
            watchlist: the users, each once.

        Returns:
            The subscriptions that come with it, and those of the users who are online.

        Raises:
            UnavailableError: the broker cannot be reached; nobody is watched then.
        """
        watched: list[Subscription] = []
        try:
            for user_id in watchlist:
                subscription, _ = await self._subscribe_held(app, connection, WATCHLIST_PREFIX + user_id)
                watched.append(subscription)
            online = await self.broker.online(app.id, watchlist) if watchlist else ()
        except Exception:
            for subscription in watched:
                await self._take_back(app, subscription)
            raise
        return watched, online

    def claim_user(self, app: App, connection: Connection, user_id: str) -> None:
        """Note that a connection says it is a user's: it ends when the user is terminated, and gets nothing for it."""
        self._namespaces[app.id].hold_user(user_id, connection)

    async def unsubscribe(self, app: App, subscription: Subscription) -> None:
        """End one subscription.

        Raises:
            UnavailableError: the broker cannot be reached; the connection is off the channel nonetheless.
        """
        self._remove(self._namespaces[app.id], subscription)
        await self._leave(app, subscription)

    async def hold_to_rate(self, app: App, rate: Rate, limit: int, count: int = 1) -> None:
        """Hold an app to a limit that it has on all nodes together, besides holding it to that on this one.

        Args:
            app: the app.
            rate: what it does.
            limit: how much it may do in a second.
            count: how much it is about to do.

        Raises:
            RateLimitedError: the rate's.
        """
        if not await self.broker.take(app.id, rate, count, limit):
            raise rate.exceeded(limit)

    async def publish(self, app: App, channels: Sequence[str], event: Event, excluded: str | None = None) -> None:
        """Publish an event on channels, each named once, to everyone but the socket id ``excluded``.

        Raises:
            UnavailableError: the broker cannot be reached.
        """
        watch = self._watch
        begun = None if watch is None else watch.begin()
        await self.broker.publish(app.id, channels, event, excluded)
        if watch is not None and begun is not None:
            watch.answered(begun, waits_for_flush=bool(self._unflushed))
        if self.observers.by_app:
            self.observers.tell(app.id, Kind.PUBLISH, channels, event=event, socket_id=excluded)

    async def publish_client_event(self, app: App, channel: str, event: Event, sender: str) -> None:
        """Publish a client event to everyone but the connection that sent it.

        Raises:
            UnavailableError: the broker cannot be reached.
        """
        await self.broker.publish(app.id, (channel,), event, sender)
        if self.observers.by_app:
            self.observers.tell(
                app.id, Kind.CLIENT_EVENT, (channel,), event=event, socket_id=sender, user_id=event.user_id
            )
        if self._announce is not None and app.webhooks:
            text = event.text
            self._announce(
                app.id,
                WebhookEvent(WebhookEventName.CLIENT_EVENT, channel, event.user_id, event.name, text, sender),
            )

    def deliver(self, app_id: str, channel: str, event: Event, excluded: str | None) -> None:
        """Fan an event out to this node's subscribers; called by the broker."""
        namespace = self._namespaces.get(app_id)
        if namespace is None:
            return
        local = namespace.channels.get(channel)
        if local is None or not local.fan_out(event, excluded):
            return
        if not self._unflushed:
            self._defer(self.flush)
        self._unflushed.append(local)

    def flush(self) -> None:
        """Write out what the channels have gathered since the last flush."""
        unflushed, self._unflushed = self._unflushed, []
        for channel in unflushed:
            channel.flush()
        if self._watch is not None and self._watch.unwritten:
            self._watch.flushed()

    def joined(self, app_id: str, channel: str, socket_id: str) -> None:
        """Let a newcomer forget what the roster that it is about to be shown accounts for; called by the broker."""
        joining = self._joining.get((app_id, channel, socket_id))
        if joining is None:
            return
        local_channel, newcomer = joining
        local_channel.flush()
        newcomer.missed.clear()

    def terminate(self, app_id: str, user_id: str) -> None:
        """End a user's connections on this node; called by the broker."""
        namespace = self._namespaces.get(app_id)
        if namespace is None:
            return
        for connection in list(namespace.users.get(user_id, ())):
            connection.end(EndReason.TERMINATED)

    def upheaved(self, app_id: str, upheaval: Upheaval) -> None:
        """Tell back ends what changed when a node was lost or came back; called by the broker."""
        app = self._find_app(app_id)
        if app is None:
            return
        for channel, user_id in upheaval.departed:
            self._tell(app, channel, WebhookEventName.MEMBER_REMOVED, user_id)
        for channel in upheaval.occupied:
            self._tell(app, channel, WebhookEventName.CHANNEL_OCCUPIED)
        for channel, user_id in upheaval.arrived:
            self._tell(app, channel, WebhookEventName.MEMBER_ADDED, user_id)
        for channel, count in upheaval.counts.items():
            self._count_changed(app, channel, count)
            if count == 0:
                self._tell(app, channel, WebhookEventName.CHANNEL_VACATED)

    def end_connections(self, app_id: str, reason: EndReason, keys: Container[str] | None = None) -> None:
        """End an app's connections on this node: those made with some of its keys, or all."""
        namespace = self._namespaces.get(app_id)
        if namespace is None:
            return
        for connection in list(namespace.connections.values()):
            if keys is None or connection.key.key in keys:
                connection.end(reason)

    async def _subscribe_held(
        self,
        app: App,
        connection: Connection,
        name: str,
        member: PresenceMember | None = None,
        *,
        user_id: str | None = None,
    ) -> tuple[Subscription, Sequence[PresenceMember]]:
        """Subscribe to a channel on which there is something to be told first: who is there, say, or the last event."""
        namespace = self._namespaces[app.id]
        if member is not None:
            user_id = member.user_id
        newcomer = Newcomer(connection)
        subscription = Subscription(namespace.channel(name), connection, member, user_id, newcomer=newcomer)
        subscription.channel.add(newcomer)
        if user_id is not None:
            namespace.hold_user(user_id, connection)
        place = app.id, name, connection.socket_id
        self._joining[place] = subscription.channel, newcomer
        try:
            return subscription, await self._enter(app, subscription)
        except BaseException:
            self._remove(namespace, subscription)
            raise
        finally:
            del self._joining[place]

    async def _enter(self, app: App, subscription: Subscription) -> Sequence[PresenceMember]:
        """Count a subscription, and find out what its client is to be told first."""
        channel, member = subscription.channel, subscription.member
        members: Sequence[PresenceMember] = ()
        is_new_member = False
        if member is None:
            count = await self._count_in(app, channel.name)
        else:
            joined, count = await self._join(app, subscription.subscriber, channel.name, member)
            members, is_new_member = joined.members, joined.is_first
        try:
            if channel.kind.is_cache:
                kept = await self.broker.kept_event(app.id, channel.name)
                subscription.kept = None if kept is None else kept.event
            elif channel.kind is ChannelKind.SERVER_TO_USER:
                await self.broker.sign_in(app.id, subscription.subscriber.socket_id, subscription.user_id or "")
        except Exception:
            with suppress(UnavailableError):  # the error that is being handled says it already
                await self._leave(app, subscription)
            raise
        self._subscribed(app, subscription, count, is_new_member=is_new_member)
        return members

    async def _count_in(self, app: App, name: str) -> int:
        count = await self.broker.subscribe(app.id, name, app.limits.channels)
        if count is None:
            self.refusals["too_many_channels"] += 1
            raise ForbiddenError(
                "too_many_channels",
                f"This app's plan has {app.limits.channels} channels, and all of them are occupied.",
            )
        return count

    async def _join(self, app: App, connection: Connection, name: str, member: PresenceMember) -> tuple[Joined, int]:
        joined = await self.broker.join(app.id, name, connection.socket_id, member, app.limits.presence_members)
        if joined is None:
            self.refusals["presence_channel_full"] += 1
            raise ForbiddenError(
                "presence_channel_full",
                f"Presence channels have at most {app.limits.presence_members} members; {name} is full.",
            )
        try:
            count = await self._count_in(app, name)
        except Exception:
            await self.broker.leave(app.id, name, connection.socket_id, member.user_id)
            raise
        return joined, count

    async def _take_back(self, app: App, subscription: Subscription) -> None:
        """Undo a subscription that nobody has been told of."""
        with suppress(UnavailableError):
            await self.unsubscribe(app, subscription)

    def _remove(self, namespace: Namespace, subscription: Subscription) -> None:
        subscription.channel.remove(subscription.subscriber)
        namespace.drop_if_empty(subscription.channel)
        if subscription.user_id is not None:
            namespace.release_user(subscription.user_id, subscription.subscriber)

    async def _leave(self, app: App, subscription: Subscription) -> None:
        name, member, user_id = subscription.channel.name, subscription.member, subscription.user_id
        socket_id = subscription.subscriber.socket_id
        try:
            if member is not None:
                if await self.broker.leave(app.id, name, socket_id, member.user_id):
                    self._tell(app, name, WebhookEventName.MEMBER_REMOVED, member.user_id)
            elif user_id is not None:
                await self.broker.sign_out(app.id, socket_id, user_id)
        finally:
            count = await self.broker.unsubscribe(app.id, name)
            if self.observers.by_app and not subscription.channel.kind.comes_with_sign_in:
                self.observers.tell(app.id, Kind.UNSUBSCRIBED, (name,), socket_id=socket_id, user_id=user_id)
            if count is not None:
                self._count_changed(app, name, count)
            if count == 0:
                self._tell(app, name, WebhookEventName.CHANNEL_VACATED)

    def _subscribed(self, app: App, subscription: Subscription, count: int, *, is_new_member: bool = False) -> None:
        """Tell of a subscription: the others how many they are, the back end what changed."""
        channel = subscription.channel.name
        self._count_changed(app, channel, count)
        if self.observers.by_app:
            self._observe_subscription(app, subscription)
        elif self._announce is None or not app.webhooks:
            return
        if count == 1:
            self._tell(app, channel, WebhookEventName.CHANNEL_OCCUPIED)
        if subscription.member is not None and is_new_member:
            self._tell(app, channel, WebhookEventName.MEMBER_ADDED, subscription.member.user_id)
        if subscription.is_cache_miss:
            self._tell(app, channel, WebhookEventName.CACHE_MISS)

    def _count_changed(self, app: App, channel: str, count: int) -> None:
        if app.subscription_counts and self._counts is not None and ChannelKind.of(channel).announces_count:
            self._counts.changed(self.broker, app, channel, count, self._announce)

    def _observe_subscription(self, app: App, subscription: Subscription) -> None:
        channel, socket_id, user_id = subscription.channel, subscription.subscriber.socket_id, subscription.user_id
        if channel.kind is ChannelKind.SERVER_TO_USER:
            self.observers.tell(app.id, Kind.SIGNED_IN, socket_id=socket_id, user_id=user_id)
        elif not channel.kind.comes_with_sign_in:
            self.observers.tell(app.id, Kind.SUBSCRIBED, (channel.name,), socket_id=socket_id, user_id=user_id)

    def _tell(self, app: App, channel: str, name: WebhookEventName, user_id: str | None = None) -> None:
        if self.observers.by_app and name in _OBSERVED and not ChannelKind.of(channel).comes_with_sign_in:
            self.observers.tell(app.id, Kind(name), (channel,), user_id=user_id)
        if self._announce is not None and app.webhooks and not ChannelKind.of(channel).comes_with_sign_in:
            self._announce(app.id, WebhookEvent(name, channel, user_id))
