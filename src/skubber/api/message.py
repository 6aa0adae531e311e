"""A request to the API and the answer to it, as plain values."""

from urllib.parse import parse_qsl

import msgspec

from skubber.core.errors import (
    InvalidRequestError,
    MethodNotAllowedError,
    RateLimitedError,
    SkubberError,
    UnavailableError,
)


class ApiRequest(msgspec.Struct, frozen=True):
    """One HTTP request.

    Attributes:
        method: upper case.
        path: as sent, percent-encoding and all, without the query: signatures cover it in this form.
        query: as sent, without the question mark.
        headers: names in lower case.
        body: the whole body.
    """

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def parameters(self) -> list[tuple[str, str]]:
        """The query's parameters in order, decoded.

        Raises:
            InvalidRequestError: ``invalid_query`` when it is not UTF-8.
        """
        if not self.query:
            return []
        try:
            text = self.query.decode()
            if "%" not in text and "+" not in text:
                # Signed publishes mostly are so, and decoding nothing is what parse_qsl spends most of its time on.
                return [(name, value) for name, _, value in (pair.partition("=") for pair in text.split("&") if pair)]
            return parse_qsl(text, keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            raise InvalidRequestError("invalid_query", "The query must be UTF-8, percent-encoded.") from None

    def parameter(self, name: str) -> str | None:
        """The first query parameter of that name; raises as ``parameters`` does."""
        return next((value for key, value in self.parameters() if key == name), None)


class ApiResponse(msgspec.Struct, frozen=True):
    """The answer: always JSON.

    Attributes:
        status: the HTTP status.
        body: JSON text.
        headers: what the answer needs beside content type and length; names in lower case.
    """

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class ErrorBody(msgspec.Struct):
    """What every answer to a request that failed holds: a stable code, and a sentence that says what to do."""

    code: str
    error: str


def error_response(error: SkubberError) -> ApiResponse:
    """The answer to a request that failed."""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if isinstance(error, MethodNotAllowedError):
        headers = ((b"allow", error.allowed.encode()),)
    elif isinstance(error, RateLimitedError | UnavailableError):
        headers = ((b"retry-after", b"%d" % error.retry_after),)
    body = msgspec.json.encode(ErrorBody(error.code, error.message))
    return ApiResponse(error.status, body, headers)
