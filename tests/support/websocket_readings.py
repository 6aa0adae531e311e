"""Two other WebSocket implementations, made to answer as our reader does."""

import codecs
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from websockets.frames import Frame
from websockets.protocol import CLIENT, OPEN, SERVER, Protocol
from wsproto.frame_protocol import FrameProtocol, ParseFailed

from skubber.codecs.websocket_frames import Opcode
from skubber.codecs.websocket_reader import FrameReader

Messages = list[tuple[Opcode, bytes]]


@dataclass(eq=False)
class Reading(ABC):
    """What an implementation made of some bytes.

    Attributes:
        messages: whole messages and control frames, in order, up to the close frame or the error.
        error: the close code of the error, if it found one.
    """

    messages: Messages = field(default_factory=list)
    error: int | None = None

    @abstractmethod
    def feed(self, data: bytes) -> None:
        """Read more of what the peer has sent."""

    @property
    def outcome(self) -> tuple[Messages, int | None]:
        """Everything there is to compare."""
        return self.messages, self.error

    def is_over(self) -> bool:
        """Whether nothing further counts."""
        return self.error is not None or bool(self.messages and self.messages[-1][0] is Opcode.CLOSE)


class OurReading(Reading):
    """``FrameReader``'s."""

    def __init__(self, max_message_bytes: int = 1 << 24, *, of_server: bool = False) -> None:
        super().__init__()
        self._reader = FrameReader(max_message_bytes, require_mask=not of_server)

    def feed(self, data: bytes) -> None:
        self.messages += self._reader.feed(data)
        while self._reader.is_behind:
            self.messages += self._reader.feed()
        if self._reader.error is not None:
            self.error = self._reader.error.code


class WebsocketsReading(Reading):
    """That of the ``websockets`` library. It leaves UTF-8 to the caller, so it is checked here, frame by frame."""

    def __init__(self, max_message_bytes: int | None = None, *, of_server: bool = False) -> None:
        super().__init__()
        self._protocol = Protocol(CLIENT if of_server else SERVER, state=OPEN, max_size=max_message_bytes)
        self._assembly = _Assembly(self)

    def feed(self, data: bytes) -> None:
        if self.is_over():
            return
        self._protocol.receive_data(data)
        for frame in self._protocol.events_received():
            assert isinstance(frame, Frame)
            self._assembly.add(Opcode(frame.opcode), bytes(frame.data), is_last=frame.fin)
            if self.is_over():
                return
        if self._protocol.parser_exc is not None:
            assert self._protocol.close_sent is not None
            self.error = self._protocol.close_sent.code


class WsprotoReading(Reading):
    """That of the ``wsproto`` library, which knows no largest message."""

    def __init__(self, *, of_server: bool = False) -> None:
        super().__init__()
        self._protocol = FrameProtocol(client=of_server, extensions=[])
        self._message = bytearray()

    def feed(self, data: bytes) -> None:
        if self.is_over():
            return
        self._protocol.receive_bytes(data)
        try:
            for frame in self._protocol.received_frames():
                self._take(Opcode(frame.opcode), frame.payload, frame.message_finished)
        except ParseFailed as failure:
            self.error = int(failure.code)

    def _take(self, opcode: Opcode, payload: bytes | str | tuple[int, str], is_last: bool) -> None:
        if isinstance(payload, tuple):
            code, reason = payload
            self.messages.append((opcode, b"" if code == 1005 else int(code).to_bytes(2) + reason.encode()))
            return
        if opcode >= Opcode.CLOSE:
            assert isinstance(payload, bytes)
            self.messages.append((opcode, payload))
            return
        self._message += payload.encode() if isinstance(payload, str) else payload
        if is_last:
            self.messages.append((opcode, bytes(self._message)))
            self._message.clear()


class _Assembly:
    """Puts frames together to messages."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._opcode = Opcode.TEXT
        self._message = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def add(self, opcode: Opcode, payload: bytes, *, is_last: bool) -> None:
        if opcode >= Opcode.CLOSE:
            self._reading.messages.append((opcode, payload))
            return
        if opcode is not Opcode.CONTINUATION:
            self._opcode = opcode
            self._message.clear()
            self._decoder.reset()
        self._message += payload
        if self._opcode is Opcode.TEXT:
            try:
                self._decoder.decode(payload, is_last)
            except UnicodeDecodeError:
                self._reading.error = 1007
                return
        if is_last:
            self._reading.messages.append((self._opcode, bytes(self._message)))
