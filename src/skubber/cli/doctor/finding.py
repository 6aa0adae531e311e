"""What the doctor finds."""

from enum import StrEnum

import msgspec


class Status(StrEnum):
    """How it is with one thing."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that was looked at.

    Attributes:
        check: what was looked at.
        status: how it is.
        message: what was seen there, without secrets.
        advice: what to do about it, a sentence; empty when it is well.
    """

    check: str
    status: Status
    message: str
    advice: str = ""


def well(check: str, message: str) -> Finding:
    """Nothing needs to be done."""
    return Finding(check, Status.OK, message)


def warning(check: str, message: str, advice: str) -> Finding:
    """The server works, but may not go on so."""
    return Finding(check, Status.WARNING, message, advice)


def failure(check: str, message: str, advice: str) -> Finding:
    """The server does not work so."""
    return Finding(check, Status.FAILED, message, advice)
