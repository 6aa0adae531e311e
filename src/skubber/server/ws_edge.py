"""The WebSocket edge: one small object between a socket and a session.

It costs one ``__slots__`` object per connection: no task, no queue and no timer.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import Any

import structlog

from skubber.codecs.websocket_frames import Opcode, WebSocketError, encode_close, encode_frame
from skubber.codecs.websocket_reader import FrameReader, close_code_and_reason
from skubber.core.connection import EndReason
from skubber.core.timer_wheel import TimerWheel
from skubber.server.cut import cut
from skubber.server.direct import DirectWriting, discard
from skubber.server.eager import Suspended, run_detached, run_eagerly
from skubber.sessions.session import OpenSession

CLOSE_TIMEOUT = 5
"""Seconds a client has to answer a close frame before its connection is cut."""

_INTERNAL_ERROR = 1011

_log = structlog.stdlib.get_logger("skubber.websocket")


@dataclass(slots=True)
class EdgeContext:
    """What all WebSocket connections of a process share.

    Attributes:
        wheel: the timer wheel.
        connections: the server's open connections, shut down when it stops.
        message_bytes: largest inbound message.
        write_buffer_bytes: most bytes a client may leave unread.
        slow_clients: how many clients were closed for leaving more than that.
    """

    wheel: TimerWheel
    connections: set[Any]
    message_bytes: int
    write_buffer_bytes: int
    slow_clients: int = field(default=0)

    def count_slow_client(self) -> None:
        """Note that a client is closed for leaving too much unread."""
        self.slow_clients += 1


class _State(Enum):
    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


# Looking a member up in its enumeration is slow before Python 3.12, and this happens for every message.
_OPEN = _State.OPEN
_CLOSE = Opcode.CLOSE

_Message = tuple[Opcode, bytes]


class WebSocketEdge(DirectWriting):
    """The server's end of one WebSocket. Implements ``Peer`` and uvicorn's connection interface.

    Args:
        context: what connections share.
        transport: the connection, after the opening handshake.
        open_session: makes the session.
    """

    __slots__ = (
        "_context",
        "_is_paused",
        "_reader",
        "_state",
        "_waiting",
        "timer_slot",
    )

    def __init__(
        self,
        context: EdgeContext,
        transport: asyncio.Transport,
        open_session: OpenSession,
    ) -> None:
        super().__init__(transport)
        self._context = context
        self._reader = FrameReader(context.message_bytes)
        self._is_paused = False
        self._waiting: asyncio.Task[None] | None = None
        self._state = _State.OPEN
        self.timer_slot = -1
        transport.set_write_buffer_limits(context.write_buffer_bytes)
        context.connections.add(self)
        self._session = open_session(self)
        try:
            self._session.opened()
        except Exception:
            _log.exception("session failed")
            self.close(_INTERNAL_ERROR, "Internal error")

    def data_received(self, data: bytes) -> None:
        """Handle what the client sent, a bounded number of frames at a time: a flood delays nobody else."""
        self._session.last_heard = self._context.wheel.now
        if self._is_paused:
            self._reader.hold(data)
        else:
            self._handle(self._reader.feed(data))

    def eof_received(self) -> None:
        """The client sends no more: the transport closes itself once it has sent what is left, if the client reads."""
        self._context.wheel.schedule(self, CLOSE_TIMEOUT)

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is gone, closed properly or not."""
        self._detach()
        self._state = _State.CLOSED
        self._context.wheel.cancel(self)
        self._context.connections.discard(self)

    def pause_writing(self) -> None:
        """The client has left more unread than it may: end the connection.

        Not at once: the transport calls this from within ``write``, in the middle of a fan-out.
        """
        asyncio.get_running_loop().call_soon(self._end_slow_client)

    def resume_writing(self) -> None:
        """Nothing waits for this: a paused connection is already closing."""

    def close(self, code: int, reason: str) -> None:
        """Start the closing handshake (RFC 6455 section 7)."""
        if self._state is not _OPEN:
            return
        self._state = _State.CLOSING
        self.write(encode_close(code, reason))
        self._detach()
        self._context.wheel.schedule(self, CLOSE_TIMEOUT)

    def shutdown(self) -> None:
        """The server is stopping; called by uvicorn."""
        if self._state is _OPEN:
            self._session.end(EndReason.DRAINING)

    def timer_due(self, now: int) -> int:
        """The client has not answered the close frame, or does not read what is left to send."""
        cut(self._transport)
        return 0

    def _handle(self, messages: Iterable[_Message]) -> None:
        """Handle messages in order. When one has to wait, the others wait behind it."""
        pending = iter(messages)
        for opcode, payload in pending:
            if self._state is not _OPEN and opcode is not _CLOSE:
                continue
            if opcode >= _CLOSE:
                self._handle_control(opcode, payload)
                continue
            suspended = self._receive(opcode, payload)
            if suspended is not None:
                self._await(suspended, pending)
                return
        if self._reader.is_behind:
            self._pause()
            asyncio.get_running_loop().call_soon(self._read_on)
        elif self._is_paused:
            self._resume_reading()
        if self._reader.error is not None:
            self._reader_failed(self._reader.error)

    def _read_on(self) -> None:
        """Read and handle more of what the client has sent, now that others have had their turn."""
        self._handle(self._reader.feed())

    def _receive(self, opcode: Opcode, payload: bytes) -> Suspended[None] | None:
        try:
            return run_eagerly(self._session.receive(opcode, payload))
        except Exception:
            _log.exception("session failed")
            self.close(_INTERNAL_ERROR, "Internal error")
            return None

    def _handle_control(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.PING:
            self.write(encode_frame(Opcode.PONG, payload))
        elif opcode is Opcode.CLOSE:
            self._close_received(payload)

    def _close_received(self, payload: bytes) -> None:
        if self._state is _State.CLOSED:
            return
        if self._state is _OPEN:
            code, _ = close_code_and_reason(payload)
            self.write(encode_close(code))
            self._detach()
        self._state = _State.CLOSED
        self._context.wheel.schedule(self, CLOSE_TIMEOUT)
        self._transport.close()

    def _reader_failed(self, error: WebSocketError) -> None:
        if self._state is not _OPEN:
            return
        self.close(error.code, error.reason)
        # The broken stream holds no close frame to wait for. Ending our half of the connection lets the client read
        # the code and hang up; closing all of it could take the code away from under its eyes.
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _await(self, suspended: Suspended[None], pending: Iterator[_Message]) -> None:
        """Let the session wait for the broker; what the client sends meanwhile queues up behind, in order."""
        self._pause()
        self._waiting = suspended.as_task()
        self._waiting.add_done_callback(partial(self._waited, pending))

    def _waited(self, pending: Iterator[_Message], task: asyncio.Task[None]) -> None:
        self._waiting = None
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("session failed", exc_info=error)
            self.close(_INTERNAL_ERROR, "Internal error")
        self._handle(pending)

    def _pause(self) -> None:
        self._is_paused = True
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        self._is_paused = False
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def _end_slow_client(self) -> None:
        if self._state is _OPEN:
            self._context.count_slow_client()
            self._session.end(EndReason.TOO_SLOW)

    def _detach(self) -> None:
        """Take the session off the connection: it may write no more and leaves its channels."""
        if self.write is discard:
            return
        self._stop_writing()
        if self._waiting is None:
            run_detached(self._session.closed())
        else:
            self._waiting.add_done_callback(lambda _: run_detached(self._session.closed()))
