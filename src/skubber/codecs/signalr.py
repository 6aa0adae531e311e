"""SignalR hub protocol: the messages, whichever way they are encoded.

Source: ASP.NET Core SignalR, HubProtocol.md.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

import msgspec
from msgspec import UNSET, Raw, UnsetType

RECORD_SEPARATOR = b"\x1e"
MAX_INVOCATION_ID_LENGTH = 128

HANDSHAKE_ACCEPTED = b"{}" + RECORD_SEPARATOR


class MessageType(IntEnum):
    """Message types (HubProtocol.md, "Message types")."""

    INVOCATION = 1
    STREAM_ITEM = 2
    COMPLETION = 3
    STREAM_INVOCATION = 4
    CANCEL_INVOCATION = 5
    PING = 6
    CLOSE = 7
    ACK = 8
    SEQUENCE = 9


KNOWN_TYPES = frozenset(MessageType)
SEQUENCED_TYPES = frozenset(MessageType(number) for number in range(1, 6))
"""The messages that stateful reconnect counts, keeps and sends again."""


class HubProtocolError(Exception):
    """The client broke the protocol: the connection cannot go on. The message is fit for the Close message."""


class HubMessage(msgspec.Struct, rename="camel"):
    """What a client sends; which members mean something depends on ``type``.

    Attributes:
        type: one of ``MessageType``.
        invocation_id: 1 to 128 characters; None on invocations that want no answer.
        target: the method to call, in any case.
        arguments: its arguments, each as JSON text.
        stream_ids: ids of streams that the client would send as further arguments.
        sequence_id: of Ack and Sequence.
        error: of Completion and Close.
        result: of Completion.
    """

    type: int
    invocation_id: str | None = None
    target: str | None = None
    arguments: list[Raw] | None = None
    stream_ids: list[str] | None = None
    sequence_id: int | None = None
    error: str | None = None
    result: Raw | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.invocation_id == "":  # some clients write no id so, and ASP.NET reads it so
            self.invocation_id = None


class MessageReader(Protocol):
    """Turns what a client sends after the handshake into messages, however it is split or packed.

    Attributes:
        error: how the client broke the protocol, once it has. Everything after that is ignored.
    """

    error: HubProtocolError | None

    def feed(self, data: bytes) -> list[HubMessage]:
        """The messages that ``data`` completes, in order; never raises. Messages of unknown type are left out."""
        ...


class HubProtocol(Protocol):
    """One encoding of hub messages. There is one instance of each for the whole process.

    Attributes:
        name: as the handshake names it.
        is_binary: whether messages are bytes rather than text.
        ping: the Ping message.
    """

    name: str
    is_binary: bool
    ping: bytes

    def __hash__(self) -> int: ...

    def reader(self, max_message_bytes: int) -> MessageReader:
        """A new reader, for messages of at most so many bytes."""
        ...

    def invocation(self, target: str, arguments: Sequence[object]) -> bytes:
        """Encode a call that wants no answer; ``Raw`` in the arguments is JSON text."""
        ...

    def stream_item(self, invocation_id: str, item: object) -> bytes:
        """Encode one item of a stream; ``Raw`` in it is JSON text."""
        ...

    def completion(self, invocation_id: str, error: str | None = None, result: object = UNSET) -> bytes:
        """Encode the end of an invocation: with an error, with a result, or with neither."""
        ...

    def close(self, error: str | None, *, allow_reconnect: bool) -> bytes:
        """Encode Close; ``error`` is what the client shows."""
        ...

    def ack(self, sequence_id: int) -> bytes:
        """Encode Ack: every counted message up to ``sequence_id`` has arrived."""
        ...

    def sequence(self, sequence_id: int) -> bytes:
        """Encode Sequence: the next counted message has the number ``sequence_id``."""
        ...


class HandshakeRequest(msgspec.Struct):
    """The client's first message: which protocol it wants to speak."""

    protocol: str
    version: int


_decode_handshake = msgspec.json.Decoder(HandshakeRequest).decode


def decode_handshake(record: bytes) -> HandshakeRequest:
    """Decode the first message, without its record separator.

    Raises:
        HubProtocolError: it is no handshake request.
    """
    try:
        return _decode_handshake(record)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise HubProtocolError('The first message must be like {"protocol": "json", "version": 1}.') from None


def handshake_refused(error: str) -> bytes:
    """The answer to a handshake that cannot be accepted."""
    return msgspec.json.encode({"error": error}) + RECORD_SEPARATOR


def check_message(message: HubMessage) -> None:
    """Check what the type asks for beyond the types of the members.

    Raises:
        HubProtocolError: a member is missing, too long, or excludes another.
    """
    if message.invocation_id is not None and len(message.invocation_id) > MAX_INVOCATION_ID_LENGTH:
        raise HubProtocolError(f"Invocation ids have at most {MAX_INVOCATION_ID_LENGTH} characters.")
    match message.type:
        case MessageType.INVOCATION:
            required: tuple[object, ...] = (message.target, message.arguments)
        case MessageType.STREAM_INVOCATION:
            required = (message.invocation_id, message.target, message.arguments)
        case MessageType.STREAM_ITEM | MessageType.COMPLETION | MessageType.CANCEL_INVOCATION:
            required = (message.invocation_id,)
        case MessageType.ACK | MessageType.SEQUENCE:
            required = (message.sequence_id,)
        case _:
            required = ()
    if None in required:
        raise HubProtocolError(f"A message of type {message.type} lacks a member it must have.")
    if message.error is not None and message.result is not UNSET:
        raise HubProtocolError("A completion has either a result or an error.")
