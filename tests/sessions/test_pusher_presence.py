"""Presence channels as a client sees them. Source: Pusher Channels documentation, "Presence channels"."""

import json
from typing import Any

import pytest

from skubber.core.limits import Limits
from support.apps import make_app
from support.pusher_client import Message, PusherClient, PusherNode

CHANNEL = "presence-c"


@pytest.fixture
def client(node: PusherNode) -> PusherClient:
    """A client that was let in and greeted."""
    return node.connect_client()


async def join_with(client: PusherClient, channel_data: str) -> Message:
    """Subscribe with channel data that is signed for, whatever it is."""
    return await client.subscribe(**client.signed(CHANNEL, channel_data))


def member_event(name: str, **member: Any) -> Message:
    return {"event": f"pusher_internal:{name}", "channel": CHANNEL, "data": member}


def received(client: PusherClient) -> list[Message]:
    """What has come, with the JSON in the strings read."""
    return [{**message, "data": json.loads(message["data"])} for message in client.received()]


async def test_who_joins_is_told_who_is_there_itself_included(node: PusherNode, client: PusherClient) -> None:
    assert await client.join(CHANNEL, "ada", {"name": "Ada"}) == {
        "presence": {"ids": ["ada"], "hash": {"ada": {"name": "Ada"}}, "count": 1}
    }
    assert await node.connect_client().join(CHANNEL, "bob") == {
        "presence": {"ids": ["ada", "bob"], "hash": {"ada": {"name": "Ada"}, "bob": None}, "count": 2}
    }


async def test_the_others_are_told_who_came_and_who_left(node: PusherNode, client: PusherClient) -> None:
    await client.join(CHANNEL, "ada")
    bob = node.connect_client()
    await bob.join(CHANNEL, "bob", {"name": "Bob"})
    assert received(client) == [member_event("member_added", user_id="bob", user_info={"name": "Bob"})]
    await bob.unsubscribe(CHANNEL)
    assert received(client) == [member_event("member_removed", user_id="bob")]
    assert bob.received() == []


async def test_a_member_who_said_nothing_of_itself_arrives_all_the_same(node: PusherNode, client: PusherClient) -> None:
    await client.join(CHANNEL, "ada")
    await join_with(node.connect_client(), '{"user_id":"bob"}')
    assert received(client) == [member_event("member_added", user_id="bob", user_info=None)]


async def test_two_connections_of_a_user_are_one_member(node: PusherNode, client: PusherClient) -> None:
    first, second = node.connect_client(), node.connect_client()
    await client.join(CHANNEL, "watcher")
    await first.join(CHANNEL, "ada", "first")
    presence = (await second.join(CHANNEL, "ada", "second"))["presence"]
    assert presence == {"ids": ["watcher", "ada"], "hash": {"watcher": None, "ada": "first"}, "count": 2}
    assert client.events() == ["pusher_internal:member_added"]
    await first.leave()
    assert client.events() == []
    await second.leave()
    assert received(client) == [member_event("member_removed", user_id="ada")]


async def test_closing_a_connection_is_leaving(node: PusherNode, client: PusherClient) -> None:
    await client.join(CHANNEL, "ada")
    bob = node.connect_client()
    await bob.join(CHANNEL, "bob")
    client.received()
    await bob.leave()
    assert client.events() == ["pusher_internal:member_removed"]


@pytest.mark.parametrize(
    ("given", "user_id"), [("1", "1"), (1, "1"), (-1, "-1"), (2**64, str(2**64)), ("ü 😀\n", "ü 😀\n"), ("\0", "\0")]
)
async def test_a_user_id_is_a_string_and_may_come_as_a_number(client: PusherClient, given: Any, user_id: str) -> None:
    presence = (await client.join(CHANNEL, given))["presence"]
    assert presence == {"ids": [user_id], "hash": {user_id: None}, "count": 1}


async def test_a_number_and_its_digits_are_the_same_user(node: PusherNode, client: PusherClient) -> None:
    await client.join(CHANNEL, "7")
    assert (await node.connect_client().join(CHANNEL, 7))["presence"]["count"] == 1
    assert client.received() == []


@pytest.mark.parametrize(
    "channel_data",
    [
        "",
        "junk",
        "{}",
        "[]",
        '{"user_id":null}',
        '{"user_id":""}',
        '{"user_id":1.5}',
        '{"user_id":true}',
        '{"user_info":{}}',
        '{"user_id":"\\ud800"}',
        '{"user_id":"1","user_info":"\\ud800"}',
        json.dumps({"user_id": "u" * 129}),
        json.dumps({"user_id": "1", "user_info": "i" * 1023}),
    ],
)
async def test_channel_data_that_names_no_user_is_refused(
    node: PusherNode, client: PusherClient, channel_data: str
) -> None:
    answer = await join_with(client, channel_data)
    assert (answer["event"], answer["channel"]) == ("pusher:subscription_error", CHANNEL)
    assert (answer["data"]["type"], answer["data"]["status"]) == ("InvalidRequest", 400)
    assert await node.broker.channels(node.app.id, "") == {}
    assert list(await node.broker.members(node.app.id, CHANNEL)) == []


@pytest.mark.parametrize("channel_data", [{"user_id": "u" * 128}, {"user_id": "1", "user_info": "i" * 1022}])
async def test_channel_data_at_its_limits_is_taken(client: PusherClient, channel_data: Any) -> None:
    answer = await join_with(client, json.dumps(channel_data))
    assert answer["event"] == "pusher_internal:subscription_succeeded"


async def test_channel_data_must_be_there_and_the_signed_one(client: PusherClient) -> None:
    signed = client.signed(CHANNEL, '{"user_id":"ada"}')
    unsigned = {"channel": CHANNEL, "auth": client.signed(CHANNEL)["auth"]}
    for data in (unsigned, {**unsigned, "channel_data": None}, {**signed, "channel_data": '{"user_id":"eve"}'}):
        answer = await client.subscribe(**data)
        assert (answer["data"]["type"], answer["data"]["status"]) == ("AuthError", 401)
    answer = await client.subscribe(**{**signed, "channel_data": '{"user_id": "ada"}'})  # not as it was signed
    assert answer["data"]["type"] == "AuthError"
    assert (await client.subscribe(**signed))["event"] == "pusher_internal:subscription_succeeded"


async def test_a_full_channel_takes_known_users_only_and_is_left_as_it_was() -> None:
    node = PusherNode(make_app(limits=Limits(presence_members=2)))
    ada, bob, eve, tab = (node.connect_client() for _ in range(4))
    await ada.join(CHANNEL, "ada")
    await bob.join(CHANNEL, "bob")
    ada.received()
    answer = await join_with(eve, '{"user_id":"eve"}')
    assert (answer["event"], answer["channel"]) == ("pusher:subscription_error", CHANNEL)
    assert (answer["data"]["type"], answer["data"]["status"]) == ("LimitReached", 403)
    assert (await tab.join(CHANNEL, "ada"))["presence"]["count"] == 2
    assert ada.received() == []
    await bob.leave()
    assert (await eve.join(CHANNEL, "eve"))["presence"]["ids"] == ["ada", "eve"]


async def test_one_connection_may_be_different_users_on_different_channels(client: PusherClient) -> None:
    assert (await client.join("presence-a", "ada"))["presence"]["ids"] == ["ada"]
    assert (await client.join("presence-b", "lovelace"))["presence"]["ids"] == ["lovelace"]


async def test_a_second_subscription_as_somebody_else_changes_nothing(node: PusherNode, client: PusherClient) -> None:
    await client.join(CHANNEL, "ada")
    assert (await join_with(client, '{"user_id":"eve"}'))["event"] == "pusher:error"
    assert [member.user_id for member in await node.broker.members(node.app.id, CHANNEL)] == ["ada"]
    await client.leave()
    node.assert_nothing_is_kept()
