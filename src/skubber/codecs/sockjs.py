"""SockJS frames, which Pusher's HTTP transports are made of: messages to and from lines of text.

Sources: SockJS 0.3 protocol, "Framing and messages"; pusher-js (src/core/http/http_socket).
"""

import json
from collections.abc import Sequence

import msgspec

from skubber.core.errors import InvalidRequestError

OPEN = b"o\n"
HEARTBEAT = b"h\n"
PRELUDE = b"h" * 2048 + b"\n"
"""What a stream begins with, for browsers and proxies that hold back the first bytes until there are enough of them."""

_decode_messages = msgspec.json.Decoder(list[str]).decode
_decode_path = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_string = msgspec.json.Decoder(str).decode


def encode_message(message: bytes) -> bytes:
    """Encode one message (UTF-8) as a frame.

    A frame is pure ASCII: its bytes are as many as the characters that the client counts, and there is none that some
    browser does not carry.
    """
    return b"a[%b]\n" % json.dumps(message.decode()).encode()


def encode_close(code: int, reason: str) -> bytes:
    """Encode the last frame of a connection."""
    return b"c%b\n" % json.dumps([code, reason], separators=(",", ":")).encode()


def decode_messages(body: bytes) -> Sequence[bytes]:
    """Decode what a client posts.

    Returns:
        Its messages, UTF-8; none for a heartbeat.

    Raises:
        InvalidRequestError: ``invalid_messages``.
    """
    try:
        return [message.encode() for message in _decode_messages(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError("invalid_messages", f'Post a JSON array of strings, like ["..."]: {error}.') from None


def decode_path(message: bytes) -> str:
    """Decode the first message of pusher-js's ``sockjs`` transport: the path that other transports connect to.

    Raises:
        InvalidRequestError: ``invalid_path``.
    """
    try:
        return _decode_string(_decode_path(message)["path"])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError):
        raise InvalidRequestError("invalid_path", 'Begin with {"path": "/app/{key}?protocol=7"}.') from None
