"""Heads of API responses: status line and headers, all but the length made once a second and shared."""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from skubber.api.message import ApiResponse


class ResponseHeads:
    """Makes response heads. uvicorn replaces its default headers (the date) once a second; until then they are kept."""

    def __init__(self) -> None:
        self._default_headers: list[tuple[bytes, bytes]] = []
        self._starts: dict[int, bytes] = {}

    def head(self, response: ApiResponse, default_headers: list[tuple[bytes, bytes]], keep_alive: bool) -> bytes:
        """The bytes before a response's body.

        Args:
            response: the response.
            default_headers: uvicorn's, a new list whenever they change.
            keep_alive: whether the connection stays open.
        """
        if default_headers is not self._default_headers:
            self._default_headers = default_headers
            self._starts.clear()
        start = self._starts.get(response.status)
        if start is None:
            lines = (b"%b: %b\r\n" % header for header in default_headers)
            start = STATUS_LINE[response.status] + b"".join(lines) + b"content-type: application/json\r\n"
            self._starts[response.status] = start
        extra = b"".join(b"%b: %b\r\n" % header for header in response.headers) if response.headers else b""
        connection = b"" if keep_alive else b"connection: close\r\n"
        return b"%b%b%bcontent-length: %d\r\n\r\n" % (start, extra, connection, len(response.body))
