"""SockJS clients say by their first message where they want to connect to."""

import json
from typing import Any

import pytest

from skubber.sessions.sockjs_lobby import PATH_TIMEOUT
from support.apps import KEY
from support.pusher_http_client import PusherHttpClient, PusherHttpNode


@pytest.fixture
def node() -> PusherHttpNode:
    """A node with nobody connected."""
    return PusherHttpNode()


@pytest.fixture
def client(node: PusherHttpNode) -> PusherHttpClient:
    """A client that has opened a stream and has said nothing yet."""
    client = node.client("")
    client.stream()
    assert client.frames() == [("o", None)]
    return client


def assert_refused(client: PusherHttpClient, code: int) -> None:
    error, (letter, (closed_with, _)) = client.frames()
    assert json.loads(error[1][0])["data"]["code"] == code
    assert (letter, closed_with) == ("c", code)
    client.node.assert_nothing_is_kept()


async def test_the_path_leads_to_the_app(node: PusherHttpNode, client: PusherHttpClient) -> None:
    await client.send({"path": f"/app/{KEY}?protocol=7&client=js"})
    (greeting,) = client.messages()
    assert greeting["event"] == "pusher:connection_established"
    node.pass_time(PATH_TIMEOUT)
    await client.send({"event": "pusher:ping"})
    assert client.events() == ["pusher:pong"]


async def test_what_comes_right_behind_the_path_is_for_the_app(client: PusherHttpClient) -> None:
    await client.send({"path": f"/app/{KEY}?protocol=7"}, {"event": "pusher:ping"})
    assert client.events() == ["pusher:connection_established", "pusher:pong"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"path": "/app/nobody?protocol=7"}, 4001),
        ({"path": f"/app/{KEY}"}, 4008),
        ({"path": "/elsewhere"}, 4005),
        ({"event": "pusher:ping"}, 4005),
        ("junk", 4005),
    ],
)
async def test_a_path_that_leads_nowhere_is_refused(client: PusherHttpClient, message: Any, code: int) -> None:
    await client.send(message)
    assert_refused(client, code)


async def test_the_path_must_come_soon(node: PusherHttpNode, client: PusherHttpClient) -> None:
    node.pass_time(PATH_TIMEOUT - 1)
    assert client.frames() == []
    node.pass_time(1)
    assert_refused(client, 4005)


async def test_a_client_that_is_heard_in_its_app_is_not_pinged(node: PusherHttpNode, client: PusherHttpClient) -> None:
    await client.send({"path": f"/app/{KEY}?protocol=7"})
    client.frames()
    for _ in range(5):
        node.pass_time(100)
        await client.send()
    assert client.events() == []
    node.pass_time(120)
    assert client.events() == ["pusher:ping"]


async def test_leaving_leaves_the_app(node: PusherHttpNode, client: PusherHttpClient) -> None:
    await client.send({"path": f"/app/{KEY}?protocol=7"})
    client._stream.close(0, "")
    node.pass_time(10)
    node.assert_nothing_is_kept()
