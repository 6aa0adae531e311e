"""Stateful reconnect: what has been sent and not acknowledged, kept to be sent again after a cut.

Source: ASP.NET Core SignalR, HubProtocol.md, "Ack" and "Sequence"; the shipped client's MessageBuffer.

Both sides count their messages of types 1 to 5 from 1, each in its direction. Only over WebSockets, where each of our
messages is one frame.
"""

from collections import deque
from collections.abc import Callable

from skubber.codecs.signalr import SEQUENCED_TYPES, HubMessage, HubProtocolError, MessageType
from skubber.codecs.websocket_frames import count_frames

Write = Callable[[bytes], None]


def _discard(frames: bytes) -> None:
    """Stands for the transport while there is none."""


class ReplayBuffer:
    """Both directions' counts, and the frames the client may ask for again.

    Args:
        write: the transport's.
        max_bytes: most bytes kept. A client that falls further behind cannot resume.
    """

    __slots__ = (
        "_acknowledged",
        "_bytes",
        "_kept",
        "_latest_received",
        "_max_bytes",
        "_next_received",
        "_sent",
        "_waits_for_sequence",
        "_write",
        "error",
        "first_kept",
        "has_overrun",
    )

    def __init__(self, write: Write, max_bytes: int) -> None:
        self._write = write
        self._max_bytes = max_bytes
        self._kept: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._sent = 0
        self._next_received = 1
        self._latest_received = 0
        self._acknowledged = 0
        self._waits_for_sequence = False
        self.error: HubProtocolError | None = None
        """How the client broke the protocol, once it has. Everything after that is ignored."""
        self.first_kept = 1
        """Number of the first message that can be sent again."""
        self.has_overrun = False
        """Whether messages were dropped that the client has not acknowledged: it cannot resume."""

    def write(self, frames: bytes) -> None:
        """Send frames, and keep them until they are acknowledged."""
        self._sent += count_frames(frames)
        self._bytes += len(frames)
        self._kept.append((self._sent, frames))
        while self._bytes > self._max_bytes:
            self._drop_first()
            self.has_overrun = True
        self._write(frames)

    def detach(self) -> None:
        """The transport is cut: only keep, for now."""
        self._write = _discard
        self._waits_for_sequence = True

    def attach(self, write: Write) -> None:
        """Send everything kept over a new transport, and from now on what comes."""
        if self._kept:
            write(b"".join(frames for _, frames in self._kept))
        self._write = write

    def accept(self, message: HubMessage) -> bool:
        """Whether a message is to be acted on, rather than one that was seen before the cut.

        Acks and sequences are taken here; nothing else need be done about them.
        """
        if self.error is not None:
            return False
        if message.type == MessageType.SEQUENCE:
            self._resume_at(message.sequence_id or 0)
            return False
        if self._waits_for_sequence:
            return False
        if message.type == MessageType.ACK:
            self._acknowledge(message.sequence_id or 0)
            return False
        if message.type not in SEQUENCED_TYPES:
            return True
        number = self._next_received
        self._next_received += 1
        if number < self._latest_received:
            return False
        is_new = number > self._latest_received
        self._latest_received = number
        # A client that sends the latest again has not had the ack for it, and may wait for it to send more.
        self._acknowledged = min(self._acknowledged, number - 1)
        return is_new

    def take_unacknowledged(self) -> int:
        """The number of the latest message received, if it has not been acknowledged yet; else 0."""
        if self._acknowledged == self._latest_received:
            return 0
        self._acknowledged = self._latest_received
        return self._acknowledged

    def _resume_at(self, number: int) -> None:
        if number > self._latest_received + 1:
            self.error = HubProtocolError("The Sequence message skips messages that have not been received.")
            return
        self._next_received = number
        self._waits_for_sequence = False

    def _acknowledge(self, number: int) -> None:
        while self._kept and self._kept[0][0] <= number:
            self._drop_first()
        if number >= self.first_kept - 1:
            self.has_overrun = False

    def _drop_first(self) -> None:
        last, frames = self._kept.popleft()
        self._bytes -= len(frames)
        self.first_kept = last + 1
