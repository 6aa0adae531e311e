"""Sessions above a broker that takes its time or fails: whatever the client does meanwhile, nobody is left behind."""

import json

import pytest

from skubber.core.event import Event
from support.edge_client import EdgeClient, settled
from support.pusher_client import PusherNode
from support.slow_broker import SlowBroker

SUCCEEDED = "pusher_internal:subscription_succeeded"
REFUSED = "pusher:subscription_error"
ADDED, REMOVED = "pusher_internal:member_added", "pusher_internal:member_removed"
CHANNELS = pytest.mark.parametrize("channel", ["c", "private-c", "presence-c"])


@pytest.fixture
def broker() -> SlowBroker:
    """A broker that is quick until told to be slow."""
    return SlowBroker()


@pytest.fixture
def node(broker: SlowBroker) -> PusherNode:
    """A node above that broker."""
    return PusherNode(broker=broker)


def subscribe(client: EdgeClient, channel: str) -> None:
    client.subscribe(channel, "ada" if channel.startswith("presence-") else None)


async def assert_only(node: PusherNode, channel: str, subscriptions: int, *users: str) -> None:
    """The channel has so many subscriptions and these users, on this node and in the broker."""
    occupancy = await node.broker.occupancy(node.app.id, channel)
    assert occupancy.subscriptions == subscriptions
    assert sorted(member.user_id for member in await node.broker.members(node.app.id, channel)) == sorted(users)
    namespace = node.hub._namespaces[node.app.id]
    assert len(namespace.channels.get(channel, ())) == subscriptions
    assert sorted(namespace.users) == sorted(users)


@CHANNELS
async def test_a_subscription_that_waits_is_answered_when_the_broker_has(
    node: PusherNode, broker: SlowBroker, channel: str
) -> None:
    hold = broker.hold("subscribe")
    client = EdgeClient(node)
    subscribe(client, channel)
    await hold.reached()
    assert client.received() == []
    hold.release()
    await settled()
    assert client.events() == [SUCCEEDED]


async def test_what_a_client_says_while_it_waits_is_answered_afterwards_in_order(
    node: PusherNode, broker: SlowBroker
) -> None:
    hold = broker.hold("subscribe")
    client = EdgeClient(node)
    client.subscribe("c")
    client.subscribe("c")
    client.send({"event": "pusher:ping", "data": {}})
    await hold.reached()
    assert client.received() == []
    hold.release()
    await settled()
    assert client.events() == [SUCCEEDED, "pusher:error", "pusher:pong"]
    await assert_only(node, "c", 1)


async def test_a_client_that_waits_delays_no_other(node: PusherNode, broker: SlowBroker) -> None:
    hold = broker.hold("join")
    waiting, quick = EdgeClient(node), EdgeClient(node)
    waiting.subscribe("presence-c", "ada")
    await hold.reached()
    quick.subscribe("c")
    assert quick.events() == [SUCCEEDED]
    hold.release()
    await settled()


@pytest.mark.parametrize(
    ("channel", "call"),
    [
        ("c", "subscribe"),
        ("private-c", "subscribe"),
        ("presence-c", "join"),
        ("presence-c", "subscribe"),
    ],
)
async def test_a_connection_lost_while_it_subscribes_leaves_nothing_behind(
    node: PusherNode, broker: SlowBroker, channel: str, call: str
) -> None:
    hold, reply = broker.hold(call), broker.hold_reply(call)
    client = EdgeClient(node)
    subscribe(client, channel)
    client.hang_up()
    hold.release()
    reply.release()
    await settled()
    node.assert_nothing_is_kept()
    assert client.received() == []


@pytest.mark.parametrize("call", ["join", "subscribe"])
async def test_the_others_hear_of_a_member_who_came_and_went_while_it_waited_as_often_as_the_other(
    node: PusherNode, broker: SlowBroker, call: str
) -> None:
    watcher, client = EdgeClient(node), EdgeClient(node)
    watcher.subscribe("presence-c", "watcher")
    hold = broker.hold(call)
    client.subscribe("presence-c", "ada")
    await hold.reached()
    client.hang_up()
    hold.release()
    await settled()
    assert watcher.events() == [SUCCEEDED, ADDED, REMOVED]
    await assert_only(node, "presence-c", 1, "watcher")


@CHANNELS
async def test_an_unsubscription_sent_while_the_subscription_waits_ends_it(
    node: PusherNode, broker: SlowBroker, channel: str
) -> None:
    hold = broker.hold("subscribe")
    client = EdgeClient(node)
    subscribe(client, channel)
    client.unsubscribe(channel)
    await hold.reached()
    hold.release()
    await settled()
    assert client.events() == [SUCCEEDED]
    await assert_only(node, channel, 0)
    await node.hub.publish(node.app, (channel,), Event("e", b'"1"'))
    assert client.received() == []


async def test_a_client_terminated_while_it_joins_is_gone_when_it_has_joined(
    node: PusherNode, broker: SlowBroker
) -> None:
    hold = broker.hold_reply("join")
    client = EdgeClient(node)
    client.subscribe("presence-c", "ada")
    await hold.reached()
    await broker.terminate_user(node.app.id, "ada")
    assert client.events() == ["pusher:error"]
    assert client.close_code == 4009
    hold.release()
    await settled()
    node.assert_nothing_is_kept()


@pytest.mark.parametrize("call", ["unsubscribe", "leave"])
async def test_leaving_waits_for_the_broker_and_the_connection_hears_nothing_meanwhile(
    node: PusherNode, broker: SlowBroker, call: str
) -> None:
    watcher, client = EdgeClient(node), EdgeClient(node)
    watcher.subscribe("presence-c", "watcher")
    client.subscribe("presence-c", "ada")
    client.subscribe("c")
    client.received()
    hold = broker.hold(call)
    client.hang_up()
    await hold.reached()
    node.hub.deliver(node.app.id, "c", Event("e", b'"1"'), None)
    assert client.received() == []
    hold.release()
    await settled()
    assert watcher.events() == [SUCCEEDED, ADDED, REMOVED]
    await assert_only(node, "presence-c", 1, "watcher")


class TestWhoIsThere:
    """While the broker is asked who is on a presence channel, others come and go."""

    async def test_who_comes_meanwhile_is_not_missed(self, node: PusherNode, broker: SlowBroker) -> None:
        hold = broker.hold_reply("join")
        ada, bob = EdgeClient(node), EdgeClient(node)
        ada.subscribe("presence-c", "ada")
        await hold.reached()
        bob.subscribe("presence-c", "bob")
        assert ada.received() == []
        hold.release()
        await settled()
        success, added = ada.received()
        assert json.loads(success["data"])["presence"]["ids"] == ["ada"]
        assert (added["event"], json.loads(added["data"])["user_id"]) == (ADDED, "bob")
        success, *_ = bob.received()
        assert json.loads(success["data"])["presence"]["ids"] == ["ada", "bob"]

    async def test_who_leaves_meanwhile_does_not_stay(self, node: PusherNode, broker: SlowBroker) -> None:
        ada, bob = EdgeClient(node), EdgeClient(node)
        bob.subscribe("presence-c", "bob")
        hold = broker.hold_reply("join")
        ada.subscribe("presence-c", "ada")
        await hold.reached()
        bob.hang_up()
        hold.release()
        await settled()
        success, removed = ada.received()
        assert json.loads(success["data"])["presence"]["ids"] == ["bob", "ada"]
        assert (removed["event"], json.loads(removed["data"])["user_id"]) == (REMOVED, "bob")

    async def test_who_has_left_before_it_joined_is_not_said_to_leave(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        ada, bob = EdgeClient(node), EdgeClient(node)
        bob.subscribe("presence-c", "bob")
        hold = broker.hold("join")
        ada.subscribe("presence-c", "ada")
        await hold.reached()
        bob.hang_up()
        hold.release()
        await settled()
        (success,) = ada.received()
        assert json.loads(success["data"])["presence"]["ids"] == ["ada"]

    async def test_events_of_that_time_come_after_the_roster_in_order(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        hold = broker.hold_reply("join")
        client = EdgeClient(node)
        client.subscribe("presence-c", "ada")
        await hold.reached()
        for name in ("first", "second"):
            await node.hub.publish(node.app, ("presence-c",), Event(name, b'"1"'))
        hold.release()
        await settled()
        await node.hub.publish(node.app, ("presence-c",), Event("third", b'"1"'))
        assert client.events() == [SUCCEEDED, "first", "second", "third"]

    async def test_who_is_not_let_in_hears_nothing_of_that_time(self, node: PusherNode, broker: SlowBroker) -> None:
        hold = broker.hold("join")
        client = EdgeClient(node)
        client.subscribe("presence-c", "ada")
        await hold.reached()
        await node.hub.publish(node.app, ("presence-c",), Event("secret", b'"1"'))
        broker.fail("join")
        hold.release()
        await settled()
        await node.hub.publish(node.app, ("presence-c",), Event("secret", b'"1"'))
        assert client.events() == [REFUSED]
        await assert_only(node, "presence-c", 0)


class TestFailure:
    """The broker cannot be reached."""

    @CHANNELS
    async def test_a_subscription_is_refused_for_now_and_works_later(
        self, node: PusherNode, broker: SlowBroker, channel: str
    ) -> None:
        broker.fail("subscribe")
        client = EdgeClient(node)
        subscribe(client, channel)
        (answer,) = client.received()
        assert (answer["event"], answer["channel"]) == (REFUSED, channel)
        assert answer["data"] == {"type": "Unavailable", "error": "Try again later.", "status": 503}
        await assert_only(node, channel, 0)
        broker.recover()
        subscribe(client, channel)
        assert client.events() == [SUCCEEDED]

    @pytest.mark.parametrize("call", ["join", "subscribe"])
    async def test_a_join_that_fails_half_way_is_taken_back(
        self, node: PusherNode, broker: SlowBroker, call: str
    ) -> None:
        watcher, client = EdgeClient(node), EdgeClient(node)
        watcher.subscribe("presence-c", "watcher")
        watcher.received()
        broker.fail(call)
        client.subscribe("presence-c", "ada")
        assert client.events() == [REFUSED]
        await assert_only(node, "presence-c", 1, "watcher")
        heard = watcher.events()
        assert heard.count(ADDED) == (call == "subscribe")
        # What a broker cannot publish it makes up for by itself; where it can, who was announced is taken back.
        assert heard.count(REMOVED) == heard.count(ADDED)

    async def test_a_second_tab_that_fails_to_join_leaves_the_first_in(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        watcher, tab, second_tab = (EdgeClient(node) for _ in range(3))
        watcher.subscribe("presence-c", "watcher")
        tab.subscribe("presence-c", "ada")
        broker.fail("subscribe")
        second_tab.subscribe("presence-c", "ada")
        assert second_tab.events() == [REFUSED]
        assert watcher.events() == [SUCCEEDED, ADDED]
        await assert_only(node, "presence-c", 2, "ada", "watcher")

    async def test_a_client_event_is_answered_with_an_error(self, node: PusherNode, broker: SlowBroker) -> None:
        client = EdgeClient(node)
        client.subscribe("private-c")
        client.received()
        broker.fail("publish")
        client.send({"event": "client-x", "channel": "private-c", "data": {}})
        (answer,) = client.received()
        assert answer == {"event": "pusher:error", "data": {"code": None, "message": "Try again later."}}
        assert client.close_code is None

    async def test_who_unsubscribes_hears_no_more_even_so(self, node: PusherNode, broker: SlowBroker) -> None:
        client = EdgeClient(node)
        client.subscribe("c")
        client.received()
        broker.fail("unsubscribe")
        client.unsubscribe("c")
        assert client.events() == ["pusher:error"]
        await node.hub.publish(node.app, ("c",), Event("e", b'"1"'))
        assert client.received() == []

    async def test_one_channel_that_cannot_be_left_keeps_nobody_on_the_others(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        client = EdgeClient(node)
        for channel in ("presence-a", "presence-b"):
            client.subscribe(channel, "ada")
        broker.fail("unsubscribe")
        client.hang_up()
        await settled()
        assert node.hub._namespaces == {}
        for channel in ("presence-a", "presence-b"):
            assert list(await broker.members(node.app.id, channel)) == []

    @pytest.mark.parametrize("call", ["join", "subscribe"])
    async def test_an_error_nobody_foresaw_closes_the_connection_and_leaves_nothing_behind(
        self, node: PusherNode, broker: SlowBroker, call: str
    ) -> None:
        client = EdgeClient(node)
        broker.fail(call, error=RuntimeError("unforeseen"))
        client.subscribe("presence-c", "ada")
        assert client.received() == []
        assert client.close_code == 1011
        node.assert_nothing_is_kept()

    async def test_an_error_nobody_foresaw_in_leaving_keeps_no_connection(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        client = EdgeClient(node)
        client.subscribe("c")
        broker.fail("unsubscribe", error=RuntimeError("unforeseen"))
        client.hang_up()
        assert client.open_connections == set()
        assert node.hub._namespaces == {}
