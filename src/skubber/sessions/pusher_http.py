"""Pusher clients over HTTP, for networks that let no WebSocket through.

A client posts what it sends, and receives by polls or by one stream after another. Its session lives on between them.

Sources: pusher-js, src/core/http; SockJS 0.3 protocol, "Session URLs", "xhr-polling", "xhr-streaming".
"""

import re
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from skubber.codecs import sockjs
from skubber.codecs.pusher import PusherWireFormat
from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason, take_nothing
from skubber.core.errors import NotFoundError, TooLargeError
from skubber.core.timer_wheel import TimerWheel
from skubber.sessions.elsewhere import OtherNodes
from skubber.sessions.long_poll import LongPoll
from skubber.sessions.serialized import SerializedSession
from skubber.sessions.session import NO_SESSION, Entry, OpenSession, Peer, Session, UpgradeRequest
from skubber.sessions.sockjs_lobby import SockJSLobby

SOCKJS_FORMAT = PusherWireFormat(sockjs.encode_message)
"""The one format of all clients over HTTP."""

HTTP_PATH = "/pusher"

HEARTBEAT_INTERVAL = 25
"""Seconds after which a stream that has nothing to say, or a poll, says so: proxies cut what is silent."""

RETURN_TIMEOUT = 5
"""Seconds a client may stay away between two polls or streams."""

LAST_WORDS_TIMEOUT = 5
"""Seconds the last frames of a connection that is over wait to be fetched."""

STREAM_BYTES = 262_144
"""Most that pusher-js reads of one stream: when it has read more, to the end of a frame, it asks for another.

It gives up the stream before without looking what else comes on it, so nothing else may be sent on that.
"""

_SESSION_PATH = re.compile(HTTP_PATH + r"/((?:(app/[^/]+)/)?[0-9]{1,3}/[A-Za-z0-9_-]{1,64})/[a-z_]+")


@dataclass(frozen=True, slots=True)
class SessionAddress:
    """Where a session is found: the client makes its address up, and thereby its id.

    Attributes:
        name: the address in full. Nodes ask each other for it.
        app_path: the path that leads to the app over a WebSocket; None where the client sends it as a message, as
            pusher-js's ``sockjs`` transport does.
    """

    name: str
    app_path: str | None

    @classmethod
    def of(cls, path: str) -> "SessionAddress":
        """Read it from the path of a request, percent-decoded.

        Raises:
            NotFoundError: ``not_found``.
        """
        match = _SESSION_PATH.fullmatch(path)
        if match is None:
            raise NotFoundError("not_found", "Sessions are at /pusher/app/{key}/{0-999}/{session}.")
        name, app = match.groups()
        return cls(name, None if app is None else f"/{app}")


@dataclass(frozen=True, slots=True)
class PusherHttpContext:
    """What all Pusher clients over HTTP share.

    Attributes:
        entry: the door of the protocol, for clients in ``SOCKJS_FORMAT``.
        wheel: the timer wheel.
        run: runs a coroutine that nobody waits for.
        unread_bytes: most bytes that may wait for a client; more, and it is ended.
        count_slow_client: called when one is.
        message_bytes: largest message a client may send.
        others: the other nodes.
    """

    entry: Entry
    wheel: TimerWheel
    run: Callable[[Coroutine[Any, Any, None]], object]
    unread_bytes: int
    count_slow_client: Callable[[], None]
    message_bytes: int
    others: OtherNodes


class PusherHttpConnection(LongPoll):
    """One client. Its frames leave over its stream if it has one, and wait for it otherwise. Implements ``Peer``.

    Args:
        context: what clients share.
        request: the request that opened it.
        forget: called once when there is nothing more to be had from it.

    Raises:
        NotFoundError: ``not_found``: there are no sessions at the request's path.
    """

    __slots__ = ("_ends_streams", "_forget", "_message_bytes", "_room", "_stream")

    def __init__(
        self, context: PusherHttpContext, request: UpgradeRequest, forget: Callable[["PusherHttpConnection"], None]
    ) -> None:
        super().__init__(context.wheel, context.run, context.unread_bytes, context.count_slow_client, RETURN_TIMEOUT)
        address = SessionAddress.of(request.path)
        self._forget = forget
        self._message_bytes = context.message_bytes
        self._stream: Peer | None = None
        self._room = 0
        # The end of a stream is a failure to pusher-js's own transports, and what the SockJS library waits for.
        self._ends_streams = address.app_path is None
        self.session = SerializedSession(self._open_session(context, request, address), context.run)

    def _open_session(self, context: PusherHttpContext, request: UpgradeRequest, address: SessionAddress) -> Session:
        if address.app_path is None:
            return SockJSLobby(context.entry, context.wheel, self, SOCKJS_FORMAT, is_tls=request.is_tls)
        return context.entry(UpgradeRequest(address.app_path, request.query, request.headers, request.is_tls))(self)

    def open(self) -> None:
        """Begin the conversation."""
        self.write(sockjs.OPEN)
        self.session.opened()
        if not self._is_closed:
            self.expect()

    def write(self, frame: bytes) -> None:
        """Send frames over the stream, or keep them for the next one or for a poll."""
        stream = self._stream
        if stream is None or self._room <= 0:
            super().write(frame)
            return
        self._room -= len(frame)
        if self._room > 0:
            stream.write(frame)
        else:
            self._fill(stream, frame)

    def close(self, code: int, reason: str) -> None:
        """Tell the client; what waits can still be fetched."""
        if self._is_closed:
            return
        self.write(sockjs.encode_close(code, reason))
        super().close(code, reason)
        if self._stream is not None and not self._messages:
            self._stream.close(code, reason)
        else:
            self._wheel.schedule(self, LAST_WORDS_TIMEOUT)

    async def post(self, body: bytes) -> None:
        """Act on a body that the client has posted.

        Raises:
            InvalidRequestError: ``invalid_messages``.
            TooLargeError: ``message_too_large``.
            NotFoundError: ``no_such_connection``: it has ended meanwhile.
        """
        messages = sockjs.decode_messages(body)
        if any(len(message) > self._message_bytes for message in messages):
            raise TooLargeError("message_too_large", f"Messages have at most {self._message_bytes} bytes.")
        await self.receive(messages)

    async def receive(self, messages: Sequence[bytes]) -> None:
        """Act on what the client has posted.

        Raises:
            NotFoundError: ``no_such_connection``: it has ended meanwhile.
        """
        self._heard()
        for message in messages:
            await self.session.receive(Opcode.TEXT, message)

    async def poll(self, seconds: float) -> bytes | None:
        """See ``LongPoll.poll``; a stream that is open ends."""
        self._heard()
        self._change_stream(None)
        messages = await super().poll(seconds)
        if self._is_closed and messages is not None:
            self.forget()
        elif self._is_closed:
            self._wheel.schedule(self, LAST_WORDS_TIMEOUT)
        return messages

    def attach(self, stream: Peer) -> None:
        """Send what waits over a stream, and what comes. The stream or the poll before it ends."""
        self._heard()
        self._take_turn()
        self._change_stream(stream)
        stream.write(sockjs.PRELUDE)
        self._room = STREAM_BYTES + 1 - len(sockjs.PRELUDE)
        waiting = self._take()
        if self._is_closed:
            stream.write(waiting)
            stream.close(0, "")
            return
        self._wheel.schedule(self, HEARTBEAT_INTERVAL)
        if waiting:
            self.write(waiting)

    def detach(self, stream: Peer) -> None:
        """A stream is over: wait for the client to come back, unless it has another by now."""
        if stream is not self._stream:
            return
        self._stream = None
        if not self._is_closed:
            self.expect()
        elif not self._messages:
            self.forget()

    def timer_due(self, now: int) -> int:
        """The client has stayed away, or has to be told that the stream is alive."""
        if self._is_closed:
            self.forget()
            return 0
        if self._stream is None:
            super().close(0, "")
            self.forget()
            return 0
        if self._room > 0:
            self.write(sockjs.HEARTBEAT)
        return RETURN_TIMEOUT if self._stream is None else HEARTBEAT_INTERVAL

    def forget(self) -> None:
        """There is nothing more to be had from it."""
        self._wheel.cancel(self)
        self._change_stream(None)
        self._forget(self)
        self.session = NO_SESSION

    def _heard(self) -> None:
        self.session.last_heard = self._wheel.now

    def _fill(self, stream: Peer, frames: bytes) -> None:
        """Send so many frames that the client has enough of the stream; the others have to wait for the next."""
        end = frames.index(b"\n", len(frames) + self._room - 1) + 1
        self._room = 0
        stream.write(frames[:end])
        if end < len(frames):
            super().write(frames[end:])
        if self._ends_streams:
            stream.close(0, "")

    def _change_stream(self, stream: Peer | None) -> None:
        before, self._stream = self._stream, stream
        if before is not None:
            before.close(0, "")


class StreamAttachment:
    """Ties a connection to one of its streams. Implements ``Session`` towards the stream's transport.

    Args:
        connection: the connection.
        stream: the transport.
    """

    __slots__ = ("_connection", "_stream", "last_heard", "send_now", "timer_slot", "write")

    def __init__(self, connection: PusherHttpConnection, stream: Peer) -> None:
        self._connection = connection
        self._stream = stream
        self.write: Callable[[bytes], None] = stream.write
        self.send_now: Callable[[bytes], int] = take_nothing
        self.last_heard = 0
        self.timer_slot = -1

    def opened(self) -> None:
        """Begin to send."""
        self._connection.attach(self._stream)

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Nothing comes in over a stream."""

    async def closed(self) -> None:
        """The stream is gone; the connection is not."""
        self._connection.detach(self._stream)

    def end(self, reason: EndReason) -> None:
        """End the connection."""
        self._connection.session.end(reason)

    def timer_due(self, now: int) -> int:
        """Nothing is scheduled."""
        return 0


class PusherHttpConnections:
    """All Pusher clients of this node that are connected over HTTP.

    Args:
        context: what they share.
    """

    def __init__(self, context: PusherHttpContext) -> None:
        self.others = context.others
        self.wheel = context.wheel
        self._context = context
        self._by_name: dict[str, PusherHttpConnection] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, path: str) -> bool:
        return SessionAddress.of(path).name in self._by_name

    def find(self, path: str) -> PusherHttpConnection:
        """The connection at a path.

        Raises:
            NotFoundError: ``no_such_connection``, or ``not_found``: no connection can be there.
        """
        connection = self._by_name.get(SessionAddress.of(path).name)
        if connection is None:
            raise no_such_connection()
        return connection

    def find_or_open(self, request: UpgradeRequest) -> PusherHttpConnection:
        """The connection that a client wants to receive on.

        Raises:
            NotFoundError: ``not_found``: no connection can be at the request's path.
        """
        name = SessionAddress.of(request.path).name
        connection = self._by_name.get(name)
        if connection is None:
            connection = PusherHttpConnection(self._context, request, partial(self._forget, name))
            self._by_name[name] = connection
            connection.open()
        return connection

    def open_stream(self, request: UpgradeRequest) -> OpenSession:
        """The door of streams.

        Raises:
            NotFoundError: ``not_found``: no connection can be at the request's path.
        """
        return partial(StreamAttachment, self.find_or_open(request))

    def drain(self) -> None:
        """The server is stopping: send every client to reconnect."""
        for connection in tuple(self._by_name.values()):
            connection.session.end(EndReason.DRAINING)
        self.others.drain()

    def _forget(self, name: str, connection: PusherHttpConnection) -> None:
        if self._by_name.get(name) is connection:
            del self._by_name[name]
            self.others.post.stop(post_address(name))


def post_address(name: str) -> str:
    """Where the owner of the session of that name listens."""
    return f"pusher:{name}"


def no_such_connection() -> NotFoundError:
    """What answers who sends to a connection that no node has."""
    return NotFoundError("no_such_connection", "There is no connection at this address: open a new one.")
