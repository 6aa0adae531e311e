"""From the open transport to the first hub message: what is agreed on, and who is turned away."""

import json
from typing import Any

import pytest

from skubber.core.connection import EndReason
from skubber.core.errors import UnavailableError
from skubber.core.limits import Limits
from skubber.sessions.signalr.session import MAX_HANDSHAKE_BYTES
from support.apps import OTHER_KEY, make_app
from support.edge_client import settled
from support.signalr_client import IN_JSON, IN_MESSAGE_PACK, SignalRNode, WebSocketClient
from support.signalr_messages import ENCODINGS, Encoding
from support.slow_broker import SlowBroker

HANDSHAKE = b'{"protocol":"json","version":1}\x1e'
SUBSCRIBE = {"type": 1, "invocationId": "7", "target": "Subscribe", "arguments": ["c"]}
COMPLETED = {"type": 3, "invocationId": "7", "result": {"channel": "c"}}

IN_BOTH_ENCODINGS = pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)


def refusal(client: WebSocketClient) -> str:
    """Why a handshake was refused; the connection must be over."""
    answer = client.handshake_answer()
    assert answer.keys() == {"error"}
    assert client.close_code == 1000
    assert client.received() == []
    return str(answer["error"])


def assert_gone(node: SignalRNode, client: WebSocketClient) -> None:
    """Nothing is left of a client that was turned away, once its socket is gone."""
    client.hang_up()
    node.assert_nothing_is_kept()


@IN_BOTH_ENCODINGS
async def test_the_handshake_is_accepted_and_messages_go_both_ways(node: SignalRNode, encoding: Encoding) -> None:
    client = node.open(encoding=encoding)
    assert client.shake_hands() == {}
    client.send(SUBSCRIBE)
    call, completion = client.received()
    assert (call["target"], completion) == ("SubscriptionSucceeded", COMPLETED)
    # Over WebSockets the kind of frame tells how messages are encoded.
    assert client.are_text == [encoding is IN_JSON] * 3


@IN_BOTH_ENCODINGS
async def test_messages_may_follow_the_handshake_at_once(node: SignalRNode, encoding: Encoding) -> None:
    client = node.open(encoding=encoding)
    handshake = HANDSHAKE.replace(b"json", encoding.protocol.name.encode())
    client.send_bytes(handshake + encoding.write(SUBSCRIBE) + encoding.write({"type": 6}))
    assert client.handshake_answer() == {}
    assert client.received()[-1] == COMPLETED


@IN_BOTH_ENCODINGS
async def test_handshake_and_messages_may_come_in_any_pieces(node: SignalRNode, encoding: Encoding) -> None:
    client = node.open(encoding=encoding)
    handshake = HANDSHAKE.replace(b"json", encoding.protocol.name.encode())
    for byte in handshake + encoding.write(SUBSCRIBE):
        client.send_bytes(bytes((byte,)))
    assert client.handshake_answer() == {}
    assert client.received()[-1] == COMPLETED


@pytest.mark.parametrize(
    "request_",
    [
        {"version": 1, "protocol": "json"},
        {"protocol": "json", "version": 1, "minorVersion": 0, "more": [1]},
        {"protocol": "json", "version": 2},
    ],
)
async def test_what_else_a_handshake_says_does_not_matter(node: SignalRNode, request_: dict[str, Any]) -> None:
    client = node.open()
    client.send_bytes(json.dumps(request_).encode() + b"\x1e")
    assert client.handshake_answer() == {}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "like"),
        (b"junk", "like"),
        (b"[]", "like"),
        (b'{"protocol":"json"}', "like"),
        (b'{"version":1}', "like"),
        (b'{"protocol":5,"version":1}', "like"),
        (b'{"protocol":"json","version":"1"}', "like"),
        (b'{"protocol":"json","version":1.5}', "like"),
        (b"[" * 4000, "like"),
        (b'{"protocol":"JSON","version":1}', "'JSON' is not supported: use json or messagepack."),
        (b'{"protocol":"blazorpack","version":1}', "'blazorpack' is not supported"),
        (b'{"protocol":"%b","version":1}' % (b"x" * 1000), "'%s' is not supported" % ("x" * 50)),
        (b'{"protocol":"json","version":3}', "does not support version 3"),
        (b'{"type":6}', "like"),
    ],
)
async def test_a_handshake_that_cannot_be_is_refused_and_says_why(
    node: SignalRNode, record: bytes, reason: str
) -> None:
    client = node.open()
    client.send_bytes(record + b"\x1e" + IN_JSON.write(SUBSCRIBE))
    assert reason in refusal(client)
    assert_gone(node, client)


async def test_a_handshake_has_an_end_in_sight(node: SignalRNode) -> None:
    client = node.open()
    client.send_bytes(HANDSHAKE[:-1] + b" " * (MAX_HANDSHAKE_BYTES + 1 - len(HANDSHAKE)))
    assert client.received() == []
    client.send_bytes(b"  ")
    assert refusal(client) == f"The handshake has at most {MAX_HANDSHAKE_BYTES} bytes."
    assert_gone(node, client)


async def test_messages_behind_a_handshake_do_not_count_as_part_of_it(node: SignalRNode) -> None:
    client = node.open()
    client.send_bytes(HANDSHAKE + b'{"type":6}\x1e' * MAX_HANDSHAKE_BYTES)
    assert client.handshake_answer() == {}


async def test_over_server_sent_events_there_is_no_message_pack(node: SignalRNode) -> None:
    query = node.query()
    client = node.open_event_stream(query)
    client.send_bytes(b'{"protocol":"messagepack","version":1}\x1e')
    assert client.handshake_answer() == {"error": "ServerSentEvents carry text only: use the json protocol."}
    assert client.has_ended
    client.hang_up()
    await settled()
    node.assert_nothing_is_kept()


class TestTime:
    @pytest.mark.parametrize("seconds", [1, 15, 100])
    async def test_a_client_that_says_nothing_is_turned_away(self, seconds: int) -> None:
        node = SignalRNode(handshake_timeout=seconds)
        client = node.open()
        node.pass_time(seconds - 1)
        assert client.received() == []
        node.pass_time(1)
        assert refusal(client) == "The handshake did not come in time."
        assert_gone(node, client)

    async def test_half_a_handshake_is_none(self) -> None:
        node = SignalRNode(handshake_timeout=15)
        client = node.open()
        node.pass_time(10)
        client.send_bytes(HANDSHAKE[:-1])
        node.pass_time(5)
        assert refusal(client) == "The handshake did not come in time."

    async def test_over_server_sent_events_it_is_no_different(self) -> None:
        node = SignalRNode(handshake_timeout=15)
        client = node.open_event_stream(node.query())
        node.pass_time(15)
        assert client.handshake_answer() == {"error": "The handshake did not come in time."}
        assert client.has_ended
        client.hang_up()
        node.assert_nothing_is_kept()

    async def test_a_client_that_was_turned_away_has_no_second_try(self, node: SignalRNode) -> None:
        client = node.open()
        client.send_bytes(b"junk\x1e")
        refusal(client)
        client.send_bytes(HANDSHAKE)
        assert client.received() == []
        assert node.hub.connection_count == 0

    @pytest.mark.parametrize("reason", [EndReason.DRAINING, EndReason.TOO_SLOW])
    async def test_a_server_that_stops_says_so_even_before(self, node: SignalRNode, reason: EndReason) -> None:
        client = node.open()
        client.session.end(reason)
        assert refusal(client).endswith(".")
        assert_gone(node, client)


class TestAdmission:
    async def test_an_app_that_is_full_takes_nobody_until_somebody_leaves(self) -> None:
        node = SignalRNode(make_app(limits=Limits(connections=1)))
        first, second = node.connect_client(), node.open()
        assert second.shake_hands() == {"error": "The app is over its connection quota."}
        second.received()
        assert second.close_code == 1000
        assert node.connect_client(node.token(key=OTHER_KEY))
        first.hang_up()
        third = node.connect_client()
        assert third.call("Subscribe", "c") == {"channel": "c"}

    @IN_BOTH_ENCODINGS
    async def test_a_server_that_is_full_takes_nobody_of_any_app(self, encoding: Encoding) -> None:
        node = SignalRNode(max_connections=1)
        first = node.connect_client(encoding=encoding)
        second = node.open(node.token(key=OTHER_KEY), encoding)
        answer = second.shake_hands()
        assert answer == {"error": "The server is at capacity: please try again later."}
        for client in (first, second):
            client.hang_up()
        node.assert_nothing_is_kept()

    async def test_who_is_not_let_in_is_nobody(self) -> None:
        """Neither subscribed nor claimed: a user who is turned away leaves no trace in the hub."""
        node = SignalRNode(max_connections=1)
        first = node.connect_client()
        for user_id in ("ada", None):
            client = node.open(node.token(user_id), userId="ada")
            client.send_bytes(HANDSHAKE + IN_JSON.write(SUBSCRIBE))
            refusal(client)
        (namespace,) = node.hub._namespaces.values()
        assert (namespace.channels, namespace.users) == ({}, {})
        assert node.hub.connection_count == 1
        assert first.close_code is None

    async def test_who_has_only_opened_a_transport_takes_no_place(self) -> None:
        node = SignalRNode(max_connections=1)
        waiting = node.open()
        node.connect_client()
        assert "error" in waiting.shake_hands()

    @IN_BOTH_ENCODINGS
    async def test_who_cannot_be_signed_in_for_now_is_told_to_come_back(self, encoding: Encoding) -> None:
        broker = SlowBroker()
        node = SignalRNode(broker=broker)
        broker.fail("subscribe", error=UnavailableError("broker_unavailable", "Try again later."))
        client = node.open(node.token("ada"), encoding)
        client.send_bytes(HANDSHAKE.replace(b"json", encoding.protocol.name.encode()) + encoding.write(SUBSCRIBE))
        assert client.handshake_answer() == {}
        (close,) = client.received()
        assert close == {"type": 7, "error": "Try again later.", "allowReconnect": True}
        assert client.close_code == 1000
        assert_gone(node, client)


async def test_message_pack_is_refused_in_text_as_every_handshake_is_answered(node: SignalRNode) -> None:
    client = node.open(encoding=IN_MESSAGE_PACK)
    client.send_bytes(b"junk\x1e")
    refusal(client)
    assert client.are_text == [True]
