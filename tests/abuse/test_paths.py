"""Tricks in paths: every name is what one decoding makes of one segment, and nothing else."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from abuse.support import connect
from e2e.support.api import HEADERS
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, OTHER_KEY, Server
from server.http_client import Answer, request, upgrade
from support.pusher_client import sign_in

CREDENTIALS = [f"{name}: {value}" for name, value in HEADERS.items()]


async def ask(server: Server, method: str, path: str) -> Answer:
    """Send a request of the app, its path as it is."""
    client = await connect(server)
    client.send(request(method, f"/apps/{APP_ID}{path}", *CREDENTIALS, body=b""))
    answer = await client.answer()
    await client.close()
    return answer


CHANNELS = [
    "..",
    ".",
    "%2e%2e",
    "%2E%2E%2Fhidden",
    "c%2F..%2Fhidden",
    "c%252F..%252Fhidden",
    "c/../hidden",
    "./hidden",
    "/hidden",
    "hidden/",
    "hidden%2F",
    "hidden%00",
    "hidden%20",
    "hidden;%2F",
    "%23watchlist-ann",
    "%ff%fe",
    "%c0%ae%c0%ae",
    "hidden%",
    "%68idden%25",
]


@pytest.mark.parametrize("name", CHANNELS)
@pytest.mark.parametrize(("method", "rest"), [("GET", ""), ("GET", "/users"), ("POST", "/events?name=trick")])
async def test_no_trick_is_the_name_of_a_channel(server: Server, name: str, method: str, rest: str) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("hidden")
        answer = await ask(server, method, f"/channels/{name}{rest}")
        # Dots alone are a name; nobody is there.
        assert answer.status in {400, 404} or json.loads(answer.body) in ({"occupied": False}, {})
        await client.send({"event": "pusher:ping", "data": {}})
        assert (await client.receive())["event"] == "pusher:pong"


async def test_a_name_may_be_encoded_once(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("hidden")
        assert json.loads((await ask(server, "GET", "/channels/%68idden")).body) == {"occupied": True}
        assert (await ask(server, "GET", "/channels/%2568idden")).status == 400


USERS = ["a", "a/b", "a%2Fb", "..", "a/../b", "b", "a\0b", "ä", "a b", "a+b"]
"""Whatever a back end calls them: each is another user."""


@pytest.fixture
async def users(server: Server) -> AsyncIterator[dict[str, RawClient]]:
    """A client for each user, signed in."""
    async with AsyncExitStack() as stack:
        clients = {}
        for user in USERS:
            client = clients[user] = await stack.enter_async_context(RawClient.connected(server))
            await client.send({"event": "pusher:signin", "data": sign_in(client.socket_id, json.dumps({"id": user}))})
            assert (await client.receive())["event"] == "pusher:signin_success"
        yield clients


@pytest.mark.parametrize(
    ("segment", "user"),
    [
        ("a", "a"),
        ("a%2Fb", "a/b"),
        ("a%2fb", "a/b"),
        ("a%252Fb", "a%2Fb"),
        ("%2e%2e", ".."),
        ("a%2F..%2Fb", "a/../b"),
        ("a%00b", "a\0b"),
        ("%C3%A4", "ä"),
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("a/../b", None),
        ("a/", None),
        ("/a", None),
        ("a%25252Fb", None),
        ("%c0%ae%c0%ae", None),
        ("a;b", None),
    ],
)
async def test_terminating_a_user_ends_that_user_and_no_other(
    server: Server, users: dict[str, RawClient], segment: str, user: str | None
) -> None:
    answer = await ask(server, "POST", f"/users/{segment}/terminate_connections")
    assert answer.status == 200 if user is not None else answer.status in {200, 400, 404}
    for name, client in users.items():
        if name == user:
            assert await client.close_code() == 4009
        else:
            await client.send({"event": "pusher:ping", "data": {}})
            assert (await client.receive())["event"] == "pusher:pong"


@pytest.mark.parametrize(
    "path",
    [
        f"/app/nobody/../{KEY}",
        f"/app/{KEY}/../{OTHER_KEY}",
        f"/app/{KEY}%2F..%2F{OTHER_KEY}",
        f"/app/nobody%252F..%252F{KEY}",
        f"/app/./{KEY}",
        f"/app//{KEY}",
        f"/app/{KEY}%00",
        f"/app/{KEY}%20",
        f"/./app/{KEY}",
        f"/push/../app/{KEY}",
    ],
)
async def test_no_trick_is_the_key_of_an_app(server: Server, path: str) -> None:
    client = await connect(server)
    client.send(upgrade(f"{path}?protocol=7"))
    status = int((await client.reader.readuntil(b"\r\n\r\n")).split()[1])
    if status == 101:  # where Pusher clients are answered with a close code: no such key, no such path
        error = await client.reader.readuntil(b"}}")
        assert b'"code":4001' in error or b'"code":4005' in error
    else:
        assert status == 404
    await client.close()
