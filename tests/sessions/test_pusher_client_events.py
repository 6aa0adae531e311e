"""Events that clients send to each other. Source: Pusher Channels documentation, "Client events"."""

import json
from typing import Any

import pytest

from skubber.core.limits import Limits
from support.apps import make_app
from support.pusher_client import Message, PusherClient, PusherNode

Pair = tuple[PusherClient, PusherClient]


@pytest.fixture
async def pair(node: PusherNode) -> Pair:
    """Two clients on ``private-c``: one that sends and one that listens."""
    return await subscribed_pair(node)


async def subscribed_pair(node: PusherNode, channel: str = "private-c") -> Pair:
    clients = node.connect_client(), node.connect_client()
    for client in clients:
        await client.join(channel)
    return clients


def client_event(channel: str | None = "private-c", name: str = "client-x", **fields: Any) -> Message:
    return {"event": name, "channel": channel, **fields}


def assert_refused(answer: Message, code: int | None = None) -> None:
    assert (answer["event"], answer["data"]["code"]) == ("pusher:error", code)
    assert answer["data"]["message"].endswith(".")


@pytest.mark.parametrize("data", [{"a": [1, None, "é"]}, "text", '{"a": 1}', 1.5, True, None, [], ""])
async def test_it_reaches_the_others_with_its_data_as_it_was_and_not_the_sender(pair: Pair, data: Any) -> None:
    sender, listener = pair
    await sender.send(client_event(data=data))
    assert listener.received() == [{"event": "client-x", "channel": "private-c", "data": data}]
    assert sender.received() == []


async def test_data_that_is_missing_arrives_as_null(pair: Pair) -> None:
    sender, listener = pair
    await sender.send({"event": "client-x", "channel": "private-c"})
    assert listener.received() == [{"event": "client-x", "channel": "private-c", "data": None}]


@pytest.mark.parametrize("channel", ["private-c", "private-cache-c"])
async def test_it_names_no_sender_on_private_channels(node: PusherNode, channel: str) -> None:
    sender, listener = await subscribed_pair(node, channel)
    await sender.send(client_event(channel, data={}, user_id="eve"))
    assert "user_id" not in listener.received_one()


@pytest.mark.parametrize("channel", ["presence-c", "presence-cache-c"])
async def test_it_names_the_sending_member_on_presence_channels(node: PusherNode, channel: str) -> None:
    sender, listener = node.connect_client(), node.connect_client()
    await sender.join(channel, 7)
    await listener.join(channel, "bob")
    sender.received()
    await sender.send(client_event(channel, data={"user_id": "eve"}, user_id="eve"))
    assert listener.received() == [
        {"event": "client-x", "channel": channel, "data": {"user_id": "eve"}, "user_id": "7"}
    ]


async def test_it_reaches_the_senders_other_connections(node: PusherNode) -> None:
    tab, other_tab = node.connect_client(), node.connect_client()
    await tab.join("presence-c", "ada")
    await other_tab.join("presence-c", "ada")
    await tab.send(client_event("presence-c", data={}))
    assert other_tab.events() == ["client-x"]


@pytest.mark.parametrize("channel", ["c", "cache-c", "private-encrypted-c", "private-encrypted-cache-c"])
async def test_public_and_encrypted_channels_take_none(node: PusherNode, channel: str) -> None:
    sender, listener = await subscribed_pair(node, channel)
    assert_refused(await sender.answer(client_event(channel, data={})))
    assert listener.received() == []


@pytest.mark.parametrize("channel", ["private-d", "presence-d", "c", "", "#server-to-user-ada", None])
async def test_only_subscribers_may_send(pair: Pair, channel: str | None) -> None:
    sender, listener = pair
    assert_refused(await sender.answer(client_event(channel, data={})))
    assert listener.received() == []


async def test_who_has_unsubscribed_may_not_send(pair: Pair) -> None:
    sender, listener = pair
    await sender.unsubscribe("private-c")
    assert_refused(await sender.answer(client_event(data={})))
    assert listener.received() == []


async def test_an_app_may_do_without_them() -> None:
    sender, listener = await subscribed_pair(PusherNode(make_app(client_events=False)))
    assert_refused(await sender.answer(client_event(data={})))
    assert listener.received() == []


@pytest.mark.parametrize("name", ["client-", "client-" + "x" * 193, "client-é\0", "client-pusher:x"])
async def test_any_name_that_starts_client_is_taken(pair: Pair, name: str) -> None:
    sender, listener = pair
    await sender.send(client_event(name=name, data={}))
    assert listener.events() == [name]


@pytest.mark.parametrize("name", ["client-" + "x" * 194, "client", "Client-x", "x-client-x"])
async def test_any_other_name_is_refused(pair: Pair, name: str) -> None:
    sender, listener = pair
    assert_refused(await sender.answer(client_event(name=name, data={})))
    assert listener.received() == []


async def test_its_data_has_a_limit(pair: Pair) -> None:
    sender, listener = pair
    await sender.send(client_event(data="x" * 10_238))  # and two quotes
    assert listener.events() == ["client-x"]
    assert_refused(await sender.answer(client_event(data="x" * 10_239)))
    assert_refused(await sender.answer(json.dumps(client_event(data="é" * 5_120), ensure_ascii=False)))
    assert listener.received() == []


class TestRate:
    async def test_ten_a_second_go_out_and_the_others_are_dropped_with_4301(self, node: PusherNode, pair: Pair) -> None:
        sender, listener = pair
        for number in range(13):
            await sender.send(client_event(data=number))
        assert [message["data"] for message in listener.received()] == list(range(10))
        errors = sender.received()
        assert len(errors) == 3
        for error in errors:
            assert_refused(error, 4301)
        assert sender.close_code() is None
        node.clock += 0.999
        assert_refused(await sender.answer(client_event(data={})), 4301)
        node.clock += 0.001
        for number in range(10):
            await sender.send(client_event(data=number))
        assert len(listener.received()) == 10
        assert sender.received() == []

    async def test_what_is_not_used_in_one_second_is_not_saved_for_the_next(self, node: PusherNode, pair: Pair) -> None:
        sender, listener = pair
        node.clock = 100.0
        for _ in range(11):
            await sender.send(client_event(data={}))
        assert len(listener.received()) == 10

    async def test_each_connection_has_its_own(self, pair: Pair) -> None:
        one, other = pair
        for _ in range(10):
            await one.send(client_event(data={}))
            await other.send(client_event(data={}))
        assert (len(one.received()), len(other.received())) == (10, 10)

    async def test_what_is_refused_anyway_does_not_count(self, pair: Pair) -> None:
        sender, listener = pair
        for _ in range(20):
            assert_refused(await sender.answer(client_event("private-d", data={})))
        await sender.send(client_event(data={}))
        assert listener.events() == ["client-x"]

    async def test_the_limit_is_the_apps_own(self) -> None:
        node = PusherNode(make_app(limits=Limits(client_events_per_second=1)))
        sender, listener = await subscribed_pair(node)
        await sender.send(client_event(data={}))
        assert_refused(await sender.answer(client_event(data={})), 4301)
        assert listener.events() == ["client-x"]
