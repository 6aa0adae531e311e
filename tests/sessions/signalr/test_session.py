"""A conversation with one client: calls and their answers, events, junk, ends."""

import json
from typing import Any

import pytest

from skubber.core.connection import EndReason
from skubber.core.event import Event
from skubber.core.limits import Limits
from support.apps import OTHER_KEY, make_app
from support.signalr_client import SignalRNode, WebSocketClient, event
from support.signalr_messages import ENCODINGS, Encoding, Said

IN_BOTH_ENCODINGS = pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
SUBSCRIBED = ("SubscriptionSucceeded", {"channel": "c"})


@pytest.fixture
def client(node: SignalRNode) -> WebSocketClient:
    """A client that was let in."""
    return node.connect_client()


def send(client: WebSocketClient, target: str, *arguments: Any) -> None:
    """Call a method without asking for an answer."""
    client.send({"type": 1, "target": target, "arguments": list(arguments)})


async def publish(node: SignalRNode, channel: str = "c", name: str = "e", data: Any = "d", **more: Any) -> None:
    """Publish an event."""
    await node.hub.publish(node.app, (channel,), Event(name, json.dumps(data).encode()), **more)


class TestCalls:
    @IN_BOTH_ENCODINGS
    async def test_a_call_is_answered_with_its_result(self, node: SignalRNode, encoding: Encoding) -> None:
        client = node.connect_client(encoding=encoding)
        invocation_id = client.invoke("Subscribe", "c")
        call, completion = client.received()
        assert (call["target"], *call["arguments"]) == SUBSCRIBED
        assert completion == {"type": 3, "invocationId": invocation_id, "result": {"channel": "c"}}

    @pytest.mark.parametrize("method", ["Unsubscribe", "unsubscribe", "UNSUBSCRIBE", "unSubscribe"])
    async def test_a_call_without_a_result_is_answered_too_in_whatever_case_it_is(
        self, client: WebSocketClient, method: str
    ) -> None:
        invocation_id = client.invoke(method, "c")
        assert client.received() == [{"type": 3, "invocationId": invocation_id}]

    async def test_who_asks_for_no_answer_gets_none(self, client: WebSocketClient) -> None:
        send(client, "Unsubscribe", "c")
        assert client.received() == []
        send(client, "Subscribe", "c")
        assert client.calls() == [SUBSCRIBED]

    @pytest.mark.parametrize(
        ("target", "arguments", "code"),
        [
            ("Unsubscribe", [], "invalid_arguments"),
            ("Publish", ["c", "e", "d"], "unknown_method"),
            ("Trigger", ["c", "client-e", {}], "not_subscribed"),
            ("SignIn", ["auth", "{}"], "invalid_signature"),
        ],
    )
    async def test_who_asks_for_no_answer_is_told_of_a_failure_nonetheless(
        self, client: WebSocketClient, target: str, arguments: list[Any], code: str
    ) -> None:
        send(client, target, *arguments)
        (call,) = client.calls()
        assert call[0] == "Error"
        assert call[1].keys() == {"code", "error"}
        assert call[1]["code"] == code

    @pytest.mark.parametrize(
        ("target", "arguments", "code"),
        [
            ("", [], "unknown_method"),
            ("Publish", ["c"], "unknown_method"),
            ("_subscribe", ["c"], "unknown_method"),
            ("StreamEvents", ["c"], "unknown_method"),
            ("__class__", [], "unknown_method"),
            ("x" * 30_000, [], "unknown_method"),
            ("Subscribe", [], "invalid_arguments"),
            ("Subscribe", [7], "invalid_arguments"),
            ("Subscribe", ["c", "a", "d", "e"], "invalid_arguments"),
            ("Trigger", ["c", "client-e"], "invalid_arguments"),
            ("SignIn", ["auth"], "invalid_arguments"),
        ],
    )
    async def test_a_call_that_cannot_be_is_answered_with_what_to_do_and_closes_nothing(
        self, client: WebSocketClient, target: str, arguments: list[Any], code: str
    ) -> None:
        assert client.refused(target, *arguments) == code
        assert client.call("Subscribe", "c") == {"channel": "c"}

    async def test_the_client_sends_no_streams(self, client: WebSocketClient) -> None:
        call: Said = {"type": 1, "invocationId": "1", "target": "Subscribe", "arguments": ["c"], "streamIds": ["2"]}
        client.send(call, {**call, "type": 4, "invocationId": "3", "target": "StreamEvents"})
        client.send({"type": 2, "invocationId": "2", "item": 1}, {"type": 3, "invocationId": "2"})
        errors = client.received()
        assert [error["invocationId"] for error in errors] == ["1", "3"]
        assert all("No method takes streams" in error["error"] for error in errors)

    @IN_BOTH_ENCODINGS
    async def test_many_calls_in_one_message_are_answered_in_order(self, node: SignalRNode, encoding: Encoding) -> None:
        client = node.connect_client(encoding=encoding)
        calls: list[Said] = [
            {"type": 1, "invocationId": str(number), "target": "Unsubscribe", "arguments": ["c"]}
            for number in range(100)
        ]
        client.send(*calls)
        assert [each["invocationId"] for each in client.received()] == [str(number) for number in range(100)]

    @IN_BOTH_ENCODINGS
    async def test_what_asks_for_nothing_is_answered_with_nothing(self, node: SignalRNode, encoding: Encoding) -> None:
        client = node.connect_client(encoding=encoding)
        client.send(
            {"type": 2, "invocationId": "1", "item": 1},
            {"type": 3, "invocationId": "1", "result": 1},
            {"type": 5, "invocationId": "1"},
            {"type": 6},
            {"type": 8, "sequenceId": 1},
            {"type": 9, "sequenceId": 1},
            {"type": 77},
        )
        assert client.received() == []
        assert client.close_code is None


class TestSubscriptions:
    async def test_a_channel_is_subscribed_until_it_is_unsubscribed(
        self, node: SignalRNode, client: WebSocketClient
    ) -> None:
        client.call("Subscribe", "c")
        await publish(node)
        client.call("Unsubscribe", "c")
        await publish(node)
        assert client.calls() == [SUBSCRIBED, ("Event", event("e", "c"))]
        assert await node.broker.channels(node.app.id, "") == {}

    async def test_a_second_subscription_is_refused_and_delivers_nothing_twice(
        self, node: SignalRNode, client: WebSocketClient
    ) -> None:
        client.call("Subscribe", "c")
        client.received()
        assert client.refused("Subscribe", "c") == "already_subscribed"
        (failure,) = client.calls()
        assert failure[0] == "SubscriptionError"
        await publish(node)
        assert client.events() == ["e"]
        assert (await node.broker.occupancy(node.app.id, "c")).subscriptions == 1

    @pytest.mark.parametrize(
        ("channel", "code", "status"),
        [
            ("", "invalid_channel_name", 400),
            ("a b", "invalid_channel_name", 400),
            ("x" * 201, "invalid_channel_name", 400),
            ("#c", "invalid_channel_name", 400),
            ("#server-to-user-ada", "sign_in_required", 401),
            ("private-c", "invalid_signature", 401),
            ("presence-c", "invalid_signature", 401),
            ("private-encrypted-c", "invalid_signature", 401),
        ],
    )
    async def test_a_subscription_that_cannot_be_is_told_of_twice_over(
        self, node: SignalRNode, client: WebSocketClient, channel: str, code: str, status: int
    ) -> None:
        """To who called, and to the part of the client that watches the channel."""
        assert client.refused("Subscribe", channel) == code
        ((target, failure),) = client.calls()
        assert target == "SubscriptionError"
        assert failure.pop("error").endswith(".")
        assert failure == {"channel": channel, "code": code, "status": status}
        assert await node.broker.channels(node.app.id, "") == {}

    async def test_what_is_not_subscribed_can_be_unsubscribed(self, client: WebSocketClient) -> None:
        assert client.call("Unsubscribe", "c") is None
        assert client.call("Unsubscribe", "#server-to-user-ada") is None

    async def test_who_leaves_leaves_nothing_behind(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token("ada", "*"))
        for channel in ("c", "private-c", "presence-c"):
            client.call("Subscribe", channel)
        client.stream("d")
        client.hang_up()
        node.assert_nothing_is_kept()


class TestEvents:
    @IN_BOTH_ENCODINGS
    @pytest.mark.parametrize("data", ["plain", '{"orderId":42}', "\u00e9\n\U0001f600\x1e\r\n\0", ""])
    async def test_an_event_is_a_call_and_its_data_what_was_published(
        self, node: SignalRNode, encoding: Encoding, data: str
    ) -> None:
        client = node.connect_client(encoding=encoding)
        client.call("Subscribe", "c")
        client.received()
        await publish(node, data=data)
        assert client.calls() == [("Event", event("e", "c", data))]

    @pytest.mark.parametrize("data", ["one\ntwo\r\nthree\rfour", "\n\n", "data: x\n\nevent: y"])
    async def test_over_server_sent_events_it_is_the_same(self, node: SignalRNode, data: str) -> None:
        client = node.connect_event_stream()
        client.call("Subscribe", "c")
        client.received()
        await publish(node, data=data)
        await publish(node)
        assert client.calls() == [("Event", event("e", "c", data)), ("Event", event("e", "c"))]

    @IN_BOTH_ENCODINGS
    async def test_dispatched_by_name_an_event_is_a_call_of_its_own(
        self, node: SignalRNode, encoding: Encoding
    ) -> None:
        client = node.connect_client(encoding=encoding, dispatch="name")
        client.call("Subscribe", "c")
        client.received()
        await publish(node, name="order-shipped")
        (call,) = client.received()
        assert (call["target"], call["arguments"]) == ("order-shipped", ["d", {"channel": "c"}])

    @pytest.mark.parametrize("name", ["Event", "event", "Error", "memberAdded", "SubscriptionSucceeded", "CacheMiss"])
    async def test_what_the_protocol_calls_by_itself_no_publisher_can(self, node: SignalRNode, name: str) -> None:
        client = node.connect_client(dispatch="name")
        client.call("Subscribe", "c")
        client.received()
        await publish(node, name=name)
        assert client.calls() == [("Event", event(name, "c"))]

    async def test_the_publishers_connection_is_excluded_by_its_id(
        self, node: SignalRNode, client: WebSocketClient
    ) -> None:
        other = node.connect_client()
        for each in (client, other):
            each.call("Subscribe", "c")
            each.received()
        await publish(node, excluded=client.connection_id)
        assert (client.events(), other.events()) == ([], ["e"])

    async def test_clients_of_other_protocols_are_on_the_same_channel(
        self, node: SignalRNode, client: WebSocketClient
    ) -> None:
        other = node.connect(node.app, "1.1")
        await node.subscribe(node.app, other, "c")
        client.call("Subscribe", "c")
        client.received()
        await publish(node)
        assert (client.events(), other.received) == (["e"], ["c/e"])

    async def test_apps_do_not_hear_each_other(self, node: SignalRNode, client: WebSocketClient) -> None:
        theirs = node.connect_client(node.token(key=OTHER_KEY))
        for each in (client, theirs):
            each.call("Subscribe", "c")
            each.received()
        await publish(node)
        assert (client.events(), theirs.events()) == (["e"], [])


class TestClientEvents:
    async def test_a_client_event_reaches_the_others_and_is_answered(self, node: SignalRNode) -> None:
        sender, other = (node.connect_client(node.token(user, "*")) for user in ("ada", "bob"))
        for channel in ("private-c", "presence-c"):
            for client in (sender, other):
                client.call("Subscribe", channel)
                client.received()
        sender.received()
        data = {"x": [1, None, "\u00e9"]}
        for channel in ("private-c", "presence-c"):
            assert sender.call("Trigger", channel, "client-move", data) is None
        assert sender.received() == []
        assert other.calls() == [
            ("Event", event("client-move", "private-c", data)),
            ("Event", event("client-move", "presence-c", data, userId="ada")),
        ]

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("public", "client-e", 1), "client_event_channel"),
            (("private-encrypted-c", "client-e", 1), "client_event_channel"),
            (("private-d", "client-e", 1), "not_subscribed"),
            (("#server-to-user-ada", "client-e", 1), "client_event_channel"),
            (("private-c", "e", 1), "invalid_event_name"),
            (("private-c", "client-" + "e" * 194, 1), "event_name_too_long"),
            (("private-c", "client-e", "x" * 10_239), "event_data_too_large"),
            (("private-c", "client-e", {"__proto__": 1}), "invalid_event_data"),
        ],
    )
    async def test_a_client_event_that_breaks_a_rule_goes_nowhere(
        self, node: SignalRNode, arguments: tuple[Any, ...], code: str
    ) -> None:
        sender, other = (node.connect_client(node.token("ada", "*")) for _ in range(2))
        for channel in ("public", "private-c", "private-encrypted-c"):
            for client in (sender, other):
                client.call("Subscribe", channel)
                client.received()
        assert sender.refused("Trigger", *arguments) == code
        assert (sender.received(), other.received()) == ([], [])

    async def test_client_events_are_limited_by_the_second(self) -> None:
        node = SignalRNode(make_app(limits=Limits(client_events_per_second=2)))
        sender, other = (node.connect_client(node.token(None, "*")) for _ in range(2))
        for client in (sender, other):
            client.call("Subscribe", "private-c")
            client.received()
        for _ in range(2):
            sender.call("Trigger", "private-c", "client-e", 1)
        assert sender.refused("Trigger", "private-c", "client-e", 1) == "client_event_rate"
        assert node.hub.refusals == {"client_event_rate": 1}
        node.now += 1
        sender.call("Trigger", "private-c", "client-e", 1)
        assert other.events() == ["client-e"] * 3

    async def test_an_app_may_do_without_them(self) -> None:
        node = SignalRNode(make_app(client_events=False))
        client = node.connect_client(node.token(None, "*"))
        client.call("Subscribe", "private-c")
        assert client.refused("Trigger", "private-c", "client-e", 1) == "client_events_disabled"


class TestPresence:
    async def test_members_are_told_of_each_other(self, node: SignalRNode) -> None:
        ada = node.connect_client(node.token("ada", "presence-*", user_info=b'{"name":"Ada"}'))
        bob = node.connect_client(node.token("bob", "presence-*"))
        members: list[Said] = [{"userId": "ada", "userInfo": {"name": "Ada"}}, {"userId": "bob", "userInfo": None}]
        result = {"channel": "presence-c", "members": members[:1], "me": members[0]}
        assert ada.call("Subscribe", "presence-c") == result
        assert ada.calls() == [("SubscriptionSucceeded", result)]
        assert bob.call("Subscribe", "presence-c") == {"channel": "presence-c", "members": members, "me": members[1]}
        assert ada.calls() == [("MemberAdded", {"channel": "presence-c", **members[1]})]
        bob.hang_up()
        assert ada.calls() == [("MemberRemoved", {"channel": "presence-c", "userId": "bob"})]

    async def test_a_second_tab_is_not_a_second_member(self, node: SignalRNode) -> None:
        watcher = node.connect_client(node.token("watcher", "*"))
        tabs = [node.connect_client(node.token("ada", "*")) for _ in range(2)]
        watcher.call("Subscribe", "presence-c")
        for tab in tabs:
            tab.call("Subscribe", "presence-c")
        tabs[0].call("Unsubscribe", "presence-c")
        assert [target for target, _ in watcher.calls()] == ["SubscriptionSucceeded", "MemberAdded"]
        tabs[1].call("Unsubscribe", "presence-c")
        assert [target for target, _ in watcher.calls()] == ["MemberRemoved"]

    async def test_a_full_channel_takes_nobody(self) -> None:
        node = SignalRNode(make_app(limits=Limits(presence_members=1)))
        ada, bob = (node.connect_client(node.token(user, "*")) for user in ("ada", "bob"))
        ada.call("Subscribe", "presence-c")
        assert bob.refused("Subscribe", "presence-c") == "presence_channel_full"
        assert [failure["status"] for _, failure in bob.calls()] == [403]


class TestEnds:
    @IN_BOTH_ENCODINGS
    @pytest.mark.parametrize(
        ("reason", "comes_back"),
        [(EndReason.TERMINATED, False), (EndReason.DRAINING, True), (EndReason.TOO_SLOW, True)],
    )
    async def test_an_end_is_announced_and_says_whether_to_come_back(
        self, node: SignalRNode, encoding: Encoding, reason: EndReason, comes_back: bool
    ) -> None:
        client = node.connect_client(encoding=encoding)
        client.call("Subscribe", "c")
        for _ in range(2):
            client.session.end(reason)
        close = client.close_message()
        assert close["error"].endswith(".")
        assert close.get("allowReconnect", False) is comes_back
        assert client.close_code == 1000
        client.hang_up()
        node.assert_nothing_is_kept()

    @IN_BOTH_ENCODINGS
    @pytest.mark.parametrize("message", [{"type": 1}, {"type": "x"}, {"type": 5, "invocationId": "x" * 129}])
    async def test_who_breaks_the_protocol_is_told_how_and_closed(
        self, node: SignalRNode, encoding: Encoding, message: Said
    ) -> None:
        client = node.connect_client(encoding=encoding)
        client.call("Subscribe", "c")
        client.send({"type": 1, "invocationId": "9", "target": "Unsubscribe", "arguments": ["c"]}, message)
        *_, completion, close = client.received()
        assert completion == {"type": 3, "invocationId": "9"}
        assert close["type"] == 7
        assert close["error"].endswith(".")
        assert "allowReconnect" not in close
        client.hang_up()
        node.assert_nothing_is_kept()

    @IN_BOTH_ENCODINGS
    async def test_a_message_over_the_limit_ends_the_connection_before_it_is_all_there(
        self, encoding: Encoding
    ) -> None:
        node = SignalRNode(message_bytes=1000)
        client = node.connect_client(encoding=encoding)
        message: Said = {"type": 1, "target": "Subscribe", "arguments": ["x" * 2000]}
        client.send_bytes(encoding.write(message)[:1500])
        assert client.close_message()["error"] == "Messages have at most 1000 bytes."

    async def test_a_client_may_say_that_it_closes(self, node: SignalRNode, client: WebSocketClient) -> None:
        staying = node.connect_client()
        client.call("Subscribe", "c")
        client.received()
        client.send({"type": 7}, {"type": 1, "invocationId": "9", "target": "Subscribe", "arguments": ["d"]})
        assert client.received() == []
        assert client.close_code == 1000
        for each in (client, staying):
            each.hang_up()
        node.assert_nothing_is_kept()

    async def test_who_is_closed_hears_no_more(self, node: SignalRNode, client: WebSocketClient) -> None:
        client.call("Subscribe", "c")
        client.session.end(EndReason.DRAINING)
        await publish(node)
        assert client.close_message()
        await publish(node)
        assert client.received() == []
