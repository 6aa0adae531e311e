"""SignalR sessions above a broker that takes its time: whatever happens meanwhile, nobody is left behind."""

import asyncio
from collections.abc import Callable

import pytest

from skubber.core.connection import EndReason
from skubber.core.errors import NotFoundError
from skubber.core.event import Event, MemberAdded
from support.edge_client import settled
from support.signalr_client import HubClient, SignalRNode, event
from support.signalr_messages import Said, json_record
from support.slow_broker import Hold, SlowBroker

Connect = Callable[[SignalRNode, str], HubClient]

CONNECT: dict[str, Connect] = {
    "WebSockets": lambda node, token: node.connect_client(token),
    "resumable": lambda node, token: node.connect_resumable(token),
    "version 1": lambda node, token: node.connect_resumable(token, version=1),
    "ServerSentEvents": lambda node, token: node.connect_event_stream(token),
}
"""Ways to be connected. A client may negotiate stateful reconnect and then do without."""

OVER_EVERY_TRANSPORT = pytest.mark.parametrize("connect", CONNECT.values(), ids=CONNECT)
WAYS = pytest.mark.parametrize("way", ["Subscribe", "StreamEvents"])
CHANNELS = pytest.mark.parametrize(
    ("channel", "call"),
    [
        ("c", "subscribe"),
        ("private-c", "subscribe"),
        ("presence-c", "join"),
        ("presence-c", "subscribe"),
    ],
)


@pytest.fixture
def broker() -> SlowBroker:
    """A broker that is quick until told to be slow."""
    return SlowBroker()


@pytest.fixture
def node(broker: SlowBroker) -> SignalRNode:
    """A node above that broker."""
    return SignalRNode(broker=broker)


def ask(client: HubClient, way: str, channel: str) -> None:
    """Ask for a channel's events."""
    if way == "Subscribe":
        client.invoke("Subscribe", channel)
    else:
        client.stream(channel)


def wait_in_vain(node: SignalRNode) -> None:
    """Let those that may resume not do so."""
    node.pass_time(node.connections.context.resume_window)


async def publish(node: SignalRNode, channel: str = "c", name: str = "e") -> None:
    await node.hub.publish(node.app, (channel,), Event(name, b'"d"'))


@OVER_EVERY_TRANSPORT
async def test_a_call_that_waits_is_answered_when_the_broker_has_and_others_behind_it_in_order(
    node: SignalRNode, broker: SlowBroker, connect: Connect
) -> None:
    client = connect(node, node.token("ada", "*"))
    hold = broker.hold("subscribe")
    calls = [("Subscribe", "c"), ("Subscribe", "c"), ("Unsubscribe", "c"), ("Subscribe", "c")]
    for target, channel in calls:
        client.invoke(target, channel)
    await hold.reached()
    assert client.received() == []
    hold.release()
    await settled()
    answers = [message for message in client.received() if message["type"] == 3]
    assert [(answer["invocationId"], "error" in answer) for answer in answers] == [
        ("0", False),
        ("1", True),
        ("2", False),
        ("3", False),
    ]
    assert (await broker.occupancy(node.app.id, "c")).subscriptions == 1


async def test_posts_are_dealt_with_one_after_the_other(node: SignalRNode, broker: SlowBroker) -> None:
    client = node.connect_event_stream()
    hold = broker.hold("subscribe")
    messages: list[Said] = [
        {"type": 1, "invocationId": str(number), "target": target, "arguments": ["c"]}
        for number, target in enumerate(["Subscribe", "Unsubscribe"] * 5)
    ]
    posts = [asyncio.create_task(client.post(json_record(message))) for message in messages]
    await hold.reached()
    hold.release()
    await asyncio.gather(*posts)
    answers = [message for message in client.received() if message["type"] == 3]
    assert [answer["invocationId"] for answer in answers] == [str(number) for number in range(10)]
    assert not any("error" in answer for answer in answers)
    assert await broker.channels(node.app.id, "") == {}


@OVER_EVERY_TRANSPORT
@WAYS
@CHANNELS
async def test_a_connection_lost_while_it_subscribes_leaves_nothing_behind(
    node: SignalRNode, broker: SlowBroker, connect: Connect, way: str, channel: str, call: str
) -> None:
    watcher = node.connect(node.app, "1.1")
    client = connect(node, node.token("ada", "*"))
    hold, reply = broker.hold(call), broker.hold_reply(call)
    ask(client, way, channel)
    await hold.reached()
    client.hang_up()
    hold.release()
    reply.release()
    await settled()
    wait_in_vain(node)
    await settled()
    assert node.hub._namespaces[node.app.id].connections == {"1.1": watcher}
    await node.hub.disconnect(node.app, watcher, [])
    node.assert_nothing_is_kept()


@OVER_EVERY_TRANSPORT
async def test_nothing_is_written_to_a_transport_that_is_lost(
    node: SignalRNode, broker: SlowBroker, connect: Connect
) -> None:
    """It would raise an error, in the middle of a fan-out to others."""
    client = connect(node, node.token())
    client.call("Subscribe", "c")
    other = node.connect(node.app, "1.1")
    subscription = await node.subscribe(node.app, other, "c")
    hold = broker.hold("subscribe")
    client.invoke("Subscribe", "d")
    await hold.reached()
    client.hang_up()
    await publish(node)
    node.iteration.end()
    assert other.received == ["c/e"]
    hold.release()
    await settled()
    wait_in_vain(node)
    await node.hub.disconnect(node.app, other, [subscription])
    node.assert_nothing_is_kept()


@OVER_EVERY_TRANSPORT
@pytest.mark.parametrize("reason", EndReason)
async def test_a_connection_ended_while_it_subscribes_hears_of_nothing_but_its_end(
    node: SignalRNode, broker: SlowBroker, connect: Connect, reason: EndReason
) -> None:
    client = connect(node, node.token("ada", "*"))
    client.call("Subscribe", "c")
    client.received()
    hold = broker.hold("join")
    client.invoke("Subscribe", "presence-c")
    await hold.reached()
    client.session.end(reason)
    await publish(node)
    assert client.close_message()["type"] == 7
    hold.release()
    await settled()
    assert client.received() == []
    client.hang_up()
    node.assert_nothing_is_kept()


@OVER_EVERY_TRANSPORT
async def test_a_user_terminated_while_it_joins_is_gone_when_it_has_joined(
    node: SignalRNode, broker: SlowBroker, connect: Connect
) -> None:
    client = connect(node, node.token("ada", "*"))
    hold = broker.hold_reply("join")
    client.invoke("Subscribe", "presence-c")
    await hold.reached()
    await broker.terminate_user(node.app.id, "ada")
    assert client.close_message()["error"] == "The connection was terminated by the application."
    hold.release()
    await settled()
    client.hang_up()
    node.assert_nothing_is_kept()


@OVER_EVERY_TRANSPORT
@pytest.mark.parametrize("call", ["unsubscribe", "leave"])
async def test_leaving_waits_for_the_broker_and_the_connection_hears_nothing_meanwhile(
    node: SignalRNode, broker: SlowBroker, connect: Connect, call: str
) -> None:
    client = connect(node, node.token("ada", "*"))
    client.call("Subscribe", "presence-c")
    client.call("Subscribe", "c")
    hold = broker.hold(call)
    client.hang_up()
    wait_in_vain(node)
    await hold.reached()
    node.hub.deliver(node.app.id, "c", Event("e", b'"d"'), None)
    node.iteration.end()
    assert node.connections._by_token == {}
    hold.release()
    await settled()
    node.assert_nothing_is_kept()


class TestSigningIn:
    """A client whose token names its user is signed in with the handshake."""

    async def test_what_follows_the_handshake_waits_for_it(self, node: SignalRNode, broker: SlowBroker) -> None:
        hold = broker.hold("subscribe")
        client = node.open(node.token("ada"))
        assert client.shake_hands() == {}
        client.invoke("Subscribe", "c")
        client.send({"type": 6})
        await hold.reached()
        hold.release()
        await settled()
        assert [message["type"] for message in client.received()] == [1, 3]

    @pytest.mark.parametrize("holding", [SlowBroker.hold, SlowBroker.hold_reply])
    async def test_a_connection_lost_meanwhile_leaves_nothing_behind(
        self, node: SignalRNode, broker: SlowBroker, holding: Callable[[SlowBroker, str], Hold]
    ) -> None:
        hold = holding(broker, "subscribe")
        client = node.open(node.token("ada"))
        client.shake_hands()
        await hold.reached()
        client.hang_up()
        hold.release()
        await settled()
        node.assert_nothing_is_kept()

    async def test_a_user_terminated_meanwhile_is_gone_afterwards(self, node: SignalRNode, broker: SlowBroker) -> None:
        hold = broker.hold("subscribe")
        client = node.open(node.token("ada"))
        client.shake_hands()
        await hold.reached()
        await broker.terminate_user(node.app.id, "ada")
        assert "allowReconnect" not in client.close_message()
        hold.release()
        await settled()
        client.hang_up()
        node.assert_nothing_is_kept()

    async def test_time_runs_meanwhile(self, node: SignalRNode, broker: SlowBroker) -> None:
        hold = broker.hold("subscribe")
        client = node.open(node.token("ada"))
        client.shake_hands()
        await hold.reached()
        node.pass_time(node.connections.context.client_timeout)
        assert client.close_message()["error"] == "The client was silent for too long."
        hold.release()
        await settled()
        client.hang_up()
        node.assert_nothing_is_kept()


class TestWhoIsThere:
    """While the broker is asked who is on a presence channel, others come and go."""

    @OVER_EVERY_TRANSPORT
    async def test_who_comes_meanwhile_is_told_of_behind_the_roster(
        self, node: SignalRNode, broker: SlowBroker, connect: Connect
    ) -> None:
        hold = broker.hold_reply("join")
        ada = connect(node, node.token("ada", "*"))
        ada.invoke("Subscribe", "presence-c")
        await hold.reached()
        node.hub.deliver(node.app.id, "presence-c", MemberAdded("bob", b"null"), None)
        await publish(node, "presence-c")
        assert ada.received() == []
        hold.release()
        await settled()
        succeeded, added, delivered, completion = (each for each in ada.received() if each["type"] in {1, 3})
        assert [member["userId"] for member in succeeded["arguments"][0]["members"]] == ["ada"]
        assert (added["target"], added["arguments"][0]["userId"]) == ("MemberAdded", "bob")
        assert delivered["arguments"] == [event("e", "presence-c")]
        assert completion["result"] == succeeded["arguments"][0]

    async def test_a_stream_begins_with_what_came_meanwhile(self, node: SignalRNode, broker: SlowBroker) -> None:
        hold = broker.hold_reply("join")
        ada = node.connect_client(node.token("ada", "*"))
        ada.stream("presence-c", invocation_id="1")
        await hold.reached()
        await publish(node, "presence-c", "first")
        assert ada.received() == []
        hold.release()
        await settled()
        await publish(node, "presence-c", "second")
        assert ada.events() == ["first", "second"]


class TestPostsAndTheEnd:
    """Over Server-Sent Events what a client posts races with the end of its stream."""

    SUBSCRIBE = json_record({"type": 1, "target": "Subscribe", "arguments": ["c"]})

    async def test_a_post_that_comes_too_late_is_told_so(self, node: SignalRNode) -> None:
        client = node.connect_event_stream()
        client.hang_up()
        with pytest.raises(NotFoundError) as error:
            await client.post(self.SUBSCRIBE)
        assert error.value.code == "no_such_connection"
        node.assert_nothing_is_kept()

    async def test_a_post_behind_one_that_waits_is_told_so_too(self, node: SignalRNode, broker: SlowBroker) -> None:
        hold = broker.hold("subscribe")
        client = node.connect_event_stream()
        first = asyncio.create_task(client.post(self.SUBSCRIBE))
        await hold.reached()
        second = asyncio.create_task(client.post(self.SUBSCRIBE))
        client.hang_up()
        hold.release()
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(result) for result in results] == [type(None), NotFoundError]
        await settled()
        node.assert_nothing_is_kept()

    async def test_a_post_queued_before_the_end_and_handled_behind_it_does_nothing(
        self, node: SignalRNode, broker: SlowBroker
    ) -> None:
        hold = broker.hold("subscribe")
        client = node.connect_event_stream()
        posts = [asyncio.create_task(client.post(self.SUBSCRIBE)) for _ in range(3)]
        await hold.reached()
        client.session.end(EndReason.TERMINATED)
        hold.release()
        results = await asyncio.gather(*posts, return_exceptions=True)
        assert results[0] is None
        assert [type(result) for result in results[1:]] == [NotFoundError, NotFoundError]
        await settled()
        client.hang_up()
        node.assert_nothing_is_kept()
