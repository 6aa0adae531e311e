"""Who is let in, and what the others are told."""

import json
import re

import pytest

from skubber.codecs.websocket_frames import Opcode
from skubber.core.app import ApiKey, App
from skubber.core.connection import EndReason
from skubber.core.limits import Limits
from support.apps import DISABLED_KEY, KEY, OTHER_KEY, SECOND_KEY, SECRET, make_app
from support.pusher_client import PusherClient, PusherNode


def assert_refused(client: PusherClient, code: int) -> None:
    """The client is told the code in a ``pusher:error``, then closed with it."""
    error = client.received_one()
    assert (error["event"], error["data"]["code"]) == ("pusher:error", code)
    assert client.closed_with == (code, error["data"]["message"])
    assert error["data"]["message"]


def is_greeted(client: PusherClient) -> bool:
    return client.events() == ["pusher:connection_established"] and client.closed_with is None


def test_a_client_is_greeted_with_its_socket_id_and_the_activity_timeout() -> None:
    client = PusherNode(activity_timeout=77).open(f"/app/{KEY}")
    greeting = client.received_one()
    assert greeting.keys() == {"event", "data"}
    data = json.loads(greeting["data"])
    assert re.fullmatch(r"[0-9]+\.[0-9]+", data["socket_id"])
    assert data == {"socket_id": data["socket_id"], "activity_timeout": 77}


@pytest.mark.parametrize("key", [KEY, SECOND_KEY, OTHER_KEY])
def test_every_key_of_every_app_lets_a_client_in(node: PusherNode, key: str) -> None:
    assert is_greeted(node.open(f"/app/{key}"))


@pytest.mark.parametrize(
    "path", ["/app/", "/app", "/", "", f"/app/{KEY}/", f"/app/{KEY}/more", f"/apps/{KEY}", f"/{KEY}"]
)
def test_another_path_is_not_found(node: PusherNode, path: str) -> None:
    assert_refused(node.open(path), 4005)


@pytest.mark.parametrize("key", ["nobody", KEY.upper(), KEY[:-1], KEY + " ", "4711", SECRET, "ü", "\ufffd", "\0"])
def test_an_unknown_key_is_no_app(node: PusherNode, key: str) -> None:
    assert_refused(node.open(f"/app/{key}"), 4001)


def test_a_disabled_app_lets_nobody_in(node: PusherNode) -> None:
    assert_refused(node.open(f"/app/{DISABLED_KEY}"), 4003)


def test_an_app_for_tls_only_refuses_plain_connections() -> None:
    node = PusherNode(App.with_keys("secure", [ApiKey(KEY, SECRET)], tls_only=True))
    assert_refused(node.open(f"/app/{KEY}"), 4000)
    assert is_greeted(node.open(f"/app/{KEY}", is_tls=True))


@pytest.mark.parametrize(
    "query", [b"protocol=5", b"protocol=6", b"protocol=7", b"client=js&protocol=7&version=8.4&flash=false"]
)
def test_protocols_five_to_seven_are_spoken(node: PusherNode, query: bytes) -> None:
    assert is_greeted(node.open(f"/app/{KEY}", query))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"", 4008),
        (b"protocol", 4008),
        (b"protocol=", 4008),
        (b"Protocol=7", 4008),
        (b"client=js", 4008),
        (b"\xff\xfe&&==", 4008),
        (b"protocol=seven", 4006),
        (b"protocol=7.0", 4006),
        (b"protocol=-7", 4006),
        (b"protocol=%2B7", 4006),
        (b"protocol=+7", 4006),
        (b"protocol=%D9%A7", 4006),
        (b"protocol=%FF", 4006),
        (b"protocol=\xb2", 4006),
        (b"protocol=0", 4007),
        (b"protocol=1", 4007),
        (b"protocol=4", 4007),
        (b"protocol=8", 4007),
        (b"protocol=70", 4007),
        (b"protocol=" + b"7" * 10_000, 4007),
    ],
)
def test_another_version_is_refused_and_told_which_way_it_is_wrong(node: PusherNode, query: bytes, code: int) -> None:
    assert_refused(node.open(f"/app/{KEY}", query), code)


async def test_an_app_at_its_connection_quota_sends_further_clients_away() -> None:
    node = PusherNode(make_app(limits=Limits(connections=1)))
    first = node.connect_client()
    second = node.open(f"/app/{KEY}")
    assert_refused(second, 4004)
    assert is_greeted(node.open(f"/app/{OTHER_KEY}"))
    await second.leave()
    assert node.hub.connection_count == 2
    await first.leave()
    assert is_greeted(node.open(f"/app/{SECOND_KEY}"))


async def test_a_node_at_its_capacity_asks_clients_to_come_back_later() -> None:
    node = PusherNode(max_connections=1)
    first = node.connect_client()
    refused = node.open(f"/app/{OTHER_KEY}")
    assert_refused(refused, 4100)
    await first.leave()
    await refused.leave()
    node.assert_nothing_is_kept()
    assert is_greeted(node.open(f"/app/{KEY}"))


@pytest.mark.parametrize("path", ["/app/nobody", f"/app/{KEY}"])
async def test_what_a_refused_client_says_and_does_has_no_effect(path: str) -> None:
    node = PusherNode(max_connections=1)
    node.connect_client()
    refused = node.open(path)
    refused.received()
    await refused.send({"event": "pusher:ping"})
    await refused.session.receive(Opcode.BINARY, b"\xff")
    refused.session.end(EndReason.DRAINING)
    node.pass_time(1000)
    await refused.leave()
    assert refused.received() == []
    assert node.hub.connection_count == 1
