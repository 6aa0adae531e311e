"""The server's side of Pusher protocol 7, one object per client."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from skubber.codecs import pusher, signing
from skubber.codecs.pusher import ClientMessage, CloseCode, PusherWireFormat, SubscribeData
from skubber.codecs.websocket_frames import Opcode, encode_text
from skubber.core.app import App
from skubber.core.channel_name import ChannelKind, check_channel_name
from skubber.core.connection import EndReason
from skubber.core.errors import (
    ForbiddenError,
    InvalidRequestError,
    SkubberError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
)
from skubber.core.event import Event
from skubber.core.hub import Admission, Hub, Subscription
from skubber.core.presence import PresenceMember
from skubber.core.timer_wheel import TimerWheel
from skubber.sessions.session import Peer

WEBSOCKET_FORMAT = PusherWireFormat(encode_text)

_NOT_ADMITTED = {
    Admission.APP_FULL: (CloseCode.OVER_CONNECTION_QUOTA, "The app is over its connection quota"),
    Admission.SERVER_FULL: (CloseCode.OVER_CAPACITY, "The server is at capacity: please try again later"),
}

_END = {
    EndReason.TERMINATED: (CloseCode.UNAUTHORIZED, "The connection was terminated by the application"),
    EndReason.DRAINING: (CloseCode.RECONNECT, "The server is restarting: please reconnect"),
    EndReason.TOO_SLOW: (CloseCode.OVER_CAPACITY, "The client reads too slowly"),
}


@dataclass(frozen=True, slots=True)
class PusherContext:
    """What all Pusher sessions of a process share.

    Attributes:
        hub: the hub.
        wheel: the timer wheel.
        clock: monotonic seconds.
        new_socket_id: makes a socket id, ``digits.digits``, unguessable and unique.
        activity_timeout: seconds of silence after which either side pings.
        pong_timeout: seconds a client has to answer a ping.
    """

    hub: Hub
    wheel: TimerWheel
    clock: Callable[[], float]
    new_socket_id: Callable[[], str]
    activity_timeout: int = 120
    pong_timeout: int = 30


class PusherSession:
    """A Pusher client that was let in. Implements ``Session`` and ``Connection``.

    Args:
        context: what sessions share.
        app: the app the client connected to.
        key: the key it connected with; channel authorizations must be signed with the same.
        peer: its transport.
    """

    __slots__ = (
        "_app",
        "_client_events_left",
        "_client_events_second",
        "_context",
        "_key",
        "_peer",
        "_pinged_at",
        "_subscriptions",
        "last_heard",
        "socket_id",
        "timer_slot",
        "write",
    )

    wire_format = WEBSOCKET_FORMAT

    def __init__(self, context: PusherContext, app: App, key: str, peer: Peer) -> None:
        self._context = context
        self._app = app
        self._key = key
        self._peer = peer
        self._subscriptions: dict[str, Subscription] = {}
        self._client_events_second = -1
        self._client_events_left = 0
        self._pinged_at = 0
        self.socket_id = context.new_socket_id()
        self.write = peer.write
        self.last_heard = context.wheel.now
        self.timer_slot = -1

    def opened(self) -> None:
        """Register with the hub and greet the client, or turn it away when the app is full."""
        context = self._context
        admission = context.hub.connect(self._app, self)
        if admission is not Admission.ADMITTED:
            refuse(self._peer, *_NOT_ADMITTED[admission])
            return
        self._send(pusher.connection_established(self.socket_id, context.activity_timeout))
        context.wheel.schedule(self, context.activity_timeout)

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Act on one message. What is wrong with it is told to the client and closes nothing."""
        try:
            if opcode is not Opcode.TEXT:
                raise InvalidRequestError("invalid_message", "Send text messages: the protocol has no binary ones.")
            message = pusher.decode_message(payload)
            if message.event.startswith("client-"):
                await self._client_event(message)
                return
            handle = self._HANDLERS.get(message.event)
            if handle is None:
                raise InvalidRequestError("unknown_event", f"Clients cannot send {message.event[:100]!r}.")
            await handle(self, message)
        except SkubberError as error:
            self._send(pusher.error(None, error.message))

    async def closed(self) -> None:
        """Leave every channel."""
        self._context.wheel.cancel(self)
        subscriptions, self._subscriptions = tuple(self._subscriptions.values()), {}
        await self._context.hub.disconnect(self._app, self, subscriptions)

    def end(self, reason: EndReason) -> None:
        """Close with the protocol's code for ``reason``, announced in a ``pusher:error`` as well."""
        refuse(self._peer, *_END[reason])

    def timer_due(self, now: int) -> int:
        """Ping a silent client; close with 4201 when that does not make it speak."""
        context = self._context
        if self.last_heard < self._pinged_at:
            waited = now - self._pinged_at
            if waited < context.pong_timeout:
                return context.pong_timeout - waited
            refuse(self._peer, CloseCode.PONG_NOT_RECEIVED, "Pong reply not received in time")
            return 0
        silent = now - self.last_heard
        if silent < context.activity_timeout:
            return context.activity_timeout - silent
        self._pinged_at = now
        self._send(pusher.PING)
        return context.pong_timeout

    def _send(self, message: bytes) -> None:
        self.write(self.wire_format.frame(message))

    async def _ping(self, message: ClientMessage) -> None:
        self._send(pusher.PONG)

    async def _pong(self, message: ClientMessage) -> None:
        """Being heard is all a pong is for."""

    async def _subscribe(self, message: ClientMessage) -> None:
        request = pusher.decode_subscribe(message.data)
        if request.channel in self._subscriptions:
            raise InvalidRequestError(
                "already_subscribed", f"This connection is already subscribed to {request.channel}."
            )
        try:
            member = self._admit(request)
            subscription, members = await self._context.hub.subscribe(self._app, self, request.channel, member)
        except SkubberError as error:
            kind = _SUBSCRIPTION_ERRORS[type(error)]
            self._send(pusher.subscription_error(request.channel, kind, error.message, error.status))
            return
        self._subscriptions[request.channel] = subscription
        if member is None:
            self._send(pusher.subscription_succeeded(request.channel))
        else:
            self._send(pusher.presence_subscription_succeeded(request.channel, members))
            subscription.catch_up(self)

    async def _unsubscribe(self, message: ClientMessage) -> None:
        request = pusher.decode_subscribe(message.data)
        subscription = self._subscriptions.pop(request.channel, None)
        if subscription is not None:
            await self._context.hub.unsubscribe(self._app, self, subscription)

    def _admit(self, request: SubscribeData) -> PresenceMember | None:
        """Decide whether the client may subscribe, and as whom."""
        limits = self._app.limits
        check_channel_name(request.channel, limits.channel_name_length)
        kind = ChannelKind.of(request.channel)
        if kind is ChannelKind.SERVER_TO_USER:
            raise UnauthorizedError(
                "sign_in_required", "Sign in to receive a user's events; they need no subscription."
            )
        if not kind.is_private:
            return None
        self._check_signature(request, kind)
        if not kind.is_presence:
            return None
        return pusher.decode_channel_data(
            request.channel_data or "", limits.presence_user_id_length, limits.presence_user_info_bytes
        )

    def _check_signature(self, request: SubscribeData, kind: ChannelKind) -> None:
        if kind.is_presence and request.channel_data is None:
            raise UnauthorizedError("invalid_signature", "Presence channels need channel_data, signed with the auth.")
        key, _, signature = (request.auth or "").rpartition(":")
        secret = self._app.keys[self._key].secret
        text = signing.channel_text(self.socket_id, request.channel, request.channel_data)
        # The signature is compared whatever the key says, so that the time taken tells nothing.
        if not signing.matches(signing.sign(secret, text), signature) or key != self._key:
            signed = "socket_id:channel" if request.channel_data is None else "socket_id:channel:channel_data"
            raise UnauthorizedError(
                "invalid_signature",
                f"Invalid signature: auth must be KEY:SIGNATURE, the HMAC SHA256 hex digest of {signed} "
                f"({self.socket_id}:{request.channel}...) under the secret of the key this client connected with.",
            )

    async def _client_event(self, message: ClientMessage) -> None:
        subscription = self._checked_client_event(message)
        if not self._take_client_event():
            rate = self._app.limits.client_events_per_second
            self._send(
                pusher.error(pusher.CLIENT_EVENT_RATE, f"Client event rejected: at most {rate} a second may be sent.")
            )
            return
        user_id = subscription.member.user_id if subscription.member else None
        event = Event(message.event, bytes(message.data), user_id)
        await self._context.hub.publish(self._app, (subscription.channel.name,), event, self.socket_id)

    def _checked_client_event(self, message: ClientMessage) -> Subscription:
        limits = self._app.limits
        if not self._app.client_events:
            raise ForbiddenError("client_events_disabled", "Client events are not enabled for this app.")
        if len(message.event) > limits.event_name_length:
            raise InvalidRequestError(
                "event_name_too_long", f"Event names have at most {limits.event_name_length} characters."
            )
        if len(bytes(message.data)) > limits.event_data_bytes:
            raise TooLargeError("event_data_too_large", f"Event data has at most {limits.event_data_bytes} bytes.")
        subscription = self._subscriptions.get(message.channel or "")
        if subscription is None:
            raise ForbiddenError("not_subscribed", "Subscribe to a channel before sending client events to it.")
        if not subscription.channel.kind.takes_client_events:
            raise ForbiddenError(
                "client_event_channel", "Client events are for private and presence channels, encrypted ones excepted."
            )
        return subscription

    def _take_client_event(self) -> bool:
        second = int(self._context.clock())
        if second != self._client_events_second:
            self._client_events_second = second
            self._client_events_left = self._app.limits.client_events_per_second
        if self._client_events_left <= 0:
            return False
        self._client_events_left -= 1
        return True

    _HANDLERS: ClassVar[dict[str, Callable[["PusherSession", ClientMessage], Awaitable[None]]]] = {
        "pusher:ping": _ping,
        "pusher:pong": _pong,
        "pusher:subscribe": _subscribe,
        "pusher:unsubscribe": _unsubscribe,
    }


_SUBSCRIPTION_ERRORS: dict[type[SkubberError], str] = {
    UnauthorizedError: "AuthError",
    ForbiddenError: "LimitReached",
    InvalidRequestError: "InvalidRequest",
    UnavailableError: "Unavailable",
}


def refuse(peer: Peer, code: CloseCode, message: str) -> None:
    """Say why in a ``pusher:error``, then close with the code: clients show developers the first."""
    peer.write(WEBSOCKET_FORMAT.frame(pusher.error(code, message)))
    peer.close(code, message)
