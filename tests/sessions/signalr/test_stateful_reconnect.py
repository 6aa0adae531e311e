"""Stateful reconnect: a connection that outlives its WebSocket."""

import asyncio
from typing import Any

import pytest

from skubber.core.connection import EndReason
from skubber.core.errors import ConflictError, ForbiddenError, NotFoundError
from skubber.core.event import Event
from support.edge_client import settled
from support.signalr_client import SignalRNode, WebSocketClient, event
from support.signalr_messages import ENCODINGS, Encoding, Said
from support.slow_broker import SlowBroker

IN_BOTH_ENCODINGS = pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
RESUME_WINDOW = 20
REPLAY_BYTES = 2000
PING: Said = {"type": 6}


@pytest.fixture
def broker() -> SlowBroker:
    """A broker that is quick until told to be slow."""
    return SlowBroker()


@pytest.fixture
def node(broker: SlowBroker) -> SignalRNode:
    """A node that keeps little, and not for long."""
    return SignalRNode(broker=broker, resume_window=RESUME_WINDOW, replay_bytes=REPLAY_BYTES)


def subscribed(node: SignalRNode, encoding: Encoding = ENCODINGS[0], *channels: str) -> WebSocketClient:
    """A client with stateful reconnect, subscribed to a channel; it has acknowledged nothing yet."""
    client = node.connect_resumable(node.token("ada", "*"), encoding)
    for channel in channels or ("c",):
        client.call("Subscribe", channel)
        client.received()
    return client


async def publish(node: SignalRNode, *names: str, channel: str = "c") -> None:
    """Publish events, all in one event-loop iteration."""
    for name in names:
        await node.hub.publish(node.app, (channel,), Event(name, b'"d"'))


def sequence(number: int) -> Said:
    return {"type": 9, "sequenceId": number}


def ack(number: int) -> Said:
    return {"type": 8, "sequenceId": number}


def delivery(name: str, channel: str = "c") -> Said:
    return {"type": 1, "target": "Event", "arguments": [event(name, channel)]}


def call(number: int, target: str, *arguments: Any) -> Said:
    return {"type": 1, "invocationId": str(number), "target": target, "arguments": list(arguments)}


def targets(client: WebSocketClient) -> list[str]:
    """The calls that have come, pings and answers aside."""
    return [each["target"] for each in client.received() if each["type"] == 1]


def not_found(client: WebSocketClient) -> bool:
    """Whether a connection cannot be resumed any more."""
    with pytest.raises(NotFoundError) as error:
        client.reopen()
    return error.value.code == "no_such_connection"


class TestResuming:
    @IN_BOTH_ENCODINGS
    async def test_what_was_missed_comes_again_in_order_behind_its_number(
        self, node: SignalRNode, encoding: Encoding
    ) -> None:
        client = subscribed(node, encoding)
        # Two fan-outs of one iteration leave joined, in one write: they are two messages all the same.
        await publish(node, "lost", "lost too")
        client.hang_up()
        await publish(node, "missed")
        await publish(node, "missed too")
        resumed = client.reopen()
        sequence_message, *messages = resumed.received()
        assert sequence_message == sequence(1)
        assert [each["type"] for each in messages[:2]] == [1, 3]  # the subscription
        assert messages[2:] == [delivery(name) for name in ("lost", "lost too", "missed", "missed too")]
        await publish(node, "new")
        assert resumed.received() == [delivery("new")]

    @IN_BOTH_ENCODINGS
    async def test_what_was_acknowledged_does_not(self, node: SignalRNode, encoding: Encoding) -> None:
        client = subscribed(node, encoding)
        await publish(node, "third", "fourth")
        client.received()
        await publish(node, "fifth")
        client.received()
        client.send(ack(4))
        client.hang_up()
        assert client.reopen().received() == [sequence(5), delivery("fifth")]

    async def test_of_messages_that_left_joined_all_come_again_unless_all_are_acknowledged(
        self, node: SignalRNode
    ) -> None:
        client = subscribed(node)
        await publish(node, "third", "fourth", "fifth")
        client.received()
        client.send(ack(4))
        client.hang_up()
        resumed = client.reopen()
        # The number tells the client which of them it has had.
        assert resumed.received() == [sequence(3), *(delivery(name) for name in ("third", "fourth", "fifth"))]

    async def test_streams_and_presence_go_on(self, node: SignalRNode) -> None:
        watcher = node.connect_client(node.token("watcher", "*"))
        watcher.call("Subscribe", "presence-c")
        client = subscribed(node, ENCODINGS[0], "presence-c")
        stream = client.stream("d")
        client.received()
        client.send(ack(10))
        client.hang_up()
        node.pass_time(RESUME_WINDOW - 1)
        await publish(node, "e", channel="d")
        resumed = client.reopen()
        assert resumed.received() == [
            sequence(3),
            {"type": 2, "invocationId": stream, "item": event("e", "d")},
        ]
        assert targets(watcher) == ["SubscriptionSucceeded", "MemberAdded"]
        assert resumed.connection_id == client.connection_id

    async def test_a_connection_may_be_cut_again_and_again(self, node: SignalRNode) -> None:
        client = subscribed(node)
        client.send(ack(2))
        for number in range(10):
            client.hang_up()
            await publish(node, "e")
            node.pass_time(RESUME_WINDOW - 1)
            client = client.reopen()
            assert client.received() == [sequence(number + 3), delivery("e")]
            client.send(sequence(2), ack(number + 3))
        client.hang_up()
        node.pass_time(RESUME_WINDOW)
        node.assert_nothing_is_kept()

    async def test_after_it_time_runs_as_before(self) -> None:
        node = SignalRNode(keep_alive=15, client_timeout=30)
        client = subscribed(node)
        node.pass_time(29)
        client.hang_up()
        resumed = client.reopen()
        resumed.received()
        node.pass_time(14)
        assert resumed.received() == []
        node.pass_time(1)
        assert resumed.received() == [PING]
        node.pass_time(15)
        assert resumed.close_message()["error"] == "The client was silent for too long."
        resumed.hang_up()
        node.assert_nothing_is_kept()

    async def test_a_new_token_of_the_same_user_will_do(self, node: SignalRNode) -> None:
        client = subscribed(node)
        client.hang_up()
        assert client.reopen(access_token=node.token("ada")).received()[0] == sequence(1)

    @pytest.mark.parametrize("user_id", [None, "bob"])
    async def test_nobody_else_takes_a_connection_over(self, node: SignalRNode, user_id: str | None) -> None:
        client = subscribed(node)
        client.hang_up()
        with pytest.raises(ForbiddenError) as error:
            client.reopen(access_token=node.token(user_id))
        assert error.value.code == "user_mismatch"


class TestFromTheClient:
    async def test_what_the_client_sends_again_is_not_done_again(self, node: SignalRNode) -> None:
        client, other = subscribed(node, ENCODINGS[0], "private-c"), node.connect_client(node.token(None, "*"))
        other.call("Subscribe", "private-c")
        other.received()
        first, second, third = (call(number, "Trigger", "private-c", "client-e", number) for number in (1, 2, 3))
        client.send(first, second)
        client.hang_up()
        resumed = client.reopen()
        resumed.received()
        resumed.send(sequence(2), first, second, third)
        assert [argument["data"] for _, argument in other.calls()] == [1, 2, 3]
        completions = [each for each in resumed.received() if each["type"] == 3]
        assert [each["invocationId"] for each in completions] == ["3"]

    @IN_BOTH_ENCODINGS
    async def test_it_is_told_what_need_not_be_sent_again(self, node: SignalRNode, encoding: Encoding) -> None:
        client = node.connect_resumable(encoding=encoding)
        client.send(PING)
        assert client.received() == []
        client.send(call(1, "Unsubscribe", "c"), PING, {"type": 5, "invocationId": "x"})
        assert client.received() == [{"type": 3, "invocationId": "1"}, ack(2)]
        client.send({"type": 2, "invocationId": "x", "item": 1}, {"type": 3, "invocationId": "x"})
        assert client.received() == [ack(4)]

    async def test_before_it_says_where_it_goes_on_nothing_counts(self, node: SignalRNode) -> None:
        client = subscribed(node)
        client.hang_up()
        resumed = client.reopen()
        resumed.received()
        resumed.send(call(2, "Unsubscribe", "c"))
        assert resumed.received() == []
        resumed.send(sequence(2), call(2, "Unsubscribe", "c"))
        assert [each["type"] for each in resumed.received()] == [3, 8]

    async def test_who_skips_messages_is_closed_for_good(self, node: SignalRNode) -> None:
        client = subscribed(node)
        client.hang_up()
        resumed = client.reopen()
        resumed.received()
        resumed.send(sequence(3), call(3, "Unsubscribe", "c"))
        close = resumed.close_message()
        assert "skips messages" in close["error"]
        assert "allowReconnect" not in close
        await settled()
        assert not_found(resumed)
        resumed.hang_up()
        node.assert_nothing_is_kept()

    async def test_half_a_message_before_the_cut_is_none(self, node: SignalRNode) -> None:
        client = subscribed(node)
        client.send_bytes(b'{"type":1,"invocationId":"2","tar')
        client.hang_up()
        resumed = client.reopen()
        resumed.received()
        resumed.send(sequence(2), call(2, "Unsubscribe", "c"))
        assert [each["type"] for each in resumed.received()] == [3, 8]


class TestTheEnd:
    async def test_a_client_that_does_not_come_back_is_gone(self, node: SignalRNode) -> None:
        watcher = node.connect_client(node.token("watcher", "*"))
        watcher.call("Subscribe", "presence-c")
        client = subscribed(node, ENCODINGS[0], "presence-c")
        client.stream("d")
        client.hang_up()
        node.pass_time(RESUME_WINDOW - 1)
        assert targets(watcher) == ["SubscriptionSucceeded", "MemberAdded"]
        node.pass_time(1)
        assert targets(watcher) == ["MemberRemoved"]
        assert not_found(client)
        watcher.hang_up()
        node.assert_nothing_is_kept()

    @pytest.mark.parametrize("version", [1, 2])
    async def test_who_closes_is_gone_at_once(self, node: SignalRNode, version: int) -> None:
        client = node.connect_resumable(version=version)
        client.call("Subscribe", "c")
        client.send({"type": 7})
        client.received()
        assert client.close_code == 1000
        await settled()
        assert not_found(client)
        client.hang_up()
        node.assert_nothing_is_kept()

    async def test_who_shook_hands_without_it_is_gone_at_once_too(self, node: SignalRNode) -> None:
        client = node.connect_resumable(version=1)
        client.call("Subscribe", "c")
        client.hang_up()
        assert not_found(client)
        node.assert_nothing_is_kept()

    async def test_without_a_handshake_there_is_nothing_to_go_on_with(self, node: SignalRNode) -> None:
        query = node.query(useStatefulReconnect="true")
        client = WebSocketClient(node, {**query, "id": node.negotiate(query).token}, ENCODINGS[0])
        with pytest.raises(ConflictError):
            client.reopen()
        client.hang_up()
        assert not_found(client)
        node.assert_nothing_is_kept()

    async def test_who_did_not_negotiate_it_does_not_get_it(self, node: SignalRNode) -> None:
        query = node.query()
        client = WebSocketClient(node, {**query, "id": node.negotiate(query).token}, ENCODINGS[0])
        assert client.shake_hands(version=2) == {}
        client.invoke("Unsubscribe", "c")
        assert [each["type"] for each in client.received()] == [3]
        client.hang_up()
        assert not_found(client)
        node.assert_nothing_is_kept()

    @pytest.mark.parametrize("reason", EndReason)
    async def test_a_connection_that_is_cut_can_be_ended(self, node: SignalRNode, reason: EndReason) -> None:
        client = subscribed(node)
        client.hang_up()
        for _ in range(2):
            client.session.end(reason)
        assert not_found(client)
        node.assert_nothing_is_kept()

    async def test_terminating_the_user_ends_a_connection_that_is_cut(self, node: SignalRNode) -> None:
        client = subscribed(node, ENCODINGS[0], "presence-c")
        client.hang_up()
        await node.broker.terminate_user(node.app.id, "ada")
        assert not_found(client)
        node.assert_nothing_is_kept()

    async def test_the_token_ends_a_connection_that_was_resumed_too(self) -> None:
        node = SignalRNode(keep_alive=15)
        client = node.connect_resumable(node.token(lifetime=20))
        client.hang_up()
        node.pass_time(18)
        resumed = client.reopen()
        node.pass_time(1)
        resumed.send(sequence(1))
        node.pass_time(1)
        assert resumed.close_message()["error"].startswith("The access token has expired")

    async def test_leaving_waits_for_the_broker_and_nobody_resumes_meanwhile(
        self, node: SignalRNode, broker: SlowBroker
    ) -> None:
        client = subscribed(node)
        hold = broker.hold("unsubscribe")
        client.hang_up()
        node.pass_time(RESUME_WINDOW)
        await hold.reached()
        assert not_found(client)
        hold.release()
        await settled()
        node.assert_nothing_is_kept()


class TestOverrun:
    """A client that has missed more than is kept for it cannot resume: it must know that something is lost."""

    async def test_a_client_may_miss_as_much_as_is_kept(self, node: SignalRNode) -> None:
        client = subscribed(node)
        client.received()
        client.send(ack(2))
        client.hang_up()
        names = [f"e{number:02}" for number in range(20)]
        for name in names:
            await publish(node, name)
            node.iteration.end()
        assert client.reopen().received() == [sequence(3), *map(delivery, names)]

    async def test_a_client_that_has_missed_more_is_refused_and_forgotten_in_time(self, node: SignalRNode) -> None:
        client = subscribed(node)
        client.hang_up()
        for _ in range(20):
            await publish(node, "x" * 100)
            node.iteration.end()
        assert not_found(client)
        assert client.session.replay is not None
        assert client.session.replay._bytes <= REPLAY_BYTES
        node.pass_time(RESUME_WINDOW)
        node.assert_nothing_is_kept()

    async def test_a_client_that_never_acknowledges_is_served_and_then_refused(self, node: SignalRNode) -> None:
        client = subscribed(node)
        for _ in range(20):
            await publish(node, "x" * 100)
            assert client.events() == ["x" * 100]
        client.hang_up()
        assert not_found(client)
        node.assert_nothing_is_kept()

    async def test_a_client_that_acknowledges_in_time_has_lost_nothing(self, node: SignalRNode) -> None:
        client = subscribed(node)
        client.received()
        for number in range(3, 100):
            await publish(node, "x" * 100)
            client.received()
            client.send(ack(number))
        client.hang_up()
        await publish(node, "missed")
        assert client.reopen().received() == [sequence(100), delivery("missed")]


class TestTakingOver:
    """A client may notice before the server does that a connection is cut."""

    async def test_a_second_websocket_takes_over_from_one_that_is_still_open(self, node: SignalRNode) -> None:
        client = subscribed(node)
        client.send(ack(2))
        resumed = client.reopen()
        await publish(node, "e")
        assert client.received() == []
        assert client.close_code == 1000
        assert resumed.received() == [sequence(3), delivery("e")]
        client.hang_up()
        await publish(node, "another")
        assert resumed.received() == [delivery("another")]
        node.pass_time(node.connections.context.keep_alive)
        assert resumed.received() == [PING]
        resumed.hang_up()
        node.pass_time(RESUME_WINDOW)
        node.assert_nothing_is_kept()

    async def test_what_still_comes_over_the_first_does_not_count(self, node: SignalRNode) -> None:
        client = subscribed(node)
        resumed = client.reopen()
        resumed.received()
        client.send(sequence(2), call(2, "Unsubscribe", "c"), {"type": 7})
        assert resumed.received() == []
        await publish(node, "e")
        assert resumed.events() == ["e"]

    async def test_a_call_that_waits_is_answered_over_the_second_before_what_comes_over_that(
        self, node: SignalRNode, broker: SlowBroker
    ) -> None:
        client = node.connect_resumable()
        hold = broker.hold("subscribe")
        client.send(call(1, "Subscribe", "c"), call(2, "Unsubscribe", "nothing"))
        await hold.reached()
        resumed = client.reopen()
        resumed.send(sequence(2), call(2, "Unsubscribe", "nothing"), call(3, "Unsubscribe", "c"))
        assert resumed.received() == [sequence(1)]
        hold.release()
        await settled()
        completions = [each for each in resumed.received() if each["type"] == 3]
        assert completions == [
            {"type": 3, "invocationId": "1", "result": {"channel": "c"}},
            {"type": 3, "invocationId": "2"},
            {"type": 3, "invocationId": "3"},
        ]
        assert await broker.channels(node.app.id, "") == {}

    @pytest.mark.parametrize("channel", ["c", "presence-c"])
    @pytest.mark.parametrize("speaks", [True, False])
    async def test_both_lost_while_a_call_waits_leave_nothing_behind(
        self, node: SignalRNode, broker: SlowBroker, channel: str, speaks: bool
    ) -> None:
        client = node.connect_resumable(node.token("ada", "*"))
        hold, reply = broker.hold("subscribe"), broker.hold_reply("subscribe")
        client.send(call(1, "Subscribe", channel))
        await hold.reached()
        resumed = client.reopen()
        if speaks:
            resumed.send(sequence(1), call(1, "Subscribe", channel))
        for each in (client, resumed):
            each.hang_up()
        node.pass_time(RESUME_WINDOW)
        hold.release()
        reply.release()
        await settled()
        node.pass_time(RESUME_WINDOW)
        await settled()
        node.assert_nothing_is_kept()

    async def test_of_three_only_the_last_speaks(self, node: SignalRNode, broker: SlowBroker) -> None:
        client = subscribed(node)
        hold = broker.hold("unsubscribe")
        client.send(call(2, "Unsubscribe", "c"))
        await hold.reached()
        second = client.reopen()
        second.send(sequence(3), call(3, "Subscribe", "second"))
        third = client.reopen()
        third.send(sequence(3), call(3, "Subscribe", "third"))
        hold.release()
        await settled()
        assert set(await broker.channels(node.app.id, "")) == {"third", "#server-to-user-ada"}
        assert [each["invocationId"] for each in third.received() if each["type"] == 3] == ["0", "2", "3"]
        assert [each["type"] for each in second.received()] == [9, 1, 3]  # what it may have missed, and no more
        assert second.close_code == 1000

    async def test_nothing_is_written_to_a_transport_that_was_left(self, node: SignalRNode, broker: SlowBroker) -> None:
        client = subscribed(node)
        hold = broker.hold("unsubscribe")
        client.invoke("Unsubscribe", "c")
        await hold.reached()
        client.hang_up()
        resumed = client.reopen()
        writes = len(client.writes)
        hold.release()
        await asyncio.sleep(0)
        await settled()
        assert len(client.writes) == writes
        assert [each["type"] for each in resumed.received()] == [9, 1, 3, 3, 8]
