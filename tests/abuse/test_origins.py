"""Pages of other sites: what a browser lets them read, and what it does not. Source: the Fetch standard, "CORS".

No cookie means anything to the server, so what clients need is open to all; what takes secrets is closed.
"""

import httpx
import pytest

from e2e.support.server import APP_ID, KEY, Server
from e2e.support.signalr import TOKEN_PATH, access_token
from e2e.support.signalr_raw import RawHttp

ORIGINS = ["https://evil.example", "null", "http://127.0.0.1:1"]
OPEN = [
    ("POST", "/push/negotiate"),
    ("GET", "/push"),
    ("POST", "/push"),
    ("DELETE", "/push"),
    ("POST", TOKEN_PATH),
    ("POST", f"/pusher/app/{KEY}/1/a/xhr_send"),
    ("POST", f"/pusher/app/{KEY}/1/b/xhr"),
    ("POST", f"/pusher/app/{KEY}/1/c/xhr_streaming"),
]
CLOSED = [
    ("POST", f"/apps/{APP_ID}/events"),
    ("GET", f"/apps/{APP_ID}/channels"),
    ("POST", f"/apps/{APP_ID}/users/ann/terminate_connections"),
    ("GET", "/api/admin/apps"),
    ("POST", "/api/admin/tokens"),
    ("GET", "/"),
    ("GET", "/demo"),
    ("GET", "/demo/app.json"),
    ("GET", "/docs"),
    ("GET", "/docs/realtime"),
    ("GET", "/docs/openapi.json"),
    ("GET", "/docs/asyncapi.json"),
    ("GET", "/health"),
    ("GET", "/nothing"),
]
PREFLIGHT = {"access-control-request-headers": "content-type,authorization,x-api-key,x-api-secret"}


def access(answer: httpx.Response) -> dict[str, str]:
    """What an answer says of who may read it."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def headers_of(server: Server, method: str, path: str, origin: str) -> httpx.Response:
    """The head of an answer; a stream's body would not end."""
    with httpx.stream(method, server.url + path, headers={"origin": origin}) as answer:
        return answer


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize(("method", "path"), OPEN)
def test_what_clients_need_is_for_the_page_that_asked_by_name(
    server: Server, method: str, path: str, origin: str
) -> None:
    asked = {"origin": origin, "access-control-request-method": method, **PREFLIGHT}
    for answer in (httpx.options(server.url + path, headers=asked), headers_of(server, method, path, origin)):
        # Credentials are sent along; a browser would take "*" for no permission, and caches must tell pages apart.
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "origin" in answer.headers["vary"].lower()
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_what_takes_secrets_or_shows_pages_is_for_no_other_site(
    server: Server, method: str, path: str, origin: str
) -> None:
    asked = {"origin": origin, "access-control-request-method": method, **PREFLIGHT}
    assert access(httpx.options(server.url + path, headers=asked)) == {}
    assert access(headers_of(server, method, path, origin)) == {}


async def test_an_event_stream_is_for_the_page_that_asked(server: Server) -> None:
    async with (
        RawHttp.negotiated(server, access_token(server)) as http,
        http.event_stream(origin=ORIGINS[0]) as stream,
    ):
        assert access(stream.response) == {
            "access-control-allow-origin": ORIGINS[0],
            "access-control-allow-credentials": "true",
        }


def test_who_is_no_page_is_told_nothing_of_pages(server: Server) -> None:
    for method, path in CLOSED:
        assert access(httpx.request(method, server.url + path)) == {}
