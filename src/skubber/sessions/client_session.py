"""What every client may do, whichever protocol it speaks: subscribe, send client events, sign in, leave."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from skubber.codecs import channel_auth
from skubber.codecs.channel_auth import SignedInUser
from skubber.codecs.json_text import MAX_DEPTH, is_portable_json
from skubber.core.app import ApiKey, App
from skubber.core.channel_name import SERVER_TO_USER_PREFIX, ChannelKind, check_channel_name
from skubber.core.connection import Connection, EndReason, take_nothing
from skubber.core.errors import (
    ForbiddenError,
    InvalidRequestError,
    RateLimitedError,
    SkubberError,
    TooLargeError,
    UnauthorizedError,
)
from skubber.core.event import Event, WireFormat
from skubber.core.hub import Hub
from skubber.core.meter import Rate
from skubber.core.observers import Kind
from skubber.core.presence import PresenceMember
from skubber.core.subscription import Subscription
from skubber.sessions.session import LinkFigures, MeasuredPeer, Peer

CLIENT_EVENT_PREFIX = "client-"

SIGN_IN_TIMEOUT = 30
"""Seconds within which a user must sign in, in apps that require it."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """The outcome of a sign-in.

    Attributes:
        user_id: the user.
        online: those of the user's watchlist who are online.
        is_watchlist_cut: whether the watchlist was longer than it may be.
        subscriptions: those that came with it.
    """

    user_id: str
    online: Sequence[str] = ()
    is_watchlist_cut: bool = False
    subscriptions: Sequence[Subscription] = ()

    def catch_up(self) -> None:
        """Let the client have the user's events, and hear of those it watches; call it once the client was told."""
        for subscription in self.subscriptions:
            subscription.catch_up()


class ClientSession:
    """A client that was let in. Implements most of ``Connection``; a subclass speaks a protocol.

    Its coroutines are awaited one at a time, by a transport that needs no locks.

    Args:
        hub: the hub.
        now: seconds since the epoch.
        app: the client's app.
        key: the key it connected with: what its back end signs for it must be signed with the same.
        socket_id: its id, ``digits.digits``, unique and unguessable.
        write: sends finished frames.
    """

    __slots__ = (
        "_app",
        "_claimed_user_id",
        "_client_events_left",
        "_client_events_second",
        "_hub",
        "_now",
        "_subscriptions",
        "_user_id",
        "key",
        "send_now",
        "socket_id",
        "write",
    )

    def __init__(
        self,
        hub: Hub,
        now: Callable[[], float],
        app: App,
        key: ApiKey,
        socket_id: str,
        write: Callable[[bytes], None],
    ) -> None:
        self._hub = hub
        self._now = now
        self._app = app
        self.key = key
        self._subscriptions: dict[str, Subscription] = {}
        self._user_id: str | None = None
        self._claimed_user_id: str | None = None
        self._client_events_second = -1
        self._client_events_left = 0
        self.socket_id = socket_id
        self.write = write
        self.send_now: Callable[[bytes], int] = take_nothing

    _opened_at: int
    _peer: Peer
    last_heard: int

    @property
    def opened_at(self) -> int:
        """The timer wheel's second in which it was opened."""
        return self._opened_at

    @property
    def subscriptions(self) -> Mapping[str, Subscription]:
        """Its subscriptions, by channel."""
        return self._subscriptions

    @property
    def user_id(self) -> str | None:
        """Whose it is: the user who signed in, or said so, or the member of a presence channel."""
        named = self._user_id or self._claimed_user_id
        return named or next((each.user_id for each in self._subscriptions.values() if each.user_id), None)

    def is_users(self, user_id: str) -> bool:
        """Whether it is a user's, for whatever reason."""
        return user_id in {self._user_id, self._claimed_user_id} or any(
            each.user_id == user_id for each in self._subscriptions.values()
        )

    def measure(self) -> LinkFigures:
        """What is known of the way to the client."""
        return self._peer.measure() if isinstance(self._peer, MeasuredPeer) else LinkFigures()

    @property
    def kind(self) -> tuple[str, str]:
        """The protocol it speaks and the transport it came over."""
        raise NotImplementedError

    @property
    def wire_format(self) -> WireFormat:
        """The format of the frames it is sent."""
        raise NotImplementedError

    def end(self, reason: EndReason) -> None:
        """Start closing the connection for ``reason``."""
        raise NotImplementedError

    def check_not_subscribed(self, channel: str) -> None:
        """Refuse a second subscription of the same channel.

        Raises:
            InvalidRequestError: ``already_subscribed``.
        """
        if channel in self._subscriptions:
            raise InvalidRequestError("already_subscribed", f"This connection is already subscribed to {channel}.")

    async def subscribe(
        self, channel: str, auth: str | None, channel_data: str | None, subscriber: Connection | None = None
    ) -> tuple[Subscription, Sequence[PresenceMember]]:
        """Subscribe to a channel, if the client may.

        Args:
            channel: its name, as the client sent it.
            auth: the back end's authorization, where the channel needs one.
            channel_data: who the user is, on presence channels.
            subscriber: what receives the channel's events in the connection's stead; it has the same socket id.

        Returns:
            The subscription and, on presence channels, everyone present, the client's own user included.

        Raises:
            SkubberError: the name is invalid, the authorization is missing or wrong, the channel is full, or the
                client has as many subscriptions as it may have.
        """
        try:
            self.check_not_subscribed(channel)
            self._check_has_room()
            member = self._admit(channel, auth, channel_data)
            subscription, members = await self._hub.subscribe(self._app, subscriber or self, channel, member)
        except SkubberError as error:
            self._observe_refusal(error, channel)
            raise
        self._subscriptions[channel] = subscription
        return subscription, members

    async def unsubscribe(self, channel: str) -> None:
        """End a subscription; one that is not there is no error."""
        subscription = self._subscriptions.get(channel)
        if subscription is None or subscription.channel.kind.comes_with_sign_in:
            return
        del self._subscriptions[channel]
        await self._hub.unsubscribe(self._app, subscription)

    async def trigger(self, channel: str, name: str, data: bytes) -> None:
        """Send a client event to the channel's other subscribers.

        Args:
            channel: a channel this client is subscribed to.
            name: the event's name.
            data: its data, as JSON text.

        Raises:
            RateLimitedError: ``client_event_rate``.
            SkubberError: the event breaks another rule (Pusher Channels documentation, "Client events").
        """
        try:
            subscription = self._check_client_event(channel, name, data)
            await self._take_client_event()
        except SkubberError as error:
            if isinstance(error, RateLimitedError):
                self._hub.refusals[error.code] += 1
            self._observe_refusal(error, channel, name)
            raise
        user_id = subscription.member.user_id if subscription.member else None
        await self._hub.publish_client_event(self._app, channel, Event(name, data, user_id), self.socket_id)

    async def sign_in(self, auth: str | None, user_data: str) -> SignIn:
        """Sign a user in: from now on events to the user reach this connection, and terminating the user ends it.

        Raises:
            SkubberError: the signature is wrong, or another user is signed in.
        """
        channel_auth.check_user_signature(auth, self.key, self.socket_id, user_data)
        return await self.sign_in_as(channel_auth.decode_user_data(user_data, self._app.limits))

    async def sign_in_as(self, user: SignedInUser) -> SignIn:
        """Sign in a user whose identity is proven already.

        Who is signed in may sign in again as the same user. That changes nothing, unless there was no watchlist yet.

        Raises:
            ForbiddenError: ``already_signed_in``: as somebody else.
            UnavailableError: the broker cannot be reached; nothing has changed.
        """
        if self._user_id not in {None, user.user_id}:
            raise ForbiddenError("already_signed_in", "Another user is signed in: open a new connection instead.")
        limit = self._app.limits.watchlist_users
        watchlist = () if self._is_watching else user.watchlist[:limit]
        if self._user_id is None:
            subscriptions, online = await self._hub.sign_in(self._app, self, user.user_id, watchlist)
            self._user_id = user.user_id
        else:
            subscriptions, online = await self._hub.watch(self._app, self, watchlist)
        self._subscriptions.update((each.channel.name, each) for each in subscriptions)
        return SignIn(user.user_id, online, len(user.watchlist) > limit, subscriptions)

    def is_own_channel(self, channel: str) -> bool:
        """Whether it is that of the user who is signed in: it needs no subscription, yet pusher-js asks for one."""
        return self._user_id is not None and channel == SERVER_TO_USER_PREFIX + self._user_id

    def seconds_to_sign_in(self, seconds_open: int) -> float:
        """How long a user still has to sign in, on a connection open for so long; infinite where none has to."""
        if self._app.requires_sign_in and self._user_id is None:
            return SIGN_IN_TIMEOUT - seconds_open
        return math.inf

    async def leave(self) -> None:
        """Leave every channel and the hub."""
        subscriptions, self._subscriptions = tuple(self._subscriptions.values()), {}
        await self._hub.disconnect(self._app, self, subscriptions, self._claimed_user_id)

    def _observe_refusal(self, error: SkubberError, channel: str, name: str | None = None) -> None:
        observers = self._hub.observers
        if observers.by_app:
            observers.tell(
                self._app.id,
                Kind.ERROR,
                (channel,),
                name=name,
                socket_id=self.socket_id,
                user_id=self.user_id,
                detail=error.message,
                code=error.code,
            )

    @property
    def _is_watching(self) -> bool:
        return any(each.channel.kind is ChannelKind.WATCHLIST for each in self._subscriptions.values())

    def _check_has_room(self) -> None:
        most = self._app.limits.subscriptions_per_connection
        if most and len(self._subscriptions) >= most:
            self._hub.refusals["too_many_subscriptions"] += 1
            raise ForbiddenError(
                "too_many_subscriptions",
                f"A connection has at most {most} subscriptions: end one first, or open another connection.",
            )

    def _admit(self, channel: str, auth: str | None, channel_data: str | None) -> PresenceMember | None:
        """Decide whether the client may subscribe, and on presence channels as whom."""
        check_channel_name(channel, self._app.limits.channel_name_length)
        kind = ChannelKind.of(channel)
        if kind is ChannelKind.SERVER_TO_USER:
            raise UnauthorizedError(
                "sign_in_required", "Sign in to receive a user's events; they need no subscription."
            )
        if not kind.is_private:
            return None
        return self._authorize(channel, kind, auth, channel_data)

    def _authorize(
        self, channel: str, kind: ChannelKind, auth: str | None, channel_data: str | None
    ) -> PresenceMember | None:
        if kind.is_presence and channel_data is None:
            raise UnauthorizedError("invalid_signature", "Presence channels need channel_data, signed with the auth.")
        channel_auth.check_channel_signature(auth, self.key, self.socket_id, channel, channel_data)
        if not kind.is_presence:
            return None
        return channel_auth.decode_channel_data(channel_data or "", self._app.limits)

    def _check_client_event(self, channel: str, name: str, data: bytes) -> Subscription:
        limits = self._app.limits
        if not self._app.client_events:
            raise ForbiddenError("client_events_disabled", "Client events are not enabled for this app.")
        if not name.startswith(CLIENT_EVENT_PREFIX):
            raise InvalidRequestError("invalid_event_name", "Names of client events start with client-.")
        if len(name) > limits.event_name_length:
            raise InvalidRequestError(
                "event_name_too_long", f"Event names have at most {limits.event_name_length} characters."
            )
        if len(data) > limits.event_data_bytes:
            raise TooLargeError("event_data_too_large", f"Event data has at most {limits.event_data_bytes} bytes.")
        subscription = self._subscriptions.get(channel)
        if subscription is None:
            raise ForbiddenError("not_subscribed", "Subscribe to a channel before sending client events to it.")
        if not subscription.channel.kind.takes_client_events:
            raise ForbiddenError(
                "client_event_channel", "Client events are for private and presence channels, encrypted ones excepted."
            )
        if not is_portable_json(data):
            raise InvalidRequestError(
                "invalid_event_data",
                f"Event data must be JSON that every client can read: 64-bit numbers, at most {MAX_DEPTH} levels.",
            )
        return subscription

    async def _take_client_event(self) -> None:
        limits = self._app.limits
        rate = limits.client_events_per_second
        second = int(self._now())
        if second != self._client_events_second:
            self._client_events_second = second
            self._client_events_left = rate
        if self._client_events_left <= 0:
            raise RateLimitedError(
                "client_event_rate", f"Client event rejected: at most {rate} a second may be sent.", 1
            )
        if limits.messages_per_second:
            await self._hub.hold_to_rate(self._app, Rate.MESSAGES, limits.messages_per_second)
        self._app.meter.take_messages(1, limits, self._now())
        self._client_events_left -= 1
