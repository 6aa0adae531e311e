"""Users: sign-in, their own events, watchlists. Source: Pusher Channels documentation, "User features"."""

import json
from typing import Any

import pytest

from skubber.core.event import Event
from skubber.core.limits import Limits
from support.apps import SECOND_KEY, SECOND_SECRET, make_app
from support.pusher_client import Message, PusherClient, PusherNode, sign_in


def watchlist_event(name: str, *user_ids: str) -> Message:
    data = {"events": [{"name": name, "user_ids": list(user_ids)}]}
    return {"event": "pusher_internal:watchlist_events", "data": json.dumps(data, separators=(",", ":"))}


def online(*user_ids: str) -> Message:
    return watchlist_event("online", *user_ids)


def offline(*user_ids: str) -> Message:
    return watchlist_event("offline", *user_ids)


async def signed_in(node: PusherNode, user_id: str, *watchlist: str) -> PusherClient:
    """A client on which a user is signed in."""
    client = node.connect_client()
    await client.sign_in(user_id, watchlist)
    return client


async def publish_to(node: PusherNode, user_id: str, name: str = "e") -> None:
    await node.hub.publish(node.app, (f"#server-to-user-{user_id}",), Event(name, b'"d"'))


class TestSigningIn:
    async def test_it_is_answered_with_what_was_signed(self, node: PusherNode) -> None:
        client = node.connect_client()
        user_data = '{"id": "ada", "user_info": {"name": "Äda"}}'
        answer = await client.answer({"event": "pusher:signin", "data": sign_in(client.socket_id, user_data)})
        assert answer["event"] == "pusher:signin_success"
        assert json.loads(answer["data"]) == {"user_data": user_data}

    @pytest.mark.parametrize(
        "data",
        [
            None,
            {},
            {"auth": "x", "user_data": '{"id":"ada"}'},
            {"auth": "x", "user_data": {"id": "ada"}},
            {"user_data": '{"id":"ada"}'},
            sign_in("7.1", '{"id":"ada"}', SECOND_KEY, SECOND_SECRET),
            sign_in("7.2", '{"id":"ada"}'),
            sign_in("7.1", "junk"),
            sign_in("7.1", '{"id":""}'),
            sign_in("7.1", '{"id":"ada","watchlist":[""]}'),
        ],
    )
    async def test_one_that_fails_closes_the_connection_for_good(self, node: PusherNode, data: Any) -> None:
        client = node.connect_client()
        assert client.socket_id == "7.1"
        answer = await client.answer({"event": "pusher:signin", "data": data})
        assert (answer["event"], answer["data"]["code"]) == ("pusher:error", 4009)
        assert client.close_code() == 4009
        assert list(await node.broker.online(node.app.id, ["ada"])) == []

    async def test_a_second_user_is_refused(self, node: PusherNode) -> None:
        client = await signed_in(node, "ada")
        await client.send({"event": "pusher:signin", "data": sign_in(client.socket_id, '{"id":"bob"}')})
        assert client.close_code() == 4009

    async def test_the_same_user_once_more_changes_nothing(self, node: PusherNode) -> None:
        client = await signed_in(node, "ada")
        assert await client.sign_in("ada") == []
        await publish_to(node, "ada")
        assert client.events() == ["e"]
        await client.leave()
        node.assert_nothing_is_kept()

    async def test_everything_is_gone_with_the_connection(self, node: PusherNode) -> None:
        clients = [await signed_in(node, "ada", "bob", "ada") for _ in range(2)]
        for client in clients:
            await client.leave()
        node.assert_nothing_is_kept()


class TestAUsersOwnEvents:
    async def test_they_reach_all_of_the_users_connections_and_nobody_elses(self, node: PusherNode) -> None:
        tabs = [await signed_in(node, "ada") for _ in range(2)]
        other, nobody = await signed_in(node, "bob"), node.connect_client()
        await publish_to(node, "ada")
        for tab in tabs:
            assert tab.received() == [{"event": "e", "channel": "#server-to-user-ada", "data": "d"}]
        assert (other.received(), nobody.received()) == ([], [])

    async def test_the_subscription_that_pusher_js_asks_for_is_there_already(self, node: PusherNode) -> None:
        client = await signed_in(node, "ada")
        answer = await client.subscribe("#server-to-user-ada", auth="")
        assert answer == {
            "event": "pusher_internal:subscription_succeeded",
            "channel": "#server-to-user-ada",
            "data": "{}",
        }
        await publish_to(node, "ada")
        assert client.events() == ["e"]

    @pytest.mark.parametrize("channel", ["#server-to-user-bob", "#server-to-user-", "#watchlist-bob", "#watchlist-ada"])
    async def test_nobody_elses_can_be_had(self, node: PusherNode, channel: str) -> None:
        client = await signed_in(node, "ada")
        answer = await client.subscribe(**client.signed(channel))
        assert answer["event"] == "pusher:subscription_error"

    async def test_they_cannot_be_unsubscribed_from(self, node: PusherNode) -> None:
        client = await signed_in(node, "ada", "bob")
        await client.unsubscribe("#server-to-user-ada")
        await client.unsubscribe("#watchlist-bob")
        await publish_to(node, "ada")
        assert client.events() == ["e"]
        await signed_in(node, "bob")
        assert client.received() == [online("bob")]

    async def test_clients_cannot_send_any(self, node: PusherNode) -> None:
        client = await signed_in(node, "ada", "bob")
        for channel in ("#server-to-user-ada", "#watchlist-bob"):
            answer = await client.answer({"event": "client-e", "channel": channel, "data": {}})
            assert "private and presence" in answer["data"]["message"]


class TestWatchlists:
    async def test_who_is_online_is_told_right_after_the_sign_in(self, node: PusherNode) -> None:
        for user_id in ("bob", "carl"):
            await signed_in(node, user_id)
        client = node.connect_client()
        assert await client.sign_in("ada", ["eve", "carl", "bob"]) == [online("carl", "bob")]

    async def test_nothing_is_told_when_nobody_is(self, node: PusherNode) -> None:
        assert await node.connect_client().sign_in("ada", ["eve"]) == []

    async def test_a_users_first_connection_is_told_and_the_last_ones_end(self, node: PusherNode) -> None:
        watcher = await signed_in(node, "ada", "bob")
        tabs = [await signed_in(node, "bob") for _ in range(2)]
        assert watcher.received() == [online("bob")]
        await tabs[0].leave()
        assert watcher.received() == []
        await tabs[1].leave()
        assert watcher.received() == [offline("bob")]

    async def test_nobody_is_told_who_does_not_watch(self, node: PusherNode) -> None:
        watcher, bystander = await signed_in(node, "ada", "carl"), await signed_in(node, "dora")
        bob = await signed_in(node, "bob")
        await bob.leave()
        assert (watcher.received(), bystander.received()) == ([], [])

    async def test_presence_is_no_sign_in(self, node: PusherNode) -> None:
        watcher = await signed_in(node, "ada", "bob")
        await node.connect_client().join("presence-c", "bob")
        assert watcher.received() == []

    async def test_a_user_may_watch_itself(self, node: PusherNode) -> None:
        client = node.connect_client()
        assert await client.sign_in("ada", ["ada"]) == [online("ada")]
        assert client.received() == []

    async def test_of_a_list_that_is_too_long_the_first_are_watched(self) -> None:
        node = PusherNode(make_app(limits=Limits(watchlist_users=2)))
        client = node.connect_client()
        await signed_in(node, "bob")
        error, status = await client.sign_in("ada", ["bob", "bob", "carl", "eve"])
        assert error == {
            "event": "pusher:error",
            "data": {"code": 4302, "message": "Only the first 2 users are watched."},
        }
        assert status == online("bob")
        for user_id in ("carl", "eve"):
            await signed_in(node, user_id)
        assert client.received() == [online("carl")]
        assert client.close_code() is None

    async def test_a_hundred_are_few_enough(self, node: PusherNode) -> None:
        assert await node.connect_client().sign_in("ada", map(str, range(100))) == []
        (error,) = await node.connect_client().sign_in("ada", map(str, range(101)))
        assert error["data"]["code"] == 4302

    async def test_who_signed_in_without_one_may_add_one_and_the_first_stays(self, node: PusherNode) -> None:
        client = await signed_in(node, "ada")
        await signed_in(node, "bob")
        assert await client.sign_in("ada", ["bob"]) == [online("bob")]
        assert await client.sign_in("ada", ["carl"]) == []
        await signed_in(node, "carl")
        assert client.received() == []
        await client.leave()

    async def test_apps_watch_their_own_users(self, node: PusherNode) -> None:
        watcher = await signed_in(node, "ada", "bob")
        stranger = await node.broker.sign_in("other", "9.9", "bob")
        assert stranger
        assert watcher.received() == []
        assert await node.connect_client().sign_in("ada", ["bob"]) == []


class TestTheDeadline:
    """In an app that requires it, a user has to sign in within 30 seconds."""

    @pytest.fixture
    def node(self) -> PusherNode:
        return PusherNode(make_app(requires_sign_in=True))

    def test_who_does_not_is_closed_for_good(self, node: PusherNode) -> None:
        client = node.connect_client()
        node.pass_time(29)
        assert client.close_code() is None
        node.pass_time(1)
        assert client.close_code() == 4009
        (error,) = client.received()
        assert error["data"]["code"] == 4009

    async def test_subscribing_and_pings_do_not_help(self, node: PusherNode) -> None:
        client = node.connect_client()
        node.pass_time(20)
        await client.join("private-c")
        await client.send({"event": "pusher:ping", "data": {}})
        node.pass_time(10)
        assert client.close_code() == 4009

    async def test_who_does_stays(self, node: PusherNode) -> None:
        client = node.connect_client()
        node.pass_time(29)
        await client.sign_in("ada")
        node.pass_time(119)
        assert client.received() == []
        node.pass_time(1)
        assert client.events() == ["pusher:ping"]

    @pytest.mark.parametrize("activity_timeout", [1, 7, 29, 30, 31])
    def test_it_comes_in_time_however_often_clients_are_pinged(self, activity_timeout: int) -> None:
        node = PusherNode(make_app(requires_sign_in=True), activity_timeout=activity_timeout, pong_timeout=60)
        client = node.connect_client()
        node.pass_time(29)
        assert client.close_code() is None
        node.pass_time(1)
        assert client.close_code() == 4009

    def test_other_apps_have_none(self) -> None:
        node = PusherNode()
        client = node.connect_client()
        node.pass_time(60)
        assert client.close_code() is None


async def test_terminating_a_user_closes_all_of_its_connections_and_tells_who_watches(node: PusherNode) -> None:
    watcher, bystander = await signed_in(node, "bob", "ada"), await signed_in(node, "carl")
    tabs = [await signed_in(node, "ada") for _ in range(2)]
    watcher.received()
    await node.broker.terminate_user(node.app.id, "ada")
    assert [tab.close_code() for tab in tabs] == [4009, 4009]
    assert bystander.close_code() is None
    for tab in tabs:
        await tab.leave()
    assert watcher.received() == [offline("ada")]
