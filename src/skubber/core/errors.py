"""Everything that can be wrong with a request, as one tree with stable codes.

A code never changes its meaning once released; the message is a sentence for a person and may be reworded.
"""

from typing import ClassVar


class SkubberError(Exception):
    """Base of every error that a caller may be told about.

    Attributes:
        code: stable machine-readable name, ``snake_case``.
        message: one sentence that says what to do.
        status: the HTTP status that answers it (Pusher's, where Pusher documents one).
    """

    status: ClassVar[int] = 400
    code: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidRequestError(SkubberError):
    """The request cannot be understood or breaks a rule: 400."""

    status = 400


class UnauthorizedError(SkubberError):
    """Credentials are missing, unknown or do not match: 401."""

    status = 401


class ForbiddenError(SkubberError):
    """The credentials are good, yet this app or user may not do it: 403."""

    status = 403


class NotFoundError(SkubberError):
    """No such app, path or connection: 404."""

    status = 404


class MethodNotAllowedError(SkubberError):
    """The path exists and does not take this method: 405.

    Attributes:
        allowed: the methods it does take, as for an ``Allow`` header.
    """

    status = 405

    def __init__(self, allowed: str) -> None:
        super().__init__("method_not_allowed", f"This path takes {allowed} only.")
        self.allowed = allowed


class TooLargeError(SkubberError):
    """A body or a field is over its size limit: 413."""

    status = 413


class RateLimitedError(SkubberError):
    """Too much in too short a time: 429.

    Attributes:
        retry_after: seconds after which to try again, as for a ``Retry-After`` header.
    """

    status = 429

    def __init__(self, code: str, message: str, retry_after: int) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class UnavailableError(SkubberError):
    """This node cannot reach what it shares with the others; the same request may succeed later: 503.

    Attributes:
        retry_after: seconds after which to try again, as for a ``Retry-After`` header.
    """

    status = 503
    retry_after: ClassVar[int] = 2


class ConflictError(SkubberError):
    """The request does not fit the state that things are in: 409."""

    status = 409
