"""Reading a client's WebSocket frames. Source: RFC 6455 sections 5, 7 and 8."""

import codecs

from skubber.codecs.websocket_frames import (
    MAX_CONTROL_PAYLOAD,
    Opcode,
    WebSocketError,
    apply_mask,
    is_valid_close_code,
)

PROTOCOL_ERROR = 1002
INVALID_PAYLOAD = 1007
TOO_BIG = 1009

FRAMES_AT_A_TIME = 64
"""Most frames one call of ``feed`` reads. An empty one has six bytes: one read of a socket may hold 40,000."""

# Looking a member up in its enumeration is slow before Python 3.12.
_TEXT, _CLOSE = Opcode.TEXT, Opcode.CLOSE
_OPCODES = {opcode.value: opcode for opcode in Opcode}
_new_utf8_decoder = codecs.getincrementaldecoder("utf-8")

_Messages = list[tuple[Opcode, bytes]]


class FrameReader:
    """Turns the bytes of a connection into messages; there is no I/O in it.

    An idle reader holds nothing but its settings: tens of thousands of them exist at once.

    Args:
        max_message_bytes: largest message; a larger one is an error 1009 as soon as a header announces it.
        require_mask: whether frames must be masked, as a client's must.

    Attributes:
        error: how the peer broke the protocol, once it has. Everything after that is ignored.
        is_behind: whether there is more to read in what came in; ``feed`` reads it.
    """

    __slots__ = (
        "_buffer",
        "_decoder",
        "_fragments",
        "_is_over",
        "_max_bytes",
        "_opcode",
        "_require_mask",
        "error",
        "is_behind",
    )

    def __init__(self, max_message_bytes: int, *, require_mask: bool = True) -> None:
        self._max_bytes = max_message_bytes
        self._require_mask = require_mask
        self._buffer: bytearray | None = None
        self._opcode: Opcode | None = None
        self._fragments: bytearray | None = None
        self._decoder: codecs.IncrementalDecoder | None = None
        self._is_over = False
        self.error: WebSocketError | None = None
        self.is_behind = False

    def feed(self, data: bytes = b"") -> _Messages:
        """Take bytes as they came off the socket and read ``FRAMES_AT_A_TIME`` frames at most; see ``is_behind``.

        Returns:
            The messages they complete, in order: whole text and binary messages, and control frames. Text is checked
            to be UTF-8, close payloads to be valid. Never raises; see ``error``.
        """
        messages: _Messages = []
        if self._is_over:
            return messages
        if self._buffer is not None:
            self._buffer += data
            data = self._buffer  # type: ignore[assignment]
        try:
            read = self._read_frames(data, messages)
        except WebSocketError as error:
            self.error = error
            self._end()
            return messages
        if messages and messages[-1][0] is _CLOSE:
            self._end()
        elif read == len(data):
            self._buffer = None
        elif self._buffer is None:
            self._buffer = bytearray(data[read:])
        else:
            del self._buffer[:read]
        return messages

    def hold(self, data: bytes) -> None:
        """Take bytes and leave them for the next ``feed``."""
        if self._is_over:
            return
        if self._buffer is None:
            self._buffer = bytearray()
        self._buffer += data
        self.is_behind = True

    def _end(self) -> None:
        self._is_over = True
        self.is_behind = False
        self._buffer = self._fragments = self._decoder = None

    def _read_frames(self, data: bytes, messages: _Messages) -> int:
        """Read the complete frames; returns how many bytes they took."""
        position, size = 0, len(data)
        self.is_behind = False
        for _ in range(FRAMES_AT_A_TIME):
            if size - position < 2 or self._is_over:
                break
            first, second = data[position], data[position + 1]
            length, start = second & 0x7F, position + 2
            if length > 125:
                start += 2 if length == 126 else 8
                length = _extended_length(data[position + 2 : start], start - position - 2)
            # A frame that is a whole message, and not too long, needs no further look at its header.
            if (
                first not in _WHOLE_MESSAGES
                or self._opcode is not None
                or length > self._max_bytes
                or (second < 0x80 and self._require_mask)
            ):
                self._check_header(first, second)
                if size >= start:
                    self._check_length(first & 0x0F, length)
            if size < start:
                break
            end = start + length + (4 if second & 0x80 else 0)
            if size < end:
                break
            payload = bytes(data[start:end])
            if second & 0x80:
                payload = apply_mask(payload[4:], payload[:4])
            self._take_frame(first, payload, messages)
            position = end
        else:
            self.is_behind = position < size
        return position

    def _check_header(self, first: int, second: int) -> None:
        opcode = _OPCODES.get(first & 0x0F)
        if first & 0x70:
            raise WebSocketError(PROTOCOL_ERROR, "Reserved bits are set, yet no extension was agreed on")
        if opcode is None:
            raise WebSocketError(PROTOCOL_ERROR, "Unknown opcode")
        if self._require_mask and not second & 0x80:
            raise WebSocketError(PROTOCOL_ERROR, "Frames of a client must be masked")
        if opcode >= Opcode.CLOSE:
            if not first & 0x80:
                raise WebSocketError(PROTOCOL_ERROR, "Control frames must not be fragmented")
            if second & 0x7F > MAX_CONTROL_PAYLOAD:
                raise WebSocketError(PROTOCOL_ERROR, "Control frames hold at most 125 bytes")
        elif (opcode is Opcode.CONTINUATION) == (self._opcode is None):
            raise WebSocketError(PROTOCOL_ERROR, "Fragments of a message must follow its start, and nothing else")

    def _check_length(self, opcode: int, length: int) -> None:
        if length >> 63:
            raise WebSocketError(PROTOCOL_ERROR, "Frame lengths have at most 63 bits")
        have = len(self._fragments) if self._fragments is not None and opcode == Opcode.CONTINUATION else 0
        if have + length > self._max_bytes and opcode < Opcode.CLOSE:
            raise WebSocketError(TOO_BIG, f"Messages have at most {self._max_bytes} bytes")

    def _take_frame(self, first: int, payload: bytes, messages: _Messages) -> None:
        if first == _WHOLE_TEXT:
            _check_utf8(payload)
            messages.append((_TEXT, payload))
            return
        opcode = _OPCODES[first & 0x0F]
        if opcode >= Opcode.CLOSE:
            self._take_control(opcode, payload, messages)
        elif first == _WHOLE_BINARY:
            messages.append((opcode, payload))
        else:
            self._take_fragment(opcode, payload, first >= 0x80, messages)

    def _take_control(self, opcode: Opcode, payload: bytes, messages: _Messages) -> None:
        if opcode is Opcode.CLOSE:
            code, _ = close_code_and_reason(payload)
            if len(payload) == 1 or (code is not None and not is_valid_close_code(code)):
                raise WebSocketError(PROTOCOL_ERROR, "Invalid close code")
            _check_utf8(payload[2:])
            self._is_over = True
        messages.append((opcode, payload))

    def _take_fragment(self, opcode: Opcode, payload: bytes, is_last: bool, messages: _Messages) -> None:
        if opcode is not Opcode.CONTINUATION:
            self._opcode = opcode
            self._fragments = bytearray()
            self._decoder = _new_utf8_decoder() if opcode is Opcode.TEXT else None
        fragments = self._fragments
        if fragments is None or self._opcode is None:  # the header was checked: this cannot be
            raise WebSocketError(PROTOCOL_ERROR, "Fragments of a message must follow its start")
        fragments += payload
        if self._decoder is not None:
            try:
                self._decoder.decode(payload, is_last)
            except UnicodeDecodeError:
                raise WebSocketError(INVALID_PAYLOAD, "Text messages must be UTF-8") from None
        if is_last:
            messages.append((self._opcode, bytes(fragments)))
            self._opcode = self._fragments = self._decoder = None


_WHOLE_TEXT = 0x80 | Opcode.TEXT
_WHOLE_BINARY = 0x80 | Opcode.BINARY
_WHOLE_MESSAGES = frozenset((_WHOLE_TEXT, _WHOLE_BINARY))


def close_code_and_reason(payload: bytes) -> tuple[int | None, str]:
    """Read the payload of a close frame; the code is None when there is none."""
    if len(payload) < 2:
        return None, ""
    return int.from_bytes(payload[:2]), payload[2:].decode("utf-8", "replace")


def _extended_length(field: bytes, width: int) -> int:
    """The length in a field of ``width`` bytes, 0 until all of it is there."""
    if len(field) < width:
        return 0
    length = int.from_bytes(field)
    if length < (126 if width == 2 else 65536):
        raise WebSocketError(PROTOCOL_ERROR, "Frame lengths must be in their shortest form")
    return length


def _check_utf8(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise WebSocketError(INVALID_PAYLOAD, "Text messages must be UTF-8") from None
