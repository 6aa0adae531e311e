"""The server's side of Pusher protocol 7, one object per client."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from skubber.codecs import pusher
from skubber.codecs.pusher import ClientMessage, CloseCode, PusherWireFormat
from skubber.codecs.websocket_frames import Opcode, encode_text
from skubber.core.app import ApiKey, App
from skubber.core.connection import EndReason
from skubber.core.errors import (
    ForbiddenError,
    InvalidRequestError,
    RateLimitedError,
    SkubberError,
    UnauthorizedError,
    UnavailableError,
)
from skubber.core.hub import Admission, Hub
from skubber.core.timer_wheel import TimerWheel
from skubber.sessions.client_session import CLIENT_EVENT_PREFIX, SIGN_IN_TIMEOUT, ClientSession
from skubber.sessions.session import Peer

WEBSOCKET_FORMAT = PusherWireFormat(encode_text)
"""The one format of all clients over WebSockets."""

_NOT_ADMITTED = {
    Admission.APP_FULL: (CloseCode.OVER_CONNECTION_QUOTA, "The app is over its connection quota"),
    Admission.SERVER_FULL: (CloseCode.OVER_CAPACITY, "The server is at capacity: please try again later"),
}

END = {
    EndReason.TERMINATED: (CloseCode.UNAUTHORIZED, "The connection was terminated by the application"),
    EndReason.DRAINING: (CloseCode.RECONNECT, "The server is restarting: please reconnect"),
    EndReason.TOO_SLOW: (CloseCode.OVER_CAPACITY, "The client reads too slowly"),
    EndReason.KEY_REVOKED: (CloseCode.UNAUTHORIZED, "The API key of this connection was revoked"),
    EndReason.APP_DISABLED: (CloseCode.APP_DISABLED, "The app was disabled"),
    EndReason.APP_DELETED: (CloseCode.NO_SUCH_APP, "The app was deleted"),
    EndReason.APP_FULL: _NOT_ADMITTED[Admission.APP_FULL],
}
"""What a client is told when it is ended."""


@dataclass(frozen=True, slots=True)
class PusherContext:
    """What all Pusher sessions of a process share.

    Attributes:
        hub: the hub.
        wheel: the timer wheel.
        now: seconds since the epoch.
        new_socket_id: makes a socket id, ``digits.digits``, unguessable and unique.
        activity_timeout: seconds of silence after which either side pings.
        pong_timeout: seconds a client has to answer a ping.
    """

    hub: Hub
    wheel: TimerWheel
    now: Callable[[], float]
    new_socket_id: Callable[[], str]
    activity_timeout: int = 120
    pong_timeout: int = 30


class PusherSession(ClientSession):
    """A Pusher client that was let in. Implements ``Session`` and ``Connection``.

    Args:
        context: what sessions share.
        app: the app the client connected to.
        key: the key it connected with; channel authorizations must be signed with the same.
        peer: its transport.
        wire_format: how its transport frames what it is sent; one object for all clients of the same transport.
    """

    __slots__ = ("_context", "_opened_at", "_peer", "_pinged_at", "_wire_format", "last_heard", "timer_slot")

    def __init__(
        self, context: PusherContext, app: App, key: ApiKey, peer: Peer, wire_format: PusherWireFormat
    ) -> None:
        super().__init__(context.hub, context.now, app, key, context.new_socket_id(), peer.write)
        self._context = context
        self._peer = peer
        self._wire_format = wire_format
        self._opened_at = 0
        self._pinged_at = 0
        self.last_heard = context.wheel.now
        self.timer_slot = -1

    @property
    def kind(self) -> tuple[str, str]:
        """The protocol it speaks and the transport it came over."""
        return ("pusher", "websockets" if self._wire_format is WEBSOCKET_FORMAT else "http")

    @property
    def wire_format(self) -> PusherWireFormat:
        """The format of the frames it is sent."""
        return self._wire_format

    def opened(self) -> None:
        """Register with the hub and greet the client, or turn it away when the app is full."""
        context = self._context
        admission = context.hub.connect(self._app, self)
        if admission is not Admission.ADMITTED:
            refuse(self._peer, self.wire_format, *_NOT_ADMITTED[admission])
            return
        self._send(pusher.connection_established(self.socket_id, context.activity_timeout))
        self._opened_at = context.wheel.now
        context.wheel.schedule(self, int(min(context.activity_timeout, self.seconds_to_sign_in(0))))

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Act on one message. What is wrong with it is told to the client; only a failed sign-in closes."""
        try:
            if opcode is not Opcode.TEXT:
                raise InvalidRequestError("invalid_message", "Send text messages: the protocol has no binary ones.")
            message = pusher.decode_message(payload)
            if message.event.startswith(CLIENT_EVENT_PREFIX):
                await self.trigger(message.channel or "", message.event, bytes(message.data))
                return
            handle = self._HANDLERS.get(message.event)
            if handle is None:
                raise InvalidRequestError("unknown_event", f"Clients cannot send {message.event[:100]!r}.")
            await handle(self, message)
        except RateLimitedError as error:
            self._send(pusher.error(pusher.CLIENT_EVENT_RATE, error.message))
        except SkubberError as error:
            self._send(pusher.error(None, error.message))

    async def closed(self) -> None:
        """Leave every channel."""
        self._context.wheel.cancel(self)
        await self.leave()

    def end(self, reason: EndReason) -> None:
        """Close with the protocol's code for ``reason``, announced in a ``pusher:error`` as well."""
        refuse(self._peer, self.wire_format, *END[reason])

    def timer_due(self, now: int) -> int:
        """Look whether a user has to have signed in, and whether the client is alive."""
        to_sign_in = self.seconds_to_sign_in(now - self._opened_at)
        if to_sign_in <= 0:
            refuse(
                self._peer,
                self.wire_format,
                CloseCode.UNAUTHORIZED,
                f"A user must sign in within {SIGN_IN_TIMEOUT} seconds",
            )
            return 0
        return int(min(self._look_for_life(now), to_sign_in))

    def _look_for_life(self, now: int) -> int:
        """Ping a silent client; close with 4201 when that does not make it speak."""
        context = self._context
        if self.last_heard < self._pinged_at:
            waited = now - self._pinged_at
            if waited < context.pong_timeout:
                return context.pong_timeout - waited
            refuse(self._peer, self.wire_format, CloseCode.PONG_NOT_RECEIVED, "Pong reply not received in time")
            return 0
        silent = now - self.last_heard
        if silent < context.activity_timeout:
            return context.activity_timeout - silent
        self._pinged_at = now
        self._send(pusher.PING)
        return context.pong_timeout

    def _send(self, message: bytes) -> None:
        self.write(self.wire_format.frame(message))

    async def _on_ping(self, message: ClientMessage) -> None:
        self._send(pusher.PONG)

    async def _on_pong(self, message: ClientMessage) -> None:
        """Being heard is all a pong is for."""

    async def _on_subscribe(self, message: ClientMessage) -> None:
        request = pusher.decode_subscribe(message.data)
        if self.is_own_channel(request.channel):
            self._send(pusher.subscription_succeeded(request.channel))
            return
        self.check_not_subscribed(request.channel)
        try:
            subscription, members = await self.subscribe(request.channel, request.auth, request.channel_data)
        except SkubberError as error:
            kind = _SUBSCRIPTION_ERRORS[type(error)]
            self._send(pusher.subscription_error(request.channel, kind, error.message, error.status))
            return
        if subscription.member is None:
            self._send(pusher.subscription_succeeded(request.channel))
        else:
            self._send(pusher.presence_subscription_succeeded(request.channel, members))
        if subscription.is_cache_miss:
            self._send(pusher.cache_miss(request.channel))
        subscription.catch_up()

    async def _on_unsubscribe(self, message: ClientMessage) -> None:
        await self.unsubscribe(pusher.decode_subscribe(message.data).channel)

    async def _on_signin(self, message: ClientMessage) -> None:
        try:
            request = pusher.decode_signin(message.data)
            signed_in = await self.sign_in(request.auth, request.user_data)
        except UnavailableError as error:
            refuse(
                self._peer, self.wire_format, CloseCode.OVER_CAPACITY, error.message
            )  # so that the client comes back and tries again
            return
        except SkubberError as error:
            refuse(self._peer, self.wire_format, CloseCode.UNAUTHORIZED, error.message)
            return
        self._send(pusher.signin_success(request.user_data))
        if signed_in.is_watchlist_cut:
            limit = self._app.limits.watchlist_users
            self._send(pusher.error(pusher.WATCHLIST_TOO_LONG, f"Only the first {limit} users are watched."))
        if signed_in.online:
            self._send(pusher.watchlist_event("online", signed_in.online))
        signed_in.catch_up()

    _HANDLERS: ClassVar[dict[str, Callable[["PusherSession", ClientMessage], Awaitable[None]]]] = {
        "pusher:ping": _on_ping,
        "pusher:pong": _on_pong,
        "pusher:subscribe": _on_subscribe,
        "pusher:unsubscribe": _on_unsubscribe,
        "pusher:signin": _on_signin,
    }


_SUBSCRIPTION_ERRORS: dict[type[SkubberError], str] = {
    UnauthorizedError: "AuthError",
    ForbiddenError: "LimitReached",
    InvalidRequestError: "InvalidRequest",
    UnavailableError: "Unavailable",
}


def refuse(peer: Peer, wire_format: PusherWireFormat, code: CloseCode, message: str) -> None:
    """Say why in a ``pusher:error``, then close with the code: clients show developers the first."""
    peer.write(wire_format.frame(pusher.error(code, message)))
    peer.close(code, message)
