"""Heads of responses, as an HTTP client reads them."""

import h11
import pytest

from skubber.api.message import ApiResponse
from skubber.server.response_heads import ResponseHeads

DATE = [(b"date", b"Thu, 01 Jan 2026 00:00:00 GMT")]


def read(head: bytes, body: bytes) -> h11.Response:
    """The response, whose body must be all there is behind its head."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(head + body)
    response = client.next_event()
    assert isinstance(response, h11.Response)
    received = b""
    while isinstance(event := client.next_event(), h11.Data):
        received += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert received == body
    return response


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 405, 413, 429, 500, 503])
@pytest.mark.parametrize("keep_alive", [True, False])
def test_a_head_says_all_that_a_client_needs(status: int, keep_alive: bool) -> None:
    body = b'{"code":"x"}'
    response = read(ResponseHeads().head(ApiResponse(status, body), DATE, keep_alive), body)
    assert response.status_code == status
    assert response.reason
    headers = dict(response.headers)
    assert headers.pop(b"date") == DATE[0][1]
    assert headers.pop(b"content-type") == b"application/json"
    assert headers.pop(b"content-length") == b"12"
    assert headers == ({} if keep_alive else {b"connection": b"close"})


def test_a_response_may_have_headers_of_its_own() -> None:
    response = read(ResponseHeads().head(ApiResponse(405, b"{}", ((b"allow", b"GET, POST"),)), DATE, True), b"{}")
    assert dict(response.headers)[b"allow"] == b"GET, POST"


def test_each_response_has_its_own_length_and_headers() -> None:
    heads = ResponseHeads()
    heads.head(ApiResponse(200, b"x" * 100, ((b"x-only", b"once"),)), DATE, False)
    response = read(heads.head(ApiResponse(200, b""), DATE, True), b"")
    assert dict(response.headers)[b"content-length"] == b"0"
    assert {b"x-only", b"connection"}.isdisjoint(dict(response.headers))


def test_a_new_date_is_taken_over() -> None:
    heads = ResponseHeads()
    heads.head(ApiResponse(200, b""), DATE, True)
    later = [(b"date", b"Thu, 01 Jan 2026 00:00:01 GMT"), (b"server", b"x")]
    for status in (200, 404):
        headers = dict(read(heads.head(ApiResponse(status, b""), later, True), b"").headers)
        assert (headers[b"date"], headers[b"server"]) == (later[0][1], b"x")
