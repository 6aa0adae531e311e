"""SignalR's MessagePack encoding: each message is an array behind its length.

Source: ASP.NET Core SignalR, HubProtocol.md, "MessagePack (MsgPack) encoding".
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from skubber.codecs.signalr import KNOWN_TYPES, HubMessage, HubProtocolError, MessageType, check_message

_encode = msgspec.msgpack.encode
_decode_json = msgspec.json.decode
_encode_json = msgspec.json.encode
_decode_array = msgspec.msgpack.Decoder(list[Any]).decode

_MAX_PREFIX = 5
_ERROR_RESULT, _VOID_RESULT, _VALUE_RESULT = 1, 2, 3

# Where each type keeps its members, position by position. None: not read.
_LAYOUTS: dict[int, tuple[str | None, ...]] = {
    MessageType.INVOCATION: (None, None, "invocationId", "target", "arguments", "streamIds"),
    MessageType.STREAM_ITEM: (None, None, "invocationId"),
    MessageType.COMPLETION: (None, None, "invocationId"),
    MessageType.STREAM_INVOCATION: (None, None, "invocationId", "target", "arguments", "streamIds"),
    MessageType.CANCEL_INVOCATION: (None, None, "invocationId"),
    MessageType.PING: (),
    MessageType.CLOSE: (None, "error"),
    MessageType.ACK: (None, "sequenceId"),
    MessageType.SEQUENCE: (None, "sequenceId"),
}


def _decode(payload: bytes) -> HubMessage | None:
    """Decode one message; None when its type is not known."""
    try:
        array = _decode_array(payload)
        kind = array[0]
        if type(kind) is int and kind not in KNOWN_TYPES:
            return None
        members = {name: value for name, value in zip(_LAYOUTS[kind], array, strict=False) if name is not None}
        arguments = members.get("arguments")
        if isinstance(arguments, list):
            members["arguments"] = [Raw(_encode_json(argument)) for argument in arguments]
        message = msgspec.convert({"type": kind, **members}, HubMessage)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, LookupError, TypeError, ValueError):
        raise HubProtocolError("Cannot read the message: it is not an array as the protocol describes.") from None
    check_message(message)
    return message


class MessagePackReader:
    """Reads MessagePack messages. Implements ``MessageReader``.

    Args:
        max_message_bytes: largest message, without its length prefix.
    """

    __slots__ = ("_max_bytes", "_rest", "error")

    def __init__(self, max_message_bytes: int) -> None:
        self._max_bytes = max_message_bytes
        self._rest = b""
        self.error: HubProtocolError | None = None

    def feed(self, data: bytes) -> list[HubMessage]:
        messages: list[HubMessage] = []
        if self.error is not None:
            return messages
        data = self._rest + data if self._rest else data
        position = 0
        try:
            while (bounds := self._bounds(data, position)) is not None:
                start, position = bounds
                message = _decode(data[start:position])
                if message is not None:
                    messages.append(message)
            self._rest = data[position:]
        except HubProtocolError as error:
            self.error = error
            self._rest = b""
        return messages

    def _bounds(self, data: bytes, position: int) -> tuple[int, int] | None:
        """Where the message at ``position`` starts and ends behind its length; None when it is not all there."""
        length = 0
        for index, byte in enumerate(data[position : position + _MAX_PREFIX]):
            length |= (byte & 0x7F) << (7 * index)
            if length > self._max_bytes:
                raise HubProtocolError(f"Messages have at most {self._max_bytes} bytes.")
            if byte < 0x80:
                start = position + index + 1
                return (start, start + length) if start + length <= len(data) else None
        if len(data) - position >= _MAX_PREFIX:
            raise HubProtocolError("A message's length takes at most five bytes.")
        return None


class MessagePackHubProtocol:
    """Writes MessagePack messages. Implements ``HubProtocol``."""

    name = "messagepack"
    is_binary = True
    ping = b"\x02\x91\x06"

    def reader(self, max_message_bytes: int) -> MessagePackReader:
        return MessagePackReader(max_message_bytes)

    def invocation(self, target: str, arguments: Sequence[object]) -> bytes:
        return _message([MessageType.INVOCATION, {}, None, target, _values(arguments), []])

    def stream_item(self, invocation_id: str, item: object) -> bytes:
        return _message([MessageType.STREAM_ITEM, {}, invocation_id, _values(item)])

    def completion(self, invocation_id: str, error: str | None = None, result: object = UNSET) -> bytes:
        if error is not None:
            outcome: list[object] = [_ERROR_RESULT, error]
        elif result is not UNSET:
            outcome = [_VALUE_RESULT, _values(result)]
        else:
            outcome = [_VOID_RESULT]
        return _message([MessageType.COMPLETION, {}, invocation_id, *outcome])

    def close(self, error: str | None, *, allow_reconnect: bool) -> bytes:
        return _message([MessageType.CLOSE, error, allow_reconnect])

    def ack(self, sequence_id: int) -> bytes:
        return _message([MessageType.ACK, sequence_id])

    def sequence(self, sequence_id: int) -> bytes:
        return _message([MessageType.SEQUENCE, sequence_id])


def _message(array: list[object]) -> bytes:
    payload = _encode(array)
    length, prefix = len(payload), bytearray()
    while length > 0x7F:
        prefix.append(0x80 | length & 0x7F)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + payload


def _values(value: object) -> object:
    """Replace JSON text by the value it stands for: what an API or a client let in was checked to have one."""
    if isinstance(value, Raw):
        return _decode_json(value)
    if isinstance(value, dict):
        return {name: _values(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_values(each) for each in value]
    return value


MESSAGE_PACK = MessagePackHubProtocol()
