"""SignalR's JSON encoding: each message is a JSON object ended by 0x1E.

Source: ASP.NET Core SignalR, HubProtocol.md, "JSON Encoding".
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from skubber.codecs.signalr import (
    KNOWN_TYPES,
    RECORD_SEPARATOR,
    HubMessage,
    HubProtocolError,
    MessageType,
    check_message,
)

_encode = msgspec.json.encode


class _AnyMessage(msgspec.Struct):
    type: int | None = None


_decode_message = msgspec.json.Decoder(HubMessage).decode
_decode_any = msgspec.json.Decoder(_AnyMessage).decode


def _decode(record: bytes) -> HubMessage | None:
    """Decode one message; None when its type is not known."""
    try:
        message = _decode_message(record)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        if _is_of_unknown_type(record):
            return None
        raise HubProtocolError(f"Cannot read the message: {error}.") from None
    if message.type not in KNOWN_TYPES:
        return None
    check_message(message)
    return message


def _is_of_unknown_type(record: bytes) -> bool:
    """A type from the future may give the members that we know another type: it is ignored all the same."""
    try:
        kind = _decode_any(record).type
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return kind is not None and kind not in KNOWN_TYPES


class JsonReader:
    """Reads JSON messages. Implements ``MessageReader``.

    Args:
        max_message_bytes: largest message.
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
        *records, self._rest = (self._rest + data if self._rest else data).split(RECORD_SEPARATOR)
        try:
            for record in records:
                self._check_size(record)
                message = _decode(record)
                if message is not None:
                    messages.append(message)
            self._check_size(self._rest)
        except HubProtocolError as error:
            self.error = error
            self._rest = b""
        return messages

    def _check_size(self, record: bytes) -> None:
        if len(record) > self._max_bytes:
            raise HubProtocolError(f"Messages have at most {self._max_bytes} bytes.")


class JsonHubProtocol:
    """Writes JSON messages. Implements ``HubProtocol``."""

    name = "json"
    is_binary = False
    ping = b'{"type":6}' + RECORD_SEPARATOR

    def reader(self, max_message_bytes: int) -> JsonReader:
        return JsonReader(max_message_bytes)

    def invocation(self, target: str, arguments: Sequence[object]) -> bytes:
        return _record({"type": MessageType.INVOCATION, "target": target, "arguments": arguments})

    def stream_item(self, invocation_id: str, item: object) -> bytes:
        return _record({"type": MessageType.STREAM_ITEM, "invocationId": invocation_id, "item": item})

    def completion(self, invocation_id: str, error: str | None = None, result: object = UNSET) -> bytes:
        message: dict[str, object] = {"type": MessageType.COMPLETION, "invocationId": invocation_id}
        if error is not None:
            message["error"] = error
        elif result is not UNSET:
            message["result"] = result
        return _record(message)

    def close(self, error: str | None, *, allow_reconnect: bool) -> bytes:
        message: dict[str, object] = {"type": MessageType.CLOSE}
        if error is not None:
            message["error"] = error
        if allow_reconnect:
            message["allowReconnect"] = True
        return _record(message)

    def ack(self, sequence_id: int) -> bytes:
        return _record({"type": MessageType.ACK, "sequenceId": sequence_id})

    def sequence(self, sequence_id: int) -> bytes:
        return _record({"type": MessageType.SEQUENCE, "sequenceId": sequence_id})


def _record(message: dict[str, object]) -> bytes:
    return _encode(message) + RECORD_SEPARATOR


JSON = JsonHubProtocol()
