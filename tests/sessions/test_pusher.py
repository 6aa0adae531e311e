"""A conversation with one client: messages, junk, pings, timeouts, ends."""

import pytest

from skubber.core.connection import EndReason
from support.pusher_client import PusherClient, PusherNode

PONG = {"event": "pusher:pong", "data": "{}"}


@pytest.fixture
def client(node: PusherNode) -> PusherClient:
    """A client that was let in and greeted."""
    return node.connect_client()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "junk",
        "[]",
        "{}",
        "null",
        '"pusher:ping"',
        '{"event":1}',
        '{"event":null}',
        '{"event":"\\ud800"}',
        '{"event":"client-x","channel":7,"data":{}}',
        "[" * 50_000,
        b"binary",
        b'{"event":"pusher:ping","data":{}}',
        {"event": "", "data": {}},
        {"event": "pusher:", "data": {}},
        {"event": "pusher:what", "data": {}},
        {"event": "PUSHER:PING", "data": {}},
        {"event": "pusher:connection_established", "data": {}},
        {"event": "pusher:error", "data": {}},
        {"event": "pusher_internal:subscription_succeeded", "channel": "c", "data": {}},
        {"event": "my-event", "channel": "c", "data": {}},
        {"event": "é\0\ud83d\ude00" * 200, "data": {}},
        {"event": "pusher:subscribe"},
        {"event": "pusher:subscribe", "data": None},
        {"event": "pusher:subscribe", "data": "c"},
        {"event": "pusher:subscribe", "data": {}},
        {"event": "pusher:subscribe", "data": {"channel": 7}},
        {"event": "pusher:subscribe", "data": {"channel": "c", "auth": 7}},
        {"event": "pusher:subscribe", "data": {"channel": "presence-c", "channel_data": {"user_id": "1"}}},
        {"event": "pusher:unsubscribe"},
        {"event": "pusher:unsubscribe", "data": {"channel": ["c"]}},
    ],
)
async def test_what_makes_no_sense_is_answered_and_closes_nothing(client: PusherClient, message: object) -> None:
    answer = await client.answer(message)
    assert answer.keys() == {"event", "data"}
    assert (answer["event"], answer["data"]["code"]) == ("pusher:error", None)
    assert answer["data"]["message"].endswith(".")
    assert client.close_code() is None
    assert await client.answer({"event": "pusher:ping", "data": {}}) == PONG


@pytest.mark.parametrize(
    "message",
    [{"event": "pusher:ping"}, {"event": "pusher:ping", "data": "{}"}, '{"event":"pusher:ping","data":{},"x":[1]}'],
)
async def test_a_ping_is_answered_with_a_pong(client: PusherClient, message: object) -> None:
    assert await client.answer(message) == PONG


async def test_a_pong_is_taken_without_an_answer(client: PusherClient) -> None:
    await client.send({"event": "pusher:pong", "data": {}})
    assert client.received() == []


@pytest.mark.parametrize(
    ("reason", "code"), [(EndReason.TERMINATED, 4009), (EndReason.DRAINING, 4200), (EndReason.TOO_SLOW, 4100)]
)
def test_an_end_is_announced_and_has_the_code_of_its_reason(client: PusherClient, reason: EndReason, code: int) -> None:
    client.session.end(reason)
    error = client.received_one()
    assert (error["event"], error["data"]["code"]) == ("pusher:error", code)
    assert client.closed_with == (code, error["data"]["message"])


async def test_terminating_a_user_closes_its_connections(node: PusherNode, client: PusherClient) -> None:
    other = node.connect_client()
    await client.join("presence-c", "ada")
    await other.join("presence-c", "bob")
    client.received()
    await node.broker.terminate_user(node.app.id, "ada")
    assert client.events() == ["pusher:error"]
    assert client.close_code() == 4009
    assert other.close_code() is None


async def test_who_leaves_leaves_nothing_behind(node: PusherNode, client: PusherClient) -> None:
    await client.subscribe("c")
    await client.join("private-c")
    await client.join("presence-c", "ada")
    await client.leave()
    node.assert_nothing_is_kept()
    node.pass_time(1000)
    assert client.close_code() is None


class TestSilence:
    def test_a_silent_client_is_pinged_when_the_activity_timeout_is_over(self) -> None:
        node = PusherNode(activity_timeout=120)
        client = node.connect_client()
        node.pass_time(119)
        assert client.received() == []
        node.pass_time(1)
        assert client.received() == [{"event": "pusher:ping", "data": "{}"}]

    def test_who_does_not_answer_the_ping_is_closed(self) -> None:
        node = PusherNode(activity_timeout=120, pong_timeout=30)
        client = node.connect_client()
        node.pass_time(149)
        assert client.events() == ["pusher:ping"]
        assert client.close_code() is None
        node.pass_time(1)
        assert client.received_one()["data"]["code"] == 4201
        assert client.close_code() == 4201
        node.pass_time(1000)
        assert client.received() == []

    @pytest.mark.parametrize("message", [{"event": "pusher:pong", "data": {}}, "junk"])
    @pytest.mark.parametrize("delay", [0, 1, 29])
    async def test_anything_the_client_says_is_a_sign_of_life(self, message: object, delay: int) -> None:
        node = PusherNode(activity_timeout=120, pong_timeout=30)
        client = node.connect_client()
        node.pass_time(120 + delay)
        await client.send(message)
        client.received()
        node.pass_time(119)
        assert client.received() == []
        node.pass_time(1)
        assert client.events() == ["pusher:ping"]
        node.pass_time(30)
        assert client.close_code() == 4201

    async def test_who_talks_is_never_pinged(self) -> None:
        node = PusherNode(activity_timeout=10)
        client = node.connect_client()
        for _ in range(20):
            node.pass_time(9)
            await client.send({"event": "pusher:pong", "data": {}})
        assert client.received() == []

    @pytest.mark.parametrize(
        ("activity_timeout", "pong_timeout"), [(1, 1), (255, 255), (256, 256), (300, 600), (3600, 3600)]
    )
    def test_timeouts_are_kept_to_the_second_however_long(self, activity_timeout: int, pong_timeout: int) -> None:
        node = PusherNode(activity_timeout=activity_timeout, pong_timeout=pong_timeout)
        client = node.connect_client()
        node.pass_time(activity_timeout - 1)
        assert client.received() == []
        node.pass_time(1)
        assert client.events() == ["pusher:ping"]
        node.pass_time(pong_timeout - 1)
        assert client.close_code() is None
        node.pass_time(1)
        assert client.close_code() == 4201

    def test_who_connects_later_is_pinged_later(self) -> None:
        node = PusherNode(activity_timeout=10)
        early = node.connect_client()
        node.pass_time(7)
        late = node.connect_client()
        node.pass_time(3)
        assert (early.events(), late.events()) == (["pusher:ping"], [])
        node.pass_time(7)
        assert late.events() == ["pusher:ping"]
