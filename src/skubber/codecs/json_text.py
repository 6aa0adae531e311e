"""JSON that comes from a client and goes out to others as it is."""

from typing import Any

import msgspec

MAX_DEPTH = 50
"""How deep arrays and objects may be nested. Clients on .NET read 64 levels, some of which are the message's own."""

_FORBIDDEN_NAME = "__proto__"
"""JavaScript's MessagePack decoder gives up on an object with such a member."""


def is_portable_json(text: bytes) -> bool:
    """Whether every client could read a JSON text, in each encoding it may be sent on in.

    It must be valid to the last escape, hold no number outside 64 bits, no nesting deeper than ``MAX_DEPTH`` and no
    member ``__proto__``. What is passed on unread would otherwise break its readers instead of its sender.
    """
    try:
        value = msgspec.json.decode(text)
        msgspec.msgpack.encode(value)
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError):
        return False
    return _is_readable(value, MAX_DEPTH)


def _is_readable(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        if _FORBIDDEN_NAME in value:
            return False
        value = value.values()
    elif not isinstance(value, list):
        return True
    return levels > 0 and all(_is_readable(each, levels - 1) for each in value)
