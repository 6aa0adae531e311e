"""A session that does as the test says."""

import asyncio
from collections.abc import Awaitable, Callable

from skubber.codecs.websocket_frames import Opcode, encode_text
from skubber.core.connection import EndReason, take_nothing
from skubber.sessions.session import Peer, UpgradeRequest


class RecordingSession:
    """Writes down what comes in. Implements ``Session``.

    Attributes:
        request: the request it was opened with.
        received: the payloads of its messages, in order.
        on_message: what it does with a message.
        on_close: what it does when it has to leave.
        is_closed: set when it was told to leave.
    """

    def __init__(self, request: UpgradeRequest, peer: Peer) -> None:
        self.request = request
        self.peer = peer
        self.write: Callable[[bytes], None] = peer.write
        self.send_now: Callable[[bytes], int] = take_nothing
        self.last_heard = -1
        self.timer_slot = -1
        self.received: list[bytes] = []
        self.ends: list[EndReason] = []
        self.closings = 0
        self.is_closed = asyncio.Event()
        self.on_message: Callable[[bytes], Awaitable[None]] = _do_nothing
        self.on_close: Callable[[], None] = lambda: None
        self._arrival = asyncio.Event()

    def opened(self) -> None:
        self.send(b"opened")

    def send(self, text: bytes) -> None:
        """Send a text message."""
        self.write(encode_text(text))

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        self.received.append(payload)
        self._arrival.set()
        await self.on_message(payload)

    async def closed(self) -> None:
        self.closings += 1
        self.is_closed.set()
        self.on_close()

    def end(self, reason: EndReason) -> None:
        self.ends.append(reason)
        self.peer.close(4000 + len(self.ends), reason.name)

    def timer_due(self, now: int) -> int:
        return 0

    async def has_received(self, count: int) -> list[bytes]:
        """Wait until so many messages have come; returns them all."""
        async with asyncio.timeout(10):
            while len(self.received) < count:
                self._arrival.clear()
                await self._arrival.wait()
        return self.received


async def _do_nothing(_: bytes) -> None:
    pass
