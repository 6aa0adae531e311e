"""Requests whose head is that of the request before them: what a publisher sends over and over on one connection.

Parsing a head, header by header through callbacks, is a third of what a publish costs. Where it is the same as the last
one, byte for byte but for the length of the body, there is nothing to be learnt from parsing it again.
"""

import re

from skubber.api.message import ApiRequest

_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(?=[0-9]+\r\n)", re.IGNORECASE)

_LENGTH_DIGITS = 8


class RepeatedHead:
    """The head of a request that was parsed, and that may come again.

    Args:
        before: the head up to the body's length.
        after: the head from behind the length.
        request: the request without its body.
    """

    __slots__ = ("_after", "_before", "_request")

    def __init__(self, before: bytes, after: bytes, request: ApiRequest) -> None:
        self._before = before
        self._after = after
        self._request = request

    @classmethod
    def of(cls, data: bytes, request: ApiRequest) -> "RepeatedHead | None":
        """The head of a request, if it can be told when it comes again.

        Args:
            data: what came in at once, with the request at its beginning.
            request: what the parser made of it.

        Returns:
            None when the data are anything but this one request with a body of a stated length.
        """
        end = data.find(b"\r\n\r\n") + 4
        lengths = [match.end() for match in _CONTENT_LENGTH.finditer(data, 0, end)]
        # A length that a transfer coding overrides, or that is there twice, is none to go by.
        if len(lengths) != 1 or any(name == b"transfer-encoding" for name, _ in request.headers):
            return None
        begin = lengths[0]
        behind = data.find(b"\r\n", begin)
        if end + int(data[begin:behind]) != len(data):
            return None
        headers = [header for header in request.headers if header[0] != b"content-length"]
        head = ApiRequest(request.method, request.path, request.query, headers, b"")
        return cls(data[:begin], data[behind:end], head)

    def request(self, data: bytes) -> ApiRequest | None:
        """The request that some data are, if they are one with this head and all of its body, and nothing else."""
        before = self._before
        if not data.startswith(before):
            return None
        begin = len(before)
        behind = data.find(b"\r", begin, begin + _LENGTH_DIGITS)
        length = data[begin:behind]
        if behind < 0 or not length.isdigit() or not data.startswith(self._after, behind):
            return None
        body = data[behind + len(self._after) :]
        if len(body) != int(length):
            return None
        head = self._request
        return ApiRequest(head.method, head.path, head.query, head.headers, body)
