"""Streams of Pusher clients whose connection another node has."""

from collections.abc import Callable

from skubber.codecs import sockjs
from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason, take_nothing
from skubber.core.errors import SkubberError
from skubber.core.post import NobodyListensError
from skubber.core.timer_wheel import TimerWheel
from skubber.sessions.elsewhere import ConnectionElsewhere
from skubber.sessions.pusher_http import HEARTBEAT_INTERVAL, RETURN_TIMEOUT, STREAM_BYTES
from skubber.sessions.questions import Action
from skubber.sessions.session import Peer


class RelayedStream:
    """Polls the owner, and sends on what it is answered. Implements ``Session`` towards the stream's transport.

    Args:
        connection: the connection.
        wheel: the timer wheel.
        ends_when_full: whether the client wants a stream to end that it will read no more of.
        stream: the transport.
    """

    __slots__ = (
        "_connection",
        "_ends_when_full",
        "_room",
        "_stream",
        "_wheel",
        "last_heard",
        "send_now",
        "timer_slot",
        "write",
    )

    def __init__(self, connection: ConnectionElsewhere, wheel: TimerWheel, ends_when_full: bool, stream: Peer) -> None:
        self._connection = connection
        self._wheel = wheel
        self._ends_when_full = ends_when_full
        self._stream = stream
        self._room = STREAM_BYTES + 1 - len(sockjs.PRELUDE)
        self.write: Callable[[bytes], None] = stream.write
        self.send_now: Callable[[bytes], int] = take_nothing
        self.last_heard = 0
        self.timer_slot = -1

    def opened(self) -> None:
        """Begin to send."""
        self._stream.write(sockjs.PRELUDE)
        self._connection.run(self._relay())

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Nothing comes in over a stream."""

    async def closed(self) -> None:
        """The stream is gone; the connection is not."""
        self._wheel.cancel(self)
        self._connection.abandon()

    def end(self, reason: EndReason) -> None:
        """End the stream; and the connection, if its client does not read what it is sent."""
        if reason is EndReason.TOO_SLOW:
            self._connection.run(self._connection.tell(Action.END))
        self._stream.close(0, "")

    def timer_due(self, now: int) -> int:
        """The client has read all it wants to, and has not gone."""
        self._stream.close(0, "")
        return 0

    async def _relay(self) -> None:
        while self._room > 0 and not self._connection.is_abandoned:
            try:
                frames = await self._connection.poll(HEARTBEAT_INTERVAL)
            except (NobodyListensError, SkubberError):
                frames = None
            if frames is None:
                self._stream.close(0, "")
                return
            await self._send(frames or sockjs.HEARTBEAT)
        if self._ends_when_full:
            self._stream.close(0, "")
        elif not self._connection.is_abandoned:
            self._wheel.schedule(self, RETURN_TIMEOUT)

    async def _send(self, frames: bytes) -> None:
        """Send as much as the client reads of one stream; see ``STREAM_BYTES``."""
        self._room -= len(frames)
        if self._room <= 0:
            end = frames.index(b"\n", len(frames) + self._room - 1) + 1
            frames, rest = frames[:end], frames[end:]
            if rest:
                # First: the client asks for its next stream as soon as it has this.
                await self._connection.give_back(rest)
        self._stream.write(frames)
