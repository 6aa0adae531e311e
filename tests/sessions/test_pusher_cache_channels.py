"""Channels that keep their last event. Source: Pusher Channels documentation, "Cache channels"."""

import json

import pytest

from skubber.core.broker import KEPT_EVENT_LIFETIME
from skubber.core.event import PublishedEvent
from support.pusher_client import Message, PusherClient, PusherNode

SUCCEEDED = "pusher_internal:subscription_succeeded"
PUBLIC, PRIVATE, ENCRYPTED, PRESENCE = "cache-c", "private-cache-c", "private-encrypted-cache-c", "presence-cache-c"
CHANNELS = pytest.mark.parametrize("channel", [PUBLIC, PRIVATE, ENCRYPTED, PRESENCE])


async def publish(node: PusherNode, channel: str, name: str = "e", data: str = "d") -> None:
    """Publish as the HTTP API does."""
    await node.hub.publish(node.app, (channel,), PublishedEvent(name, json.dumps(data).encode()))


async def subscribe(client: PusherClient, channel: str, user_id: str = "ada") -> list[Message]:
    """Subscribe as whoever may; returns all that comes."""
    if channel == PUBLIC:
        data: Message = {"channel": channel}
    else:
        data = client.signed(channel, json.dumps({"user_id": user_id}) if channel == PRESENCE else None)
    await client.send({"event": "pusher:subscribe", "data": data})
    return client.received()


@CHANNELS
async def test_who_subscribes_is_sent_the_last_event_right_after_the_answer(node: PusherNode, channel: str) -> None:
    await publish(node, channel, "first")
    await publish(node, channel, "last", '{"n": 1}')
    answer, event = await subscribe(node.connect_client(), channel)
    assert (answer["event"], answer["channel"]) == (SUCCEEDED, channel)
    assert event == {"event": "last", "channel": channel, "data": '{"n": 1}'}


@CHANNELS
async def test_where_there_is_none_it_is_told_of_the_miss(node: PusherNode, channel: str) -> None:
    client = node.connect_client()
    answer, miss = await subscribe(client, channel)
    assert answer["event"] == SUCCEEDED
    assert miss == {"event": "pusher:cache_miss", "channel": channel, "data": "{}"}
    await publish(node, channel)
    assert client.events() == ["e"]


@CHANNELS
async def test_the_subscribers_of_before_are_not_sent_it_again(node: PusherNode, channel: str) -> None:
    first, second = node.connect_client(), node.connect_client()
    await subscribe(first, channel)
    await publish(node, channel)
    assert first.events() == ["e"]
    await subscribe(second, channel)
    assert first.received() == []


@pytest.mark.parametrize("channel", [PRIVATE, ENCRYPTED, PRESENCE])
async def test_nobody_without_an_authorization_is_sent_anything(node: PusherNode, channel: str) -> None:
    await publish(node, channel)
    client = node.connect_client()
    answer = await client.subscribe(channel, channel_data='{"user_id":"ada"}')
    assert (answer["event"], answer["data"]["status"]) == ("pusher:subscription_error", 401)


@pytest.mark.parametrize("channel", ["c", "private-c", "presence-c"])
async def test_other_channels_keep_nothing_and_miss_nothing(node: PusherNode, channel: str) -> None:
    await publish(node, channel)
    client = node.connect_client()
    await client.join(channel, "ada" if channel == "presence-c" else None)
    assert client.received() == []


@pytest.mark.parametrize("channel", [PRIVATE, PRESENCE])
async def test_client_events_and_members_are_not_kept(node: PusherNode, channel: str) -> None:
    sender, other = node.connect_client(), node.connect_client()
    await publish(node, channel)
    await subscribe(sender, channel, "ada")
    await sender.send({"event": "client-e", "channel": channel, "data": {}})
    _, event = await subscribe(other, channel, "bob")
    assert event["event"] == "e"


async def test_it_is_kept_when_everybody_has_left(node: PusherNode) -> None:
    client = node.connect_client()
    await subscribe(client, PUBLIC)
    await publish(node, PUBLIC)
    await client.leave()
    _, event = await subscribe(node.connect_client(), PUBLIC)
    assert event["event"] == "e"


async def test_who_comes_back_is_sent_it_once_more(node: PusherNode) -> None:
    client = node.connect_client()
    await publish(node, PUBLIC)
    await subscribe(client, PUBLIC)
    await client.unsubscribe(PUBLIC)
    assert [message["event"] for message in await subscribe(client, PUBLIC)] == [SUCCEEDED, "e"]


async def test_an_event_of_the_same_iteration_comes_once(node: PusherNode) -> None:
    client = node.connect_client()
    await publish(node, PUBLIC, "before")
    await client.send({"event": "pusher:subscribe", "data": {"channel": PUBLIC}})
    await publish(node, PUBLIC, "after")
    assert client.events() == [SUCCEEDED, "before", "after"]


async def test_an_event_meant_for_others_is_sent_to_its_sender_when_it_comes_back(node: PusherNode) -> None:
    sender = node.connect_client()
    event = PublishedEvent("e", b'"d"')
    await node.hub.publish(node.app, (PUBLIC,), event, sender.socket_id)
    assert [message["event"] for message in await subscribe(sender, PUBLIC)] == [SUCCEEDED, "e"]


def test_it_is_kept_for_as_long_as_pusher_does() -> None:
    assert KEPT_EVENT_LIFETIME == 30 * 60
