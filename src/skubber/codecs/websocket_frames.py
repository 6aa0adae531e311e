"""Writing WebSocket frames. Source: RFC 6455 section 5."""

from enum import IntEnum

MAX_CONTROL_PAYLOAD = 125


class Opcode(IntEnum):
    """Frame types (RFC 6455 section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class WebSocketError(Exception):
    """The peer broke the protocol.

    Attributes:
        code: the close code to answer with: 1002, 1007 or 1009.
        reason: what was wrong, for the close frame.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


def is_valid_close_code(code: int) -> bool:
    """Whether a close frame may carry this code (RFC 6455 section 7.4 and the IANA registry)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def apply_mask(payload: bytes, mask: bytes) -> bytes:
    """Mask or unmask a payload with a four-byte key (RFC 6455 section 5.3)."""
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(payload, "little") ^ key).to_bytes(size, "little")


def encode_frame(opcode: Opcode, payload: bytes, *, fin: bool = True, mask: bytes | None = None) -> bytes:
    """Encode one frame.

    Args:
        opcode: its type.
        payload: its payload; control frames take at most 125 bytes.
        fin: whether it ends its message.
        mask: four random bytes on frames of a client, None on frames of a server.
    """
    first = (0x80 if fin else 0) | opcode
    size = len(payload)
    masked = 0 if mask is None else 0x80
    if size < 126:
        header = bytes((first, masked | size))
    elif size < 65536:
        header = bytes((first, masked | 126)) + size.to_bytes(2)
    else:
        header = bytes((first, masked | 127)) + size.to_bytes(8)
    return header + payload if mask is None else header + mask + apply_mask(payload, mask)


def encode_text(payload: bytes) -> bytes:
    """Encode a whole text message of a server; ``payload`` is UTF-8."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 65536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8), payload)


def encode_binary(payload: bytes) -> bytes:
    """Encode a whole binary message of a server."""
    return encode_frame(Opcode.BINARY, payload)


def encode_close(code: int | None, reason: str = "") -> bytes:
    """Encode a close frame; without a code it is empty, and a long reason is cut to what a control frame holds."""
    if code is None:
        return encode_frame(Opcode.CLOSE, b"")
    text = reason.encode()[: MAX_CONTROL_PAYLOAD - 2].decode("utf-8", "ignore").encode()
    return encode_frame(Opcode.CLOSE, code.to_bytes(2) + text)


def count_frames(data: bytes) -> int:
    """Count the whole frames of a server in ``data``, where they stand one behind the other."""
    count = position = 0
    end = len(data)
    while position + 2 <= end:
        size, header = data[position + 1], 2
        if size == 126:
            size, header = int.from_bytes(data[position + 2 : position + 4]), 4
        elif size == 127:
            size, header = int.from_bytes(data[position + 2 : position + 10]), 10
        position += header + size
        if position <= end:
            count += 1
    return count
