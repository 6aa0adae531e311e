"""The server's side of a SignalR connection, one object per client, whichever its transport and encoding.

Source: ASP.NET Core SignalR, HubProtocol.md; the hub contract.
"""

import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from msgspec import UNSET, Raw

from skubber.codecs.access_token import Permission
from skubber.codecs.channel_auth import SignedInUser
from skubber.codecs.signalr import (
    HANDSHAKE_ACCEPTED,
    RECORD_SEPARATOR,
    HubMessage,
    HubProtocol,
    HubProtocolError,
    MessageReader,
    MessageType,
    decode_handshake,
    handshake_refused,
)
from skubber.codecs.signalr_events import SignalRWireFormat, signalr_wire_format, subscription_object, watchlist_object
from skubber.codecs.signalr_json import JSON
from skubber.codecs.signalr_messagepack import MESSAGE_PACK
from skubber.codecs.websocket_frames import Opcode
from skubber.core.channel_name import ChannelKind
from skubber.core.connection import EndReason, take_nothing
from skubber.core.errors import ForbiddenError, InvalidRequestError, SkubberError, UnavailableError
from skubber.core.hub import Admission, Hub
from skubber.core.presence import PresenceMember
from skubber.core.subscription import Subscription
from skubber.core.timer_wheel import TimerWheel
from skubber.sessions.client_session import SIGN_IN_TIMEOUT, ClientSession
from skubber.sessions.session import Peer
from skubber.sessions.signalr.event_stream import EventStream
from skubber.sessions.signalr.hub_methods import SIGN_IN, STREAM_EVENTS, SUBSCRIBE, TRIGGER, UNSUBSCRIBE
from skubber.sessions.signalr.principal import Principal
from skubber.sessions.signalr.replay import ReplayBuffer
from skubber.sessions.signalr.transports import Transport

MAX_HANDSHAKE_BYTES = 4096
MAX_PROTOCOL_VERSION = 2
"""Of both encodings; from version 2 on a client may resume."""
MAX_STREAMS = 100
"""Most streams open on one connection."""

_NORMAL_CLOSURE = 1000
_PROTOCOLS: dict[str, HubProtocol] = {protocol.name: protocol for protocol in (JSON, MESSAGE_PACK)}

_NOT_ADMITTED = {
    Admission.APP_FULL: "The app is over its connection quota.",
    Admission.SERVER_FULL: "The server is at capacity: please try again later.",
}

# What the client shows, and whether it should come back by itself.
_END = {
    EndReason.TERMINATED: ("The connection was terminated by the application.", False),
    EndReason.DRAINING: ("The server is restarting: please reconnect.", True),
    EndReason.TOO_SLOW: ("The client reads too slowly.", True),
    EndReason.KEY_REVOKED: ("The API key of this connection was revoked.", False),
    EndReason.APP_DISABLED: ("The app was disabled.", False),
    EndReason.APP_DELETED: ("The app was deleted.", False),
    EndReason.APP_FULL: (_NOT_ADMITTED[Admission.APP_FULL], False),
}


class _NoPeer:
    """Stands for the transport between two of them."""

    def write(self, frame: bytes) -> None:
        """Nobody is there."""

    def close(self, code: int, reason: str) -> None:
        """There is nothing to close."""


_NO_PEER: Peer = _NoPeer()


def _do_nothing() -> None:
    """Stands for ``on_end`` once it was called."""


@dataclass(frozen=True, slots=True)
class SignalRContext:
    """What all SignalR sessions of a process share.

    Attributes:
        hub: the hub.
        wheel: the timer wheel.
        now: seconds since the epoch.
        new_socket_id: makes a connection id, ``digits.digits`` as Pusher's socket ids, unguessable and unique.
        run: runs a coroutine that nobody waits for.
        keep_alive: seconds after which the server pings.
        client_timeout: seconds of silence after which a client counts as gone.
        handshake_timeout: seconds a client has for the first message.
        expiry_grace: seconds a connection outlives its access token.
        message_bytes: largest message a client may send.
        replay_bytes: most bytes kept for a client that may resume.
        resume_window: seconds a cut connection is kept for a client that may resume.
    """

    hub: Hub
    wheel: TimerWheel
    now: Callable[[], float]
    new_socket_id: Callable[[], str]
    run: Callable[[Coroutine[Any, Any, None]], object]
    keep_alive: int = 15
    client_timeout: int = 30
    handshake_timeout: int = 15
    expiry_grace: int = 0
    message_bytes: int = 32_768
    replay_bytes: int = 100_000
    resume_window: int = 30


class SignalRSession(ClientSession):
    """A SignalR connection. Implements ``Session`` and ``Connection``.

    Args:
        context: what sessions share.
        principal: who the client is.
        connection_id: its public id.
        transport: how it is connected.
        peer: its transport.
        by_name: whether events are calls of their own names.
        can_resume: whether stateful reconnect was asked for in negotiation.
        on_end: called once when the connection is over for good.
    """

    __slots__ = (
        "_by_name",
        "_can_resume",
        "_context",
        "_handshake",
        "_is_over",
        "_on_end",
        "_opened_at",
        "_peer",
        "_principal",
        "_reader",
        "_streams",
        "_transport",
        "_wire_format",
        "last_heard",
        "replay",
        "timer_slot",
    )

    def __init__(
        self,
        context: SignalRContext,
        principal: Principal,
        connection_id: str,
        transport: Transport,
        peer: Peer,
        *,
        by_name: bool,
        can_resume: bool,
        on_end: Callable[[], None],
    ) -> None:
        token = principal.token
        super().__init__(context.hub, context.now, token.app, token.key, connection_id, peer.write)
        self._context = context
        self._principal = principal
        self._transport = transport
        self._peer = peer
        self._by_name = by_name
        self._can_resume = can_resume
        self._on_end = on_end
        self._handshake: bytearray | None = bytearray()
        self._reader: MessageReader
        self._wire_format: SignalRWireFormat
        self._streams: dict[str, EventStream] | None = None
        self._is_over = False
        self.replay: ReplayBuffer | None = None
        self._opened_at = self.last_heard = context.wheel.now
        self.timer_slot = -1

    @property
    def wire_format(self) -> SignalRWireFormat:
        return self._wire_format

    @property
    def is_over(self) -> bool:
        """Whether the connection has been ended, from either side."""
        return self._is_over

    def opened(self) -> None:
        """Wait for the handshake."""
        self._context.wheel.schedule(self, self._context.handshake_timeout)

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Act on what the client sent: part of a message, one, or several."""
        if self._handshake is not None:
            rest = await self._receive_handshake(self._handshake, payload)
            if rest is None:
                return
            payload = rest
        for message in self._reader.feed(payload):
            if self._is_over:
                return
            await self._act(message)
        if self.replay is not None:
            self._acknowledge(self.replay)
        error = self._reader.error or (self.replay and self.replay.error)
        if error is not None:
            self._close(str(error), allow_reconnect=False)

    async def closed(self) -> None:
        """The transport is gone for good: leave every channel."""
        self._is_over = True
        self._context.wheel.cancel(self)
        on_end, self._on_end = self._on_end, _do_nothing  # the two would hold each other for the garbage collector
        on_end()
        await self.leave()

    def end(self, reason: EndReason) -> None:
        self._close(*_END[reason])

    def timer_due(self, now: int) -> int:
        """Look for what is due: the handshake, the token's end, the client's silence, a ping."""
        if self._is_over:
            return 0
        context = self._context
        if self._peer is _NO_PEER:
            context.run(self.closed())
            return 0
        if self._handshake is not None:
            self._refuse_handshake("The handshake did not come in time.")
            return 0
        if self._lifetime <= 0:
            self._close("The access token has expired: reconnect with a new one.", allow_reconnect=True)
            return 0
        if self.seconds_to_sign_in(now - self._opened_at) <= 0:
            self._close(f"A user must sign in within {SIGN_IN_TIMEOUT} seconds.", allow_reconnect=False)
            return 0
        delay = self._until_next_look
        if not self._transport.needs_pings:
            return delay
        silent = now - self.last_heard
        if silent >= context.client_timeout:
            self._close("The client was silent for too long.", allow_reconnect=True)
            return 0
        self._peer.write(self._frame(self._protocol.ping))
        return min(delay, context.client_timeout - silent)

    @property
    def kind(self) -> tuple[str, str]:
        """The protocol it speaks and the transport it came over."""
        return "signalr", self._transport.name.lower()

    @property
    def is_resumable(self) -> bool:
        """Whether another WebSocket may take over: nothing was lost that the client would miss."""
        return self.replay is not None and not self.replay.has_overrun and not self._is_over

    def is_attached_to(self, peer: Peer) -> bool:
        """Whether this is the transport in use."""
        return self._peer is peer

    def attach(self, peer: Peer) -> None:
        """Begin over a first transport, or go on over another: what the client may have missed is sent again.

        Source: ASP.NET Core SignalR, "Stateful reconnect"; HubProtocol.md, "Sequence".
        """
        if self.replay is None:
            self.opened()
            return
        before, self._peer = self._peer, peer
        before.close(_NORMAL_CLOSURE, "")
        self.replay.detach()
        self._reader = self._protocol.reader(self._context.message_bytes)
        self.last_heard = self._context.wheel.now
        peer.write(self._frame(self._protocol.sequence(self.replay.first_kept)))
        self.replay.attach(peer.write)
        self._context.wheel.schedule(self, self._until_next_look)

    async def detach(self) -> None:
        """The transport is gone: wait for another for a while, unless the connection is over."""
        if not self.is_resumable or self.replay is None:
            await self.closed()
            return
        self._peer = _NO_PEER
        self.replay.detach()
        self._context.wheel.schedule(self, self._context.resume_window)

    @property
    def _lifetime(self) -> float:
        """Seconds until the token and the grace after it have run out."""
        return self._principal.token.expires_at + self._context.expiry_grace - self._context.now()

    @property
    def _until_next_look(self) -> int:
        """Seconds until a ping is due, or whatever comes first: the token's end, the last moment to sign in."""
        to_sign_in = self.seconds_to_sign_in(self._context.wheel.now - self._opened_at)
        return int(min(self._context.keep_alive, math.ceil(self._lifetime), to_sign_in))

    @property
    def _protocol(self) -> HubProtocol:
        return self._wire_format.protocol

    @property
    def _frame(self) -> Callable[[bytes], bytes]:
        return self._wire_format.frame

    # -- handshake

    async def _receive_handshake(self, received: bytearray, payload: bytes) -> bytes | None:
        """Take the first message; returns what follows it, None as long as there is nothing to go on with."""
        received += payload
        record, separator, rest = bytes(received).partition(RECORD_SEPARATOR)
        if len(record) > MAX_HANDSHAKE_BYTES:
            self._refuse_handshake(f"The handshake has at most {MAX_HANDSHAKE_BYTES} bytes.")
            return None
        if not separator:
            return None
        try:
            self._agree(record)
        except HubProtocolError as error:
            self._refuse_handshake(str(error))
            return None
        return rest if await self._enter() else None

    def _agree(self, record: bytes) -> None:
        request = decode_handshake(record)
        protocol = _PROTOCOLS.get(request.protocol)
        if protocol is None:
            raise HubProtocolError(f"The protocol {request.protocol[:50]!r} is not supported: use json or messagepack.")
        if request.version > MAX_PROTOCOL_VERSION:  # lower ones than 1 are said by some clients, and mean 1
            raise HubProtocolError(f"The server does not support version {request.version} of the protocol.")
        frame = self._transport.frame_binary if protocol.is_binary else self._transport.frame_text
        if frame is None:
            raise HubProtocolError(f"{self._transport.label} carry text only: use the json protocol.")
        self._wire_format = signalr_wire_format(protocol, frame, by_name=self._by_name)
        self._reader = protocol.reader(self._context.message_bytes)
        self._handshake = None
        if self._can_resume and request.version == MAX_PROTOCOL_VERSION:
            self.replay = ReplayBuffer(self._peer.write, self._context.replay_bytes)

    async def _enter(self) -> bool:
        """Let the client in, unless the app or the server is full."""
        admission = self._hub.connect(self._app, self)
        if admission is not Admission.ADMITTED:
            self._refuse_handshake(_NOT_ADMITTED[admission])
            return False
        self._peer.write(self._frame(HANDSHAKE_ACCEPTED))
        if self.replay is not None:
            self.write = self.replay.write
            self.send_now = take_nothing
        self._context.wheel.schedule(self, self._until_next_look)
        user_id = self._principal.user_id
        if user_id is None:
            return True
        if self._principal.is_proven:
            return await self._sign_in_proven(user_id)
        self._hub.claim_user(self._app, self, user_id)
        self._claimed_user_id = user_id
        return True

    async def _sign_in_proven(self, user_id: str) -> bool:
        """Sign in the token's user; when that cannot be done now, the client is to come back."""
        try:
            signed_in = await self.sign_in_as(SignedInUser(user_id))
        except UnavailableError as error:
            self._close(error.message, allow_reconnect=True)
            return False
        signed_in.catch_up()
        return True

    def _refuse_handshake(self, error: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._peer.write(self._transport.frame_text(handshake_refused(error)))
        self._peer.close(_NORMAL_CLOSURE, "")

    # -- messages

    async def _act(self, message: HubMessage) -> None:
        if self.replay is not None and not self.replay.accept(message):
            return
        match message.type:
            case MessageType.INVOCATION:
                await self._invoke(message)
            case MessageType.STREAM_INVOCATION:
                await self._open_stream(message)
            case MessageType.CANCEL_INVOCATION:
                await self._cancel_stream(message.invocation_id or "")
            case MessageType.CLOSE:
                self._is_over = True
                self._peer.close(_NORMAL_CLOSURE, "")

    def _acknowledge(self, replay: ReplayBuffer) -> None:
        """Tell the client which of its messages need not be sent again."""
        sequence_id = replay.take_unacknowledged()
        if sequence_id and not self._is_over:
            self._peer.write(self._frame(self._protocol.ack(sequence_id)))

    async def _invoke(self, message: HubMessage) -> None:
        method = self._METHODS.get((message.target or "").lower())
        try:
            if message.stream_ids:
                raise InvalidRequestError("client_stream", "No method takes streams from the client.")
            if method is None:
                raise InvalidRequestError(
                    "unknown_method",
                    f"There is no method {(message.target or '')[:100]!r}: "
                    "call Subscribe, Unsubscribe, Trigger or SignIn.",
                )
            result = await method(self, message.arguments or ())
        except SkubberError as error:
            self._report(message.invocation_id, error)
            return
        if message.invocation_id is not None:
            self._send(self._protocol.completion(message.invocation_id, result=result))

    def _report(self, invocation_id: str | None, error: SkubberError) -> None:
        """Tell of a failure: as the invocation's completion, or where none is wanted as a call of ``Error``."""
        if invocation_id is not None:
            self._send(self._protocol.completion(invocation_id, f"{error.message} ({error.code})"))
        else:
            self._call("Error", {"code": error.code, "error": error.message})

    def _call(self, target: str, argument: object) -> None:
        self._send(self._protocol.invocation(target, [argument]))

    def _send(self, message: bytes) -> None:
        self.write(self._frame(message))

    def _close(self, error: str, allow_reconnect: bool) -> None:
        """End the connection with a reason for the client to show."""
        if self._is_over:
            return
        if self._handshake is not None:
            self._refuse_handshake(error)
            return
        self._is_over = True
        if self._peer is _NO_PEER:
            self._context.run(self.closed())
            return
        self._peer.write(self._frame(self._protocol.close(error, allow_reconnect=allow_reconnect)))
        self._peer.close(_NORMAL_CLOSURE, "")

    # -- the hub's methods

    async def _subscribe(self, arguments: Sequence[Raw]) -> object:
        channel, auth, channel_data = SUBSCRIBE.bind(arguments)
        try:
            self._require(Permission.SUBSCRIBE)
            subscription, members = await self.subscribe(channel, auth, channel_data)
        except SkubberError as error:
            failure = {"channel": channel, "code": error.code, "error": error.message, "status": error.status}
            self._call("SubscriptionError", failure)
            raise
        result = subscription_object(channel, members, subscription.member)
        self._call("SubscriptionSucceeded", result)
        self._catch_up(subscription)
        return result

    def _catch_up(self, subscription: Subscription) -> None:
        if subscription.is_cache_miss:
            self._call("CacheMiss", {"channel": subscription.channel.name})
        subscription.catch_up()

    async def _unsubscribe(self, arguments: Sequence[Raw]) -> object:
        (channel,) = UNSUBSCRIBE.bind(arguments)
        for invocation_id, stream in tuple((self._streams or {}).items()):
            if stream.channel == channel:
                await self._cancel_stream(invocation_id)
        await self.unsubscribe(channel)
        return UNSET

    async def _trigger(self, arguments: Sequence[Raw]) -> object:
        channel, event, data = TRIGGER.bind(arguments)
        self._require(Permission.TRIGGER)
        await self.trigger(channel, event, bytes(data))
        return UNSET

    async def _sign_in(self, arguments: Sequence[Raw]) -> object:
        auth, user_data = SIGN_IN.bind(arguments)
        signed_in = await self.sign_in(auth, user_data)
        if signed_in.is_watchlist_cut:
            limit = self._app.limits.watchlist_users
            self._call("Error", {"code": "watchlist_too_long", "error": f"Only the first {limit} users are watched."})
        if signed_in.online:
            self._call("WatchlistEvents", watchlist_object("online", signed_in.online))
        signed_in.catch_up()
        return {"userId": signed_in.user_id}

    _METHODS: ClassVar[dict[str, Callable[["SignalRSession", Sequence[Raw]], Awaitable[object]]]] = {
        SUBSCRIBE.name.lower(): _subscribe,
        UNSUBSCRIBE.name.lower(): _unsubscribe,
        TRIGGER.name.lower(): _trigger,
        SIGN_IN.name.lower(): _sign_in,
    }

    def _require(self, permission: Permission) -> None:
        if permission not in self._principal.token.grants.permissions:
            raise ForbiddenError("not_permitted", f"The access token does not hold the permission {permission}.")

    def _authorize(
        self, channel: str, kind: ChannelKind, auth: str | None, channel_data: str | None
    ) -> PresenceMember | None:
        """A signature decides if there is one; else the token's grants do."""
        grants = self._principal.token.grants
        if auth is not None or not any(fnmatchcase(channel, grant) for grant in grants.channels):
            return super()._authorize(channel, kind, auth, channel_data)
        if not kind.is_presence:
            return None
        if grants.user_id is None:
            raise ForbiddenError(
                "user_required", "A grant for a presence channel needs a token that was issued to a userId."
            )
        return PresenceMember(grants.user_id, grants.user_info)

    # -- streams

    async def _open_stream(self, message: HubMessage) -> None:
        invocation_id = message.invocation_id or ""
        if self._streams is None:
            self._streams = {}
        try:
            if (message.target or "").lower() != STREAM_EVENTS.name.lower():
                raise InvalidRequestError(
                    "unknown_stream", f"There is no stream {(message.target or '')[:100]!r}: call StreamEvents."
                )
            if message.stream_ids:
                raise InvalidRequestError("client_stream", "No method takes streams from the client.")
            if invocation_id in self._streams or len(self._streams) >= MAX_STREAMS:
                raise InvalidRequestError("too_many_streams", f"Open at most {MAX_STREAMS} streams, each with its id.")
            channel, auth, channel_data = STREAM_EVENTS.bind(message.arguments or ())
            self._require(Permission.SUBSCRIBE)
            stream = EventStream(self, self._wire_format, invocation_id, channel)
            subscription, _ = await self.subscribe(channel, auth, channel_data, stream)
        except SkubberError as error:
            self._report(invocation_id, error)
            return
        self._streams[invocation_id] = stream
        self._catch_up(subscription)

    async def _cancel_stream(self, invocation_id: str) -> None:
        stream = (self._streams or {}).pop(invocation_id, None)
        if stream is None:
            return
        with suppress(UnavailableError):  # the connection is off the channel nonetheless
            await self.unsubscribe(stream.channel)
        self._send(self._protocol.completion(invocation_id))
