"""What is in the data of a message: which one it is, and when it was due.

The data is a string of ASCII characters that JSON has nothing to escape in: in whatever protocol a message arrives, it
is there as it was sent.
"""

from typing import NamedTuple

_DIGITS = {"lane": 4, "number": 10, "due": 20}
_LENGTH = sum(_DIGITS.values()) + len(_DIGITS)

SMALLEST = 64
"""Bytes that data needs at least: the stamp and the name of the run."""


class Stamp(NamedTuple):
    """One message.

    Attributes:
        lane: which of the channel's publishers sent it.
        number: the how manieth of that publisher's on that channel it is, from 0.
        due: when it should have been sent, nanoseconds of the machine's monotonic clock.
    """

    lane: int
    number: int
    due: int


def marker(run: str) -> bytes:
    """What stands before each stamp of a run."""
    return f"bench-{run}:".encode()


def data_of(run: str, stamp: Stamp, size: int) -> str:
    """The data of a message, of so many bytes (``SMALLEST`` at least)."""
    text = f"bench-{run}:{stamp.lane:04}:{stamp.number:010}:{stamp.due:020}:"
    return text.ljust(size, "x")


def stamps_in(message: bytes, mark: bytes) -> list[Stamp]:
    """The stamps in what a client has received, in order. A stamp that is cut or spoilt is left out: it is lost."""
    found = []
    position = message.find(mark)
    while position >= 0:
        start = position + len(mark)
        parts = message[start : start + _LENGTH].split(b":")
        if len(parts) == len(_DIGITS) + 1 and all(part.isdigit() for part in parts[:-1]):
            found.append(Stamp(*map(int, parts[:-1])))
        position = message.find(mark, start)
    return found
