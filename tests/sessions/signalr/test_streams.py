"""Channels as streams: ``StreamEvents``."""

import gc
import json
from typing import Any

import pytest

from skubber.codecs.signalr import MAX_INVOCATION_ID_LENGTH
from skubber.core.event import Event
from skubber.sessions.signalr import event_stream
from skubber.sessions.signalr.session import MAX_STREAMS
from support.pusher_client import subscription
from support.signalr_client import SignalRNode, WebSocketClient, error_code, event
from support.signalr_messages import ENCODINGS, Encoding, Said
from support.slow_broker import SlowBroker

IN_BOTH_ENCODINGS = pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)


@pytest.fixture
def client(node: SignalRNode) -> WebSocketClient:
    """A client that may do everything."""
    return node.connect_client(node.token("ada", "*"))


async def publish(node: SignalRNode, channel: str = "c", name: str = "e", excluded: str | None = None) -> None:
    """Publish an event."""
    await node.hub.publish(node.app, (channel,), Event(name, b'"d"'), excluded)


def item(invocation_id: str, name: str = "e", channel: str = "c", **more: Any) -> Said:
    """An item of a stream."""
    return {"type": 2, "invocationId": invocation_id, "item": event(name, channel, **more)}


def cancel(client: WebSocketClient, invocation_id: str) -> None:
    """Cancel a stream."""
    client.send({"type": 5, "invocationId": invocation_id})


def refused(client: WebSocketClient, *arguments: Any, **options: Any) -> str:
    """Open a stream, which must fail; returns the error's code."""
    invocation_id = client.stream(*arguments, **options)
    (completion,) = client.received()
    assert (completion["type"], completion["invocationId"]) == (3, invocation_id)
    return error_code(completion)


async def subscribers(node: SignalRNode, channel: str = "c") -> int:
    """How many subscriptions a channel has, in the broker as on this node."""
    count = (await node.broker.occupancy(node.app.id, channel)).subscriptions
    namespace = node.hub._namespaces[node.app.id]
    assert len(namespace.channels.get(channel, ())) == count
    return count


@IN_BOTH_ENCODINGS
async def test_a_stream_brings_the_channels_events_until_it_is_cancelled(node: SignalRNode, encoding: Encoding) -> None:
    client = node.connect_client(encoding=encoding)
    invocation_id = client.stream("c")
    assert client.received() == []
    await publish(node, name="first")
    await publish(node, name="second")
    assert client.received() == [item(invocation_id, "first"), item(invocation_id, "second")]
    cancel(client, invocation_id)
    assert client.received() == [{"type": 3, "invocationId": invocation_id}]
    await publish(node)
    assert client.received() == []
    assert await subscribers(node) == 0


@pytest.mark.parametrize("target", ["StreamEvents", "streamevents", "STREAMEVENTS"])
async def test_the_method_is_found_in_whatever_case(node: SignalRNode, client: WebSocketClient, target: str) -> None:
    client.send({"type": 4, "invocationId": "1", "target": target, "arguments": ["c"]})
    await publish(node)
    assert client.received() == [item("1")]


async def test_a_cancellation_comes_behind_what_the_stream_still_owes(
    node: SignalRNode, client: WebSocketClient
) -> None:
    invocation_id = client.stream("c")
    await publish(node)
    cancel(client, invocation_id)
    assert client.received() == [item(invocation_id), {"type": 3, "invocationId": invocation_id}]


async def test_unsubscribing_ends_the_channels_stream(node: SignalRNode, client: WebSocketClient) -> None:
    stream, other = client.stream("c"), client.stream("d")
    invocation_id = client.invoke("Unsubscribe", "c")
    assert client.received() == [{"type": 3, "invocationId": stream}, {"type": 3, "invocationId": invocation_id}]
    await publish(node)
    await publish(node, "d")
    assert client.received() == [item(other, channel="d")]


async def test_a_channel_is_streamed_or_subscribed_and_only_once(node: SignalRNode, client: WebSocketClient) -> None:
    stream = client.stream("c")
    assert refused(client, "c") == "already_subscribed"
    assert client.refused("Subscribe", "c") == "already_subscribed"
    client.call("Subscribe", "d")
    client.received()
    assert refused(client, "d") == "already_subscribed"
    await publish(node)
    await publish(node, "d")
    assert client.received() == [
        item(stream),
        {"type": 1, "target": "Event", "arguments": [event("e", "d")]},
    ]


async def test_a_channel_can_be_streamed_again_when_its_stream_is_over(
    node: SignalRNode, client: WebSocketClient
) -> None:
    for _ in range(3):
        client.stream("c", invocation_id="1")
        await publish(node)
        assert client.received() == [item("1")]
        cancel(client, "1")
        assert client.received() == [{"type": 3, "invocationId": "1"}]


async def test_a_stream_has_an_id_of_its_own(node: SignalRNode, client: WebSocketClient) -> None:
    client.stream("c", invocation_id="1")
    assert refused(client, "d", invocation_id="1") == "too_many_streams"
    await publish(node)
    assert client.received() == [item("1")]
    assert await subscribers(node, "d") == 0


async def test_a_connection_has_so_many_streams_and_no_more(node: SignalRNode, client: WebSocketClient) -> None:
    for number in range(MAX_STREAMS):
        client.stream(f"c{number}", invocation_id=f"s{number}")
    assert client.received() == []
    assert refused(client, "one-more") == "too_many_streams"
    cancel(client, "s7")
    client.received()
    client.stream("one-more", invocation_id="x")
    await publish(node, "one-more")
    assert client.received() == [item("x", channel="one-more")]


async def test_a_cancellation_of_nothing_is_answered_with_nothing(client: WebSocketClient) -> None:
    cancel(client, "1")
    client.call("Subscribe", "c")
    client.received()
    cancel(client, "c")
    assert client.received() == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "invalid_arguments"),
        ((7,), "invalid_arguments"),
        (("a b",), "invalid_channel_name"),
        (("private-c", "junk"), "invalid_signature"),
        (("presence-c", "junk"), "invalid_signature"),
        (("#server-to-user-bob",), "sign_in_required"),
    ],
)
async def test_a_stream_that_cannot_be_ends_before_it_begins(
    node: SignalRNode, client: WebSocketClient, arguments: tuple[Any, ...], code: str
) -> None:
    assert refused(client, *arguments) == code
    client.stream("c")
    await publish(node)
    assert client.events() == ["e"]


@pytest.mark.parametrize("target", ["Subscribe", "Stream", "", "x" * 20_000])
async def test_there_is_one_stream_only(client: WebSocketClient, target: str) -> None:
    client.send({"type": 4, "invocationId": "1", "target": target, "arguments": ["c"]})
    (completion,) = client.received()
    assert error_code(completion) == "unknown_stream"
    assert len(completion["error"]) < 300


async def test_the_longest_id_there_may_be_is_fine(node: SignalRNode, client: WebSocketClient) -> None:
    invocation_id = client.stream("c", invocation_id="\u00e9" * MAX_INVOCATION_ID_LENGTH)
    await publish(node)
    assert client.received() == [item(invocation_id)]


async def test_a_private_channel_is_streamed_by_grant_or_by_signature(node: SignalRNode) -> None:
    client = node.connect_client(node.token("ada", "private-granted"))
    granted = client.stream("private-granted")
    signed = client.stream(*subscription(client.connection_id, "private-signed").values())
    for channel in ("private-granted", "private-signed"):
        await publish(node, channel)
    assert client.received() == [item(granted, channel="private-granted"), item(signed, channel="private-signed")]


async def test_who_streams_a_private_channel_may_send_on_it(node: SignalRNode, client: WebSocketClient) -> None:
    other = node.connect_client(node.token("bob", "*"))
    for each in (client, other):
        each.stream("presence-c", invocation_id="1")
    client.received()
    client.call("Trigger", "presence-c", "client-e", "d")
    *_, received = other.received()
    assert received == item("1", "client-e", "presence-c", userId="ada")
    assert client.received() == []


async def test_a_stream_of_a_presence_channel_makes_a_member_of_whom_others_hear(node: SignalRNode) -> None:
    watcher, ada = (node.connect_client(node.token(user, "*")) for user in ("watcher", "ada"))
    stream = watcher.stream("presence-c")
    channel_data = json.dumps({"user_id": "ada"})
    ada.stream(*subscription(ada.connection_id, "presence-c", channel_data).values())
    await publish(node, "presence-c")
    ada.hang_up()
    added, received, removed = watcher.received()
    # Who comes and goes is no item of the stream.
    assert (added["target"], *added["arguments"]) == (
        "MemberAdded",
        {"channel": "presence-c", "userId": "ada", "userInfo": None},
    )
    assert received == item(stream, channel="presence-c")
    assert (removed["target"], *removed["arguments"]) == ("MemberRemoved", {"channel": "presence-c", "userId": "ada"})


async def test_the_publishers_connection_is_excluded_from_its_streams_too(
    node: SignalRNode, client: WebSocketClient
) -> None:
    other = node.connect_client()
    for each in (client, other):
        each.stream("c", invocation_id="1")
    await publish(node, excluded=client.connection_id)
    assert (client.received(), other.received()) == ([], [item("1")])


async def test_dispatch_by_name_makes_no_difference_to_a_stream(node: SignalRNode) -> None:
    client = node.connect_client(dispatch="name")
    stream = client.stream("c")
    await publish(node)
    assert client.received() == [item(stream)]


async def test_over_server_sent_events_a_stream_is_the_same(node: SignalRNode) -> None:
    client = node.connect_event_stream()
    stream = client.stream("c")
    await publish(node)
    client.send({"type": 5, "invocationId": stream})
    assert client.received() == [item(stream), {"type": 3, "invocationId": stream}]


async def test_streams_end_with_their_connection_and_nothing_is_kept_of_them(node: SignalRNode) -> None:
    client = node.connect_client(node.token("ada", "*"))
    for number, channel in enumerate(("c", "private-c", "presence-c")):
        client.stream(channel, invocation_id=f"nobody else's {number}")
    client.hang_up()
    node.assert_nothing_is_kept()
    del client
    gc.collect()
    assert not [name for _, name in event_stream._formats if name.startswith("nobody else's")]


class TestBroker:
    """The broker takes its time, or fails."""

    @pytest.fixture
    def broker(self) -> SlowBroker:
        return SlowBroker()

    @pytest.fixture
    def node(self, broker: SlowBroker) -> SignalRNode:
        return SignalRNode(broker=broker)

    @pytest.mark.parametrize("channel", ["c", "presence-c"])
    async def test_a_stream_that_cannot_be_opened_for_now_can_be_later(
        self, node: SignalRNode, broker: SlowBroker, client: WebSocketClient, channel: str
    ) -> None:
        broker.fail("subscribe")
        assert refused(client, channel, invocation_id="1") == "broker_unavailable"
        assert await subscribers(node, channel) == 0
        broker.recover()
        client.stream(channel, invocation_id="1")
        await publish(node, channel)
        assert client.received() == [item("1", channel=channel)]

    @pytest.mark.parametrize("call", ["unsubscribe", "leave"])
    async def test_a_stream_can_be_cancelled_even_so(
        self, node: SignalRNode, broker: SlowBroker, client: WebSocketClient, call: str
    ) -> None:
        stream = client.stream("presence-c")
        broker.fail(call)
        cancel(client, stream)
        assert client.received() == [{"type": 3, "invocationId": stream}]
        await publish(node, "presence-c")
        assert client.received() == []
        assert client.close_code is None

    async def test_unsubscribing_ends_a_stream_even_so(
        self, node: SignalRNode, broker: SlowBroker, client: WebSocketClient
    ) -> None:
        stream = client.stream("c")
        broker.fail("unsubscribe")
        client.call("Unsubscribe", "c")
        assert client.received() == [{"type": 3, "invocationId": stream}]
