"""The hub: who is connected to this node, who is subscribed to what, and who gets an event."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto

from skubber.core.app import App
from skubber.core.broker import Broker
from skubber.core.channel import Channel
from skubber.core.channel_name import SERVER_TO_USER_PREFIX
from skubber.core.connection import Connection, EndReason
from skubber.core.errors import ForbiddenError, UnavailableError
from skubber.core.event import Event, MemberAdded, MemberRemoved
from skubber.core.namespace import Namespace
from skubber.core.newcomer import Newcomer
from skubber.core.presence import PresenceMember


class Admission(Enum):
    """Whether a connection was let in."""

    ADMITTED = auto()
    APP_FULL = auto()
    SERVER_FULL = auto()


@dataclass(slots=True)
class Subscription:
    """A connection's place on a channel.

    Attributes:
        channel: the local channel.
        subscriber: what gets the channel's events: the connection, or something in its stead.
        member: who the connection is there, on presence channels.
        user_id: whose the connection is while it is subscribed: the member's, or the user's who signed in.
        missed: frames of the channel that the connection has not been given yet; see ``catch_up``.
    """

    channel: Channel
    subscriber: Connection
    member: PresenceMember | None = None
    user_id: str | None = None
    missed: Sequence[bytes] = ()

    def catch_up(self) -> None:
        """Write what happened on a presence channel while the broker was asked who is there.

        To be called once, right after the client was told who is there.
        """
        missed, self.missed = self.missed, ()
        for frame in missed:
            self.subscriber.write(frame)


class Hub:
    """All apps' connections and channels on this node, above one broker.

    Calls about one connection come one after the other: each waits for the one before it.

    Args:
        broker: what connects this node to the others.
        defer: schedules a call for the end of the running event-loop iteration (``loop.call_soon``).
        max_connections: most connections this node takes, of all apps together; 0 for no limit.
    """

    def __init__(self, broker: Broker, defer: Callable[[Callable[[], None]], object], max_connections: int = 0) -> None:
        self.broker = broker
        self.connection_count = 0
        self._max_connections = max_connections
        self._defer = defer
        self._namespaces: dict[str, Namespace] = {}
        self._unflushed: list[Channel] = []
        broker.attach(self)

    def connect(self, app: App, connection: Connection) -> Admission:
        """Register an open connection, unless the app or this node has as many as it may have."""
        if self._max_connections and self.connection_count >= self._max_connections:
            return Admission.SERVER_FULL
        namespace = self._namespaces.get(app.id)
        if namespace is None:
            namespace = self._namespaces[app.id] = Namespace()
        if app.limits.connections and len(namespace.connections) >= app.limits.connections:
            return Admission.APP_FULL
        namespace.connections[connection.socket_id] = connection
        self.connection_count += 1
        return Admission.ADMITTED

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
            ForbiddenError: ``presence_channel_full``.
            UnavailableError: the broker cannot be reached.
        """
        namespace = self._namespaces[app.id]
        if member is not None:
            return await self._subscribe_member(app, namespace, connection, name, member)
        await self.broker.subscribe(app.id, name)
        subscription = Subscription(namespace.channel(name), connection)
        subscription.channel.add(connection)
        return subscription, ()

    async def sign_in(self, app: App, connection: Connection, user_id: str) -> Subscription:
        """Make a connection a user's: it gets the user's own events, and ends when the user is terminated.

        Returns:
            The subscription of the user's own channel.

        Raises:
            UnavailableError: the broker cannot be reached.
        """
        name = SERVER_TO_USER_PREFIX + user_id
        namespace = self._namespaces[app.id]
        namespace.hold_user(user_id, connection)  # the user may be terminated while the broker is asked
        try:
            await self.broker.subscribe(app.id, name)
        except BaseException:
            namespace.release_user(user_id, connection)
            raise
        subscription = Subscription(namespace.channel(name), connection, user_id=user_id)
        subscription.channel.add(connection)
        return subscription

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

    async def publish(self, app: App, channels: Sequence[str], event: Event, excluded: str | None = None) -> None:
        """Publish an event on channels, each named once, to everyone but the socket id ``excluded``.

        Raises:
            UnavailableError: the broker cannot be reached.
        """
        await self.broker.publish(app.id, channels, event, excluded)

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

    def terminate(self, app_id: str, user_id: str) -> None:
        """End a user's connections on this node; called by the broker."""
        namespace = self._namespaces.get(app_id)
        if namespace is None:
            return
        for connection in list(namespace.users.get(user_id, ())):
            connection.end(EndReason.TERMINATED)

    async def _subscribe_member(
        self, app: App, namespace: Namespace, connection: Connection, name: str, member: PresenceMember
    ) -> tuple[Subscription, Sequence[PresenceMember]]:
        subscription = Subscription(namespace.channel(name), connection, member, member.user_id)
        newcomer = Newcomer(connection)
        subscription.channel.add(newcomer)
        namespace.hold_user(member.user_id, connection)
        try:
            members = await self._join(app, connection, name, member)
        except BaseException:
            self._remove(namespace, subscription)
            raise
        subscription.channel.add(connection)  # in the newcomer's place
        subscription.missed = newcomer.missed
        return subscription, members

    async def _join(
        self, app: App, connection: Connection, name: str, member: PresenceMember
    ) -> Sequence[PresenceMember]:
        joined = await self.broker.join(app.id, name, connection.socket_id, member, app.limits.presence_members)
        if joined is None:
            raise ForbiddenError(
                "presence_channel_full",
                f"Presence channels have at most {app.limits.presence_members} members; {name} is full.",
            )
        try:
            if joined.is_first:
                arrival = MemberAdded(member.user_id, member.user_info)
                await self.broker.publish(app.id, (name,), arrival, connection.socket_id)
            await self.broker.subscribe(app.id, name)
        except Exception:
            await self._depart(app, connection, name, member)
            raise
        return joined.members

    def _remove(self, namespace: Namespace, subscription: Subscription) -> None:
        subscription.channel.remove(subscription.subscriber)
        namespace.drop_if_empty(subscription.channel)
        if subscription.user_id is not None:
            namespace.release_user(subscription.user_id, subscription.subscriber)

    async def _leave(self, app: App, subscription: Subscription) -> None:
        name, member = subscription.channel.name, subscription.member
        try:
            await self.broker.unsubscribe(app.id, name)
        finally:
            if member is not None:
                await self._depart(app, subscription.subscriber, name, member)

    async def _depart(self, app: App, connection: Connection, name: str, member: PresenceMember) -> None:
        is_last = await self.broker.leave(app.id, name, connection.socket_id, member.user_id)
        if is_last:
            await self.broker.publish(app.id, (name,), MemberRemoved(member.user_id), connection.socket_id)
