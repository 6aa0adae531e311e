"""The streaming edge: one small object between a socket that only sends and a session.

As with WebSockets, events leave already framed and shared by all subscribers: there is no task and no queue for a
client. The response has no length and ends with the connection.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from skubber.core.connection import EndReason
from skubber.server.cut import cut
from skubber.server.direct import DirectWriting, discard
from skubber.server.eager import run_detached
from skubber.server.ws_edge import CLOSE_TIMEOUT, EdgeContext
from skubber.sessions.session import Door, OpenSession

_HEAD = (
    b"HTTP/1.1 200 OK\r\n%bcontent-type: %b\r\ncache-control: no-cache, no-store\r\n"
    b"x-accel-buffering: no\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class StreamRoute:
    """A kind of request that is answered with a stream.

    Attributes:
        entry: the door of those who ask for one.
        method: their method.
        content_type: of the stream.
        is_asked_for: whether a request of that method wants the stream, and not another answer; takes its target as
            sent and its headers.
        first_bytes: what every stream begins with.
    """

    entry: Door
    method: bytes
    content_type: bytes
    is_asked_for: Callable[[bytes, Sequence[tuple[bytes, bytes]]], bool]
    first_bytes: bytes = b""


def event_stream_route(entry: Door) -> StreamRoute:
    """Server-Sent Events (HTML Living Standard): asked for with GET and an ``Accept`` header.

    They begin with a comment: clients and proxies that wait for the body's first bytes get them at once.
    """
    return StreamRoute(entry, b"GET", b"text/event-stream", _accepts_events, b":\r\n\r\n")


def xhr_stream_route(entry: Door) -> StreamRoute:
    """SockJS's ``xhr_streaming``: asked for with POST, by the path."""
    return StreamRoute(entry, b"POST", b"application/javascript; charset=UTF-8", _is_xhr_streaming)


def _accepts_events(_: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name == b"accept" and b"text/event-stream" in value for name, value in headers)


def _is_xhr_streaming(target: bytes, _: Sequence[tuple[bytes, bytes]]) -> bool:
    return target.partition(b"?")[0].endswith(b"/xhr_streaming")


class StreamEdge(DirectWriting):
    """The server's end of one stream. Implements ``Peer`` and uvicorn's connection interface.

    Args:
        context: what connections share.
        transport: the connection, after the request.
        route: what kind of stream it is.
        open_session: makes the session.
        headers: header lines of the response, besides those that every stream has.
    """

    __slots__ = ("_context", "timer_slot")

    def __init__(
        self,
        context: EdgeContext,
        transport: asyncio.Transport,
        route: StreamRoute,
        open_session: OpenSession,
        headers: bytes,
    ) -> None:
        super().__init__(transport)
        self._context = context
        self.timer_slot = -1
        transport.set_write_buffer_limits(context.write_buffer_bytes)
        context.connections.add(self)
        transport.write(_HEAD % (headers, route.content_type) + route.first_bytes)
        self._session = open_session(self)
        self._session.opened()

    def data_received(self, data: bytes) -> None:
        """The client has nothing to say on this connection any more."""

    def eof_received(self) -> None:
        """The client has hung up: the transport closes itself once it has sent what is left, if the client reads."""
        self._context.wheel.schedule(self, CLOSE_TIMEOUT)

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is gone."""
        self._detach()
        self._context.wheel.cancel(self)
        self._context.connections.discard(self)
        self._forget_session()

    def pause_writing(self) -> None:
        """The client has left more unread than it may; not at once, see ``WebSocketEdge.pause_writing``."""
        asyncio.get_running_loop().call_soon(self._end_slow_client)

    def resume_writing(self) -> None:
        """Nothing waits for this: a paused connection is already closing."""

    def close(self, code: int, reason: str) -> None:
        """End the stream; what was written before still goes out, if the client takes it soon."""
        self._detach()
        self._transport.close()
        self._context.wheel.schedule(self, CLOSE_TIMEOUT)

    def shutdown(self) -> None:
        """The server is stopping; called by uvicorn."""
        self._session.end(EndReason.DRAINING)

    def timer_due(self, now: int) -> int:
        """The client does not take what is left for it."""
        cut(self._transport)
        return 0

    def _end_slow_client(self) -> None:
        if self.write is not discard:
            self._context.count_slow_client()
            self._session.end(EndReason.TOO_SLOW)

    def _detach(self) -> None:
        """Take the session off the connection: it may write no more and leaves its channels."""
        if self.write is discard:
            return
        self._stop_writing()
        run_detached(self._session.closed())
