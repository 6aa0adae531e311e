"""What nodes ask each other about a client's connection, and the answers.

Some clients send by requests of their own, and receive by one request after another. Any node may get one of these;
the node that has the connection is its owner, and is asked.
"""

from collections.abc import Awaitable
from enum import IntEnum

import msgspec

from skubber.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    SkubberError,
    TooLargeError,
    UnavailableError,
)


class Action(IntEnum):
    """What is asked of the owner."""

    FIND = 0
    """Nothing: only that there is one."""
    TAKE = 1
    """To hand the connection over, which no transport has been opened for."""
    POLL = 2
    """What the client is to be told."""
    ABANDON = 3
    """To hand nothing to a poll any more."""
    GIVE_BACK = 4
    """To take back what a poll was answered with: it did not reach the client."""
    POST = 5
    """To act on what the client sends."""
    DELETE = 6
    """To close the connection, as the client wants."""
    END = 7
    """To end it: the client is too slow."""


class Question(msgspec.Struct, array_like=True):
    """A question, a MessagePack array.

    Attributes:
        action: what is asked for.
        app_id: whose client asks, where connections belong to somebody.
        user_id: likewise.
        body: what the client has sent; what is given back.
        poll_id: tells the poll from others.
        seconds: how long it waits.
    """

    action: Action
    app_id: str = ""
    user_id: str | None = None
    body: bytes = b""
    poll_id: bytes = b""
    seconds: float = 0


class _Reply(msgspec.Struct, array_like=True):
    """An answer, or with a status the error that is one."""

    body: bytes | None
    status: int = 0
    code: str = ""
    message: str = ""


_ERRORS: dict[int, type[SkubberError]] = {
    error.status: error
    for error in (
        InvalidRequestError,
        ForbiddenError,
        NotFoundError,
        ConflictError,
        TooLargeError,
        UnavailableError,
    )
}

encode_question = msgspec.msgpack.Encoder().encode
decode_question = msgspec.msgpack.Decoder(Question).decode
_decode_reply = msgspec.msgpack.Decoder(_Reply).decode


async def encode_reply(answering: Awaitable[bytes | None]) -> bytes:
    """Wait for an answer, or for the error that becomes one."""
    try:
        reply = _Reply(await answering)
    except SkubberError as error:
        reply = _Reply(None, error.status, error.code, error.message)
    return msgspec.msgpack.encode(reply)


def decode_reply(payload: bytes) -> bytes | None:
    """The answer.

    Raises:
        SkubberError: what the owner raised.
    """
    reply = _decode_reply(payload)
    if reply.status:
        raise _ERRORS.get(reply.status, UnavailableError)(reply.code, reply.message)
    return reply.body
