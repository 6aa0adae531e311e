"""Pusher's HTTP transports: polls, what clients post, and what the SockJS library asks for."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from skubber.core.connection import EndReason
from skubber.sessions.pusher_http import HEARTBEAT_INTERVAL
from skubber.web import pusher_http
from skubber.web.application import web_application
from skubber.web.pusher_http import PusherHttpRoutes
from support.apps import KEY
from support.pusher_http_client import MESSAGE_BYTES, Frame, PusherHttpNode, read_frames, read_messages
from web.conftest import lifespan

BODY_BYTES = 10_000
ADDRESS = f"/pusher/app/{KEY}/12/abcdefgh"
ORIGIN = "https://shop.example.com"
PING = json.dumps({"event": "pusher:ping"})


@pytest.fixture
def node() -> PusherHttpNode:
    """A node with nobody connected."""
    return PusherHttpNode()


@pytest.fixture
async def site(node: PusherHttpNode) -> AsyncIterator[httpx.AsyncClient]:
    """The web application with the node's clients."""
    application = web_application(PusherHttpRoutes(node.connections, BODY_BYTES).routes(), lifespan)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://server") as client:
        yield client


async def polled(site: httpx.AsyncClient, address: str = ADDRESS) -> list[Frame]:
    """Poll once."""
    answer = await site.post(f"{address}/xhr?protocol=7")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.headers["content-type"] == "application/javascript; charset=UTF-8"
    return read_frames(answer.content)


async def waits(node: PusherHttpNode, turn: int) -> None:
    """Wait until that many polls have come."""
    connection = node.connections.find(f"{ADDRESS}/xhr")
    async with asyncio.timeout(10):
        while connection.turn < turn:  # noqa: ASYNC110 - nothing tells that it waits
            await asyncio.sleep(0)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """An error's status and its stable code."""
    assert answer.json()["error"].endswith(".")
    return answer.status_code, answer.json()["code"]


async def test_a_client_polls_and_posts(site: httpx.AsyncClient) -> None:
    opening, *greeting = await polled(site)
    assert opening == ("o", None)
    assert read_messages(greeting)[0]["event"] == "pusher:connection_established"
    answer = await site.post(f"{ADDRESS}/xhr_send?t=1&n=2", content=json.dumps([PING, PING]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert [message["event"] for message in read_messages(await polled(site))] == ["pusher:pong"] * 2


async def test_the_sockjs_library_sends_the_path(site: httpx.AsyncClient) -> None:
    assert await polled(site, "/pusher/000/abcdefgh") == [("o", None)]
    body = json.dumps([json.dumps({"path": f"/app/{KEY}?protocol=7"})])
    assert (await site.post("/pusher/000/abcdefgh/xhr_send", content=body)).status_code == 204
    (greeting,) = read_messages(await polled(site, "/pusher/000/abcdefgh"))
    assert greeting["event"] == "pusher:connection_established"


async def test_a_poll_for_which_nothing_comes_says_so(site: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await polled(site)
    monkeypatch.setattr(pusher_http, "HEARTBEAT_INTERVAL", 0.01)
    assert await polled(site) == [("h", None)]


async def test_a_second_poll_ends_the_first(site: httpx.AsyncClient, node: PusherHttpNode) -> None:
    await polled(site)
    first = asyncio.create_task(polled(site))
    await waits(node, 2)
    second = asyncio.create_task(polled(site))
    assert await first == [("c", [2010, "Another connection still open"])]
    await site.post(f"{ADDRESS}/xhr_send", content=json.dumps([PING]))
    assert read_messages(await second)[0]["event"] == "pusher:pong"


async def test_a_poll_tells_how_the_connection_ended(site: httpx.AsyncClient, node: PusherHttpNode) -> None:
    await polled(site)
    node.connections.find(f"{ADDRESS}/xhr").session.end(EndReason.TERMINATED)
    *_, (letter, (code, _)) = await polled(site)
    assert (letter, code) == ("c", 4009)
    node.assert_nothing_is_kept()


async def test_posting_to_nobody_is_not_found(site: httpx.AsyncClient) -> None:
    assert error_of(await site.post(f"{ADDRESS}/xhr_send", content=b"[]")) == (404, "no_such_connection")


@pytest.mark.parametrize("kind", ["xhr", "xhr_send"])
@pytest.mark.parametrize("place", [f"app/{KEY}/1000/abcdefgh", f"app/{KEY}/1/a.b", f"1/{'a' * 65}", "x/abcdefgh"])
async def test_other_addresses_are_not_found(
    site: httpx.AsyncClient, node: PusherHttpNode, place: str, kind: str
) -> None:
    assert error_of(await site.post(f"/pusher/{place}/{kind}", content=b"[]")) == (404, "not_found")
    assert len(node.connections) == 0


@pytest.mark.parametrize("body", [b"", b"{}", b'"ping"', b"[1]", b"\xff", b'["\\ud800"]', b'["a"'])
async def test_a_body_that_is_no_array_of_strings_is_refused(site: httpx.AsyncClient, body: bytes) -> None:
    await polled(site)
    assert error_of(await site.post(f"{ADDRESS}/xhr_send", content=body)) == (400, "invalid_messages")


async def test_a_body_with_a_message_that_is_too_large_is_refused_whole(site: httpx.AsyncClient) -> None:
    await polled(site)
    body = json.dumps([PING, "ü" * (MESSAGE_BYTES // 2 + 1)])
    assert error_of(await site.post(f"{ADDRESS}/xhr_send", content=body)) == (413, "message_too_large")
    body = json.dumps([PING, "ü" * (MESSAGE_BYTES // 2)])
    assert (await site.post(f"{ADDRESS}/xhr_send", content=body)).status_code == 204
    pong, error = read_messages(await polled(site))
    assert (pong["event"], error["event"]) == ("pusher:pong", "pusher:error")


async def test_a_body_that_is_too_large_is_refused(site: httpx.AsyncClient) -> None:
    await polled(site)
    body = json.dumps(["a"] * BODY_BYTES)
    assert error_of(await site.post(f"{ADDRESS}/xhr_send", content=body)) == (413, "body_too_large")


async def test_a_stream_that_cannot_be_is_refused(site: httpx.AsyncClient) -> None:
    assert error_of(await site.post(f"{ADDRESS}/xhr_streaming")) == (409, "connection_in_use")


@pytest.mark.parametrize("kind", ["xhr", "xhr_send", "xhr_streaming"])
async def test_only_post_is_taken(site: httpx.AsyncClient, kind: str) -> None:
    answer = await site.get(f"{ADDRESS}/{kind}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")


@pytest.mark.parametrize("kind", ["xhr", "xhr_send", "xhr_streaming"])
async def test_pages_of_any_origin_may_ask(site: httpx.AsyncClient, kind: str) -> None:
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    answer = await site.options(f"{ADDRESS}/{kind}?t=1", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"].lower() == "content-type"
    assert (await site.options(f"{ADDRESS}/{kind}")).status_code == 204


async def test_pages_of_any_origin_may_read_answers_and_errors(site: httpx.AsyncClient) -> None:
    for path, status in (
        (f"{ADDRESS}/xhr?protocol=7", 200),
        ("/pusher/1/nobody__/xhr_send", 404),
        ("/pusher/info", 200),
    ):
        method = "GET" if path.endswith("info") else "POST"
        answer = await site.request(method, path, headers={"origin": ORIGIN})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, ORIGIN)


async def test_the_sockjs_library_is_told_what_there_is(site: httpx.AsyncClient) -> None:
    first, second = [(await site.get("/pusher/info")).json() for _ in "12"]
    assert first.pop("entropy") != second.pop("entropy")
    assert first == {
        "websocket": False,
        "cookie_needed": False,
        "origins": ["*:*"],
        "server_heartbeat_interval": HEARTBEAT_INTERVAL * 1000,
    }


async def test_the_frame_runs_no_script_but_its_own_and_may_be_held_by_any_page(site: httpx.AsyncClient) -> None:
    page = await site.get("/pusher/iframe.html?js_path=https%3A%2F%2Fevil.example%2Fsockjs.js")
    assert page.headers["content-type"].startswith("text/html")
    assert "evil" not in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; connect-src 'self';")
    assert "frame-ancestors" not in policy
    assert "x-frame-options" not in page.headers
    assert 'src="iframe.js"' in page.text
    script = await site.get("/pusher/iframe.js")
    assert script.headers["content-type"].startswith("text/javascript")
