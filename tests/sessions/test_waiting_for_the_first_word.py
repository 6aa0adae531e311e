"""Cache channels and sign-ins above a broker that takes its time or fails: every event arrives once and in order."""

import json
from typing import Any

import pytest

from skubber.core.event import Event, PublishedEvent
from support.apps import make_app
from support.edge_client import EdgeClient, settled
from support.pusher_client import PusherNode, sign_in
from support.slow_broker import SlowBroker

SUCCEEDED, MISS, REFUSED = "pusher_internal:subscription_succeeded", "pusher:cache_miss", "pusher:subscription_error"
WATCHLIST, SIGNED_IN = "pusher_internal:watchlist_events", "pusher:signin_success"
CHANNELS = pytest.mark.parametrize("channel", ["cache-c", "private-cache-c", "presence-cache-c"])
CALLS = pytest.mark.parametrize("call", ["subscribe", "kept_event"])


@pytest.fixture
def broker() -> SlowBroker:
    """A broker that is quick until told to be slow."""
    return SlowBroker()


@pytest.fixture
def node(broker: SlowBroker) -> PusherNode:
    """A node above that broker."""
    return PusherNode(broker=broker)


def subscribe(client: EdgeClient, channel: str, user_id: str = "ada") -> None:
    client.subscribe(channel, user_id if channel.startswith("presence-") else None)


async def publish(node: PusherNode, channel: str, *names: str, excluded: str | None = None) -> None:
    """Publish events one after the other, as the HTTP API does."""
    for name in names:
        await node.hub.publish(node.app, (channel,), PublishedEvent(name, b'"d"'), excluded)


def ask_to_sign_in(client: EdgeClient, user_id: str, *watchlist: str) -> None:
    user_data = json.dumps({"id": user_id, "watchlist": watchlist})
    client.send({"event": "pusher:signin", "data": sign_in(client.socket_id, user_data)})


class TestCacheChannels:
    @CALLS
    @CHANNELS
    async def test_nothing_is_said_before_the_answer(
        self, node: PusherNode, broker: SlowBroker, channel: str, call: str
    ) -> None:
        hold = broker.hold(call)
        client = EdgeClient(node)
        subscribe(client, channel)
        await hold.reached()
        await publish(node, channel, "e")
        assert client.received() == []
        hold.release()
        await settled()
        assert client.events() == [SUCCEEDED, "e"]

    @CHANNELS
    async def test_events_from_before_the_last_one_is_looked_up_come_once_and_in_order(
        self, node: PusherNode, broker: SlowBroker, channel: str
    ) -> None:
        await publish(node, channel, "old")
        hold = broker.hold("kept_event")
        client = EdgeClient(node)
        subscribe(client, channel)
        await hold.reached()
        await publish(node, channel, "first", "second")  # in one iteration: they leave joined
        hold.release()
        await settled()
        await publish(node, channel, "third")
        assert client.events() == [SUCCEEDED, "first", "second", "third"]

    @CHANNELS
    async def test_events_from_after_it_was_looked_up_come_behind_it(
        self, node: PusherNode, broker: SlowBroker, channel: str
    ) -> None:
        await publish(node, channel, "old")
        hold = broker.hold_reply("kept_event")
        client = EdgeClient(node)
        subscribe(client, channel)
        await hold.reached()
        await publish(node, channel, "first", "second")
        hold.release()
        await settled()
        assert client.events() == [SUCCEEDED, "old", "first", "second"]

    async def test_events_from_before_and_after_come_once_and_in_order(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        hold, reply = broker.hold("kept_event"), broker.hold_reply("kept_event")
        client = EdgeClient(node)
        client.subscribe("cache-c")
        await hold.reached()
        await publish(node, "cache-c", "first", "second")
        hold.release()
        await reply.reached()
        await publish(node, "cache-c", "third")
        reply.release()
        await settled()
        assert client.events() == [SUCCEEDED, "first", "second", "third"]

    async def test_what_comes_after_a_miss_comes_behind_it(self, node: PusherNode, broker: SlowBroker) -> None:
        hold = broker.hold_reply("kept_event")
        client = EdgeClient(node)
        client.subscribe("cache-c")
        await hold.reached()
        await publish(node, "cache-c", "e")
        hold.release()
        await settled()
        assert client.events() == [SUCCEEDED, MISS, "e"]

    async def test_a_member_who_comes_meanwhile_does_not_hide_the_miss(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        hold = broker.hold_reply("kept_event")
        client, other = EdgeClient(node), EdgeClient(node)
        subscribe(client, "presence-cache-c")
        await hold.reached()
        subscribe(other, "presence-cache-c", "bob")
        hold.release()
        await settled()
        assert client.events() == [SUCCEEDED, MISS, "pusher_internal:member_added"]

    async def test_an_event_that_excludes_who_waits_comes_as_the_last_one_only(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        hold = broker.hold("kept_event")
        client = EdgeClient(node)
        client.subscribe("cache-c")
        await hold.reached()
        await publish(node, "cache-c", "e", excluded=client.socket_id)
        hold.release()
        await settled()
        assert client.events() == [SUCCEEDED, "e"]

    @CALLS
    @CHANNELS
    async def test_a_connection_lost_meanwhile_leaves_nothing_behind(
        self, node: PusherNode, broker: SlowBroker, channel: str, call: str
    ) -> None:
        hold = broker.hold(call)
        client = EdgeClient(node)
        subscribe(client, channel)
        await hold.reached()
        client.hang_up()
        hold.release()
        await settled()
        node.assert_nothing_is_kept()

    @CALLS
    @CHANNELS
    async def test_when_the_broker_fails_nothing_stays_and_it_works_later(
        self, node: PusherNode, broker: SlowBroker, channel: str, call: str
    ) -> None:
        watcher, client = EdgeClient(node), EdgeClient(node)
        subscribe(watcher, channel, "watcher")
        broker.fail(call)
        subscribe(client, channel)
        assert client.events() == [REFUSED]
        assert (await node.broker.occupancy(node.app.id, channel)).subscriptions == 1
        assert [member.user_id for member in await node.broker.members(node.app.id, channel)] == (
            ["watcher"] if channel.startswith("presence-") else []
        )
        broker.recover()
        subscribe(client, channel)
        assert client.events() == [SUCCEEDED, MISS]


class TestCounts:
    """In an app that tells subscribers how many they are."""

    @pytest.fixture
    def node(self, broker: SlowBroker) -> PusherNode:
        return PusherNode(make_app(subscription_counts=True), broker=broker)

    @pytest.mark.parametrize("channel", ["c", "cache-c"])
    async def test_the_count_follows_the_answer(self, node: PusherNode, channel: str) -> None:
        first, second = EdgeClient(node), EdgeClient(node)
        for client in (first, second):
            client.subscribe(channel)
        answers = [SUCCEEDED, MISS] if channel == "cache-c" else [SUCCEEDED]
        *before, count = second.received()
        assert [message["event"] for message in before] == answers
        assert count == {
            "event": "pusher_internal:subscription_count",
            "channel": channel,
            "data": '{"subscription_count":2}',
        }
        assert first.events() == [*answers, *["pusher_internal:subscription_count"] * 2]

    @pytest.mark.parametrize("channel", ["c", "cache-c"])
    async def test_a_count_that_cannot_be_told_is_no_reason_to_refuse_anybody(
        self, node: PusherNode, broker: SlowBroker, channel: str
    ) -> None:
        broker.fail("publish")
        client = EdgeClient(node)
        client.subscribe(channel)
        client.unsubscribe(channel)
        assert "pusher:error" not in client.events()
        client.hang_up()
        node.assert_nothing_is_kept()

    async def test_a_count_that_takes_its_time_is_told_behind_the_answer(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        hold = broker.hold("publish")
        client = EdgeClient(node)
        client.subscribe("c")
        await hold.reached()
        assert client.events() == [SUCCEEDED]
        hold.release()
        await settled()
        assert client.events() == ["pusher_internal:subscription_count"]


SIGN_IN_CALLS = ["subscribe", "sign_in", "online"]


class TestSignIns:
    @pytest.mark.parametrize("call", SIGN_IN_CALLS)
    async def test_an_event_to_the_user_meanwhile_comes_behind_the_answer(
        self, node: PusherNode, broker: SlowBroker, call: str
    ) -> None:
        hold = broker.hold(call)
        client = EdgeClient(node)
        ask_to_sign_in(client, "ada", "bob")
        await hold.reached()
        node.hub.deliver(node.app.id, "#server-to-user-ada", Event("e", b'"d"'), None)
        assert client.received() == []
        hold.release()
        await settled()
        assert client.events() == [SIGNED_IN, "e"]

    async def test_who_goes_offline_meanwhile_does_not_stay_online(self, node: PusherNode, broker: SlowBroker) -> None:
        client, bob = EdgeClient(node), EdgeClient(node)
        ask_to_sign_in(bob, "bob")
        hold = broker.hold_reply("online")
        ask_to_sign_in(client, "ada", "bob")
        await hold.reached()
        bob.hang_up()
        hold.release()
        await settled()
        assert statuses(client.received()) == [SIGNED_IN, ("online", ["bob"]), ("offline", ["bob"])]

    async def test_who_comes_online_meanwhile_is_not_missed(self, node: PusherNode, broker: SlowBroker) -> None:
        client, bob = EdgeClient(node), EdgeClient(node)
        hold = broker.hold_reply("online")
        ask_to_sign_in(client, "ada", "bob")
        await hold.reached()
        ask_to_sign_in(bob, "bob")
        hold.release()
        await settled()
        assert statuses(client.received()) == [SIGNED_IN, ("online", ["bob"])]

    @pytest.mark.parametrize("call", SIGN_IN_CALLS)
    async def test_a_user_terminated_meanwhile_is_closed(self, node: PusherNode, broker: SlowBroker, call: str) -> None:
        hold = broker.hold(call)
        client = EdgeClient(node)
        ask_to_sign_in(client, "ada", "bob")
        await hold.reached()
        await broker.terminate_user(node.app.id, "ada")
        client.received()
        assert client.close_code == 4009
        hold.release()
        await settled()
        node.assert_nothing_is_kept()

    @pytest.mark.parametrize("call", SIGN_IN_CALLS)
    async def test_a_connection_lost_meanwhile_leaves_nothing_behind(
        self, node: PusherNode, broker: SlowBroker, call: str
    ) -> None:
        watcher, client = EdgeClient(node), EdgeClient(node)
        ask_to_sign_in(watcher, "watcher", "ada")
        watcher.received()
        hold = broker.hold(call)
        ask_to_sign_in(client, "ada", "bob")
        await hold.reached()
        client.hang_up()
        hold.release()
        await settled()
        assert statuses(watcher.received()) == [("online", ["ada"]), ("offline", ["ada"])]
        watcher.hang_up()
        await settled()
        node.assert_nothing_is_kept()

    @pytest.mark.parametrize("call", SIGN_IN_CALLS)
    @pytest.mark.parametrize("error", [None, RuntimeError("unforeseen")])
    async def test_when_the_broker_fails_the_client_comes_back_and_nothing_stays(
        self, node: PusherNode, broker: SlowBroker, call: str, error: Exception | None
    ) -> None:
        client = EdgeClient(node)
        broker.fail(call, error=error)
        ask_to_sign_in(client, "ada", "bob", "carl")
        client.received()
        assert client.close_code == (4100 if error is None else 1011)
        broker.recover()
        client.hang_up()
        await settled()
        node.assert_nothing_is_kept()

    async def test_a_sign_out_that_fails_keeps_nobody_on_the_channels(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        client = EdgeClient(node)
        ask_to_sign_in(client, "ada", "bob")
        broker.fail("sign_out")
        client.hang_up()
        await settled()
        assert node.hub._namespaces == {}
        assert await broker.channels(node.app.id, "") == {}


def statuses(messages: list[dict[str, Any]]) -> list[Any]:
    """Events by their names, watchlist events by what they say."""
    said: list[Any] = []
    for message in messages:
        if message["event"] == WATCHLIST:
            said += [(each["name"], each["user_ids"]) for each in json.loads(message["data"])["events"]]
        else:
            said.append(message["event"])
    return said
