"""What we write, read by Microsoft's JavaScript client, and what it writes, read by us."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from skubber.codecs.json_text import MAX_DEPTH, is_portable_json
from skubber.codecs.signalr import HANDSHAKE_ACCEPTED, HubProtocol, decode_handshake, handshake_refused
from skubber.codecs.signalr_events import SignalRWireFormat, StreamWireFormat, subscription_object
from skubber.codecs.signalr_json import JSON
from skubber.codecs.signalr_messagepack import MESSAGE_PACK
from skubber.core.event import Event, MemberAdded, MemberRemoved
from skubber.core.presence import PresenceMember
from support.microsoft_signalr import Message, MicrosoftError, MicrosoftSignalR
from support.signalr_messages import IDS, MESSAGES, TEXT, Said, expected, pieces, reading, values

MAX_BYTES = 1_000_000

protocols = pytest.mark.parametrize("protocol", [JSON, MESSAGE_PACK], ids=["json", "messagepack"])


@pytest.fixture(scope="module")
def microsoft(node: None) -> Iterator[MicrosoftSignalR]:
    """One client for all tests."""
    with MicrosoftSignalR() as client:
        yield client


def parsed(microsoft: MicrosoftSignalR, protocol: HubProtocol, data: bytes) -> Message:
    """The one message that Microsoft's client finds, without what is the same in every message."""
    (message,) = microsoft.parse(protocol.name, data)
    if protocol.is_binary:
        assert message.pop("headers", {}) == {}
        assert message.pop("streamIds", []) == []
    return message


def with_floats(text: str | bytes) -> Any:
    """A JSON text's value with the one kind of number that JavaScript has."""
    return json.loads(text, parse_int=float)


@protocols
class TestWhatWeWrite:
    @settings(max_examples=100)
    @given(target=TEXT.filter(bool), arguments=st.lists(values(), max_size=3))
    def test_calls(self, microsoft: MicrosoftSignalR, protocol: HubProtocol, target: str, arguments: list[Any]) -> None:
        expected_call = {"type": 1, "target": target, "arguments": arguments}
        assert parsed(microsoft, protocol, protocol.invocation(target, arguments)) == expected_call
        as_text = [Raw(msgspec.json.encode(argument)) for argument in arguments]
        assert parsed(microsoft, protocol, protocol.invocation(target, as_text)) == expected_call

    @settings(max_examples=100)
    @given(invocation_id=IDS, item=values())
    def test_items_of_streams(
        self, microsoft: MicrosoftSignalR, protocol: HubProtocol, invocation_id: str, item: Any
    ) -> None:
        written = protocol.stream_item(invocation_id, {"data": Raw(msgspec.json.encode(item))})
        assert parsed(microsoft, protocol, written) == {
            "type": 2,
            "invocationId": invocation_id,
            "item": {"data": item},
        }

    @settings(max_examples=100)
    @given(invocation_id=IDS, result=values(), error=TEXT.filter(bool))
    def test_completions(
        self, microsoft: MicrosoftSignalR, protocol: HubProtocol, invocation_id: str, result: Any, error: str
    ) -> None:
        completion = {"type": 3, "invocationId": invocation_id}
        assert parsed(microsoft, protocol, protocol.completion(invocation_id)) == completion
        assert parsed(microsoft, protocol, protocol.completion(invocation_id, error)) == {**completion, "error": error}
        with_result = protocol.completion(invocation_id, result=result)
        assert parsed(microsoft, protocol, with_result) == {**completion, "result": result}

    @pytest.mark.parametrize("error", [None, "The server is restarting.", "Wörter 𝄞"])
    @pytest.mark.parametrize("allow_reconnect", [True, False])
    def test_closes(
        self, microsoft: MicrosoftSignalR, protocol: HubProtocol, error: str | None, allow_reconnect: bool
    ) -> None:
        message = parsed(microsoft, protocol, protocol.close(error, allow_reconnect=allow_reconnect))
        assert message["type"] == 7
        assert message.get("error") == error
        # The client compares with true: anything else, nothing at all included, means no.
        assert (message.get("allowReconnect") is True) == allow_reconnect

    @pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 65_536, 2**32, 2**53 - 1])
    def test_acks_and_sequences(self, microsoft: MicrosoftSignalR, protocol: HubProtocol, number: int) -> None:
        assert parsed(microsoft, protocol, protocol.ack(number)) == {"type": 8, "sequenceId": number}
        assert parsed(microsoft, protocol, protocol.sequence(number)) == {"type": 9, "sequenceId": number}

    def test_pings(self, microsoft: MicrosoftSignalR, protocol: HubProtocol) -> None:
        assert parsed(microsoft, protocol, protocol.ping) == {"type": 6}

    @pytest.mark.parametrize("size", [0, 1, 100, 127, 128, 16_383, 16_384, 100_000])
    def test_messages_of_every_size_one_behind_the_other(
        self, microsoft: MicrosoftSignalR, protocol: HubProtocol, size: int
    ) -> None:
        messages = microsoft.parse(protocol.name, protocol.stream_item("0", "x" * size) * 3 + protocol.ping)
        assert [len(message.get("item", "")) for message in messages] == [size, size, size, 0]

    def test_the_answer_to_the_handshake(self, microsoft: MicrosoftSignalR, protocol: HubProtocol) -> None:
        assert microsoft.handshake_response(protocol.name, HANDSHAKE_ACCEPTED) == ({}, b"")
        response, rest = microsoft.handshake_response(protocol.name, HANDSHAKE_ACCEPTED + protocol.ping)
        assert (response, rest) == ({}, protocol.ping)
        response, _ = microsoft.handshake_response(protocol.name, handshake_refused("The protocol is not supported."))
        assert response == {"error": "The protocol is not supported."}


@protocols
class TestEvents:
    @settings(max_examples=50)
    @given(name=TEXT.filter(bool), data=values(), user_id=st.none() | IDS)
    def test_an_event_as_the_client_sees_it(
        self, microsoft: MicrosoftSignalR, protocol: HubProtocol, name: str, data: Any, user_id: str | None
    ) -> None:
        event = Event(name, json.dumps(data).encode(), user_id)
        sender = {} if user_id is None else {"userId": user_id}
        delivery = {"event": name, "channel": "presence-c", "data": data, **sender}
        calls = SignalRWireFormat(protocol, bytes, by_name=False)
        call = parsed(microsoft, protocol, calls.encode(event, "presence-c"))
        assert call == {"type": 1, "target": "Event", "arguments": [delivery]}
        by_name = SignalRWireFormat(protocol, bytes, by_name=True)
        call = parsed(microsoft, protocol, by_name.encode(Event("e", event.data, user_id), "presence-c"))
        assert call == {"type": 1, "target": "e", "arguments": [data, {"channel": "presence-c", **sender}]}
        stream = StreamWireFormat(calls, "7")
        item = parsed(microsoft, protocol, stream.encode(event, "presence-c"))
        assert item == {"type": 2, "invocationId": "7", "item": delivery}

    @settings(max_examples=50)
    @given(user_id=IDS, user_info=values())
    def test_members_as_the_client_sees_them(
        self, microsoft: MicrosoftSignalR, protocol: HubProtocol, user_id: str, user_info: Any
    ) -> None:
        text = json.dumps(user_info).encode()
        calls = SignalRWireFormat(protocol, bytes, by_name=True)
        added = parsed(microsoft, protocol, calls.encode(MemberAdded(user_id, text), "presence-c"))
        member = {"userId": user_id, "userInfo": user_info}
        assert (added["target"], added["arguments"]) == ("MemberAdded", [{"channel": "presence-c", **member}])
        removed = parsed(microsoft, protocol, calls.encode(MemberRemoved(user_id), "presence-c"))
        gone = {"channel": "presence-c", "userId": user_id}
        assert (removed["target"], removed["arguments"]) == ("MemberRemoved", [gone])
        me = PresenceMember(user_id, text)
        result = parsed(
            microsoft, protocol, protocol.completion("0", result=subscription_object("presence-c", [me], me))
        )
        assert result["result"] == {"channel": "presence-c", "members": [member], "me": member}


@protocols
class TestWhatClientsMayPassOn:
    @pytest.mark.parametrize(
        "text",
        [
            b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
            b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH,
            b"18446744073709551615",
            b"-9223372036854775808",
            b"1.7976931348623157e308",
            b'"\\u0000\\ud834\\udd1e\\u2028"',
            b'{"constructor":1,"":2,"prototype":{},"__Proto__":3}',
        ],
    )
    def test_the_client_reads_what_is_portable(
        self, microsoft: MicrosoftSignalR, protocol: HubProtocol, text: bytes
    ) -> None:
        assert is_portable_json(text)
        message = parsed(microsoft, protocol, protocol.invocation("Event", [{"data": Raw(text)}]))
        assert with_floats(json.dumps(message["arguments"])) == [{"data": with_floats(text)}]


def test_the_client_gives_up_on_a_member_that_is_not_portable(microsoft: MicrosoftSignalR) -> None:
    text = b'{"__proto__":1}'
    assert not is_portable_json(text)
    with pytest.raises(MicrosoftError, match="__proto__"):
        microsoft.parse("messagepack", MESSAGE_PACK.invocation("Event", [{"data": Raw(text)}]))


@protocols
class TestWhatTheyWrite:
    @settings(max_examples=200)
    @given(said=st.lists(MESSAGES, min_size=1, max_size=4), cuts=st.lists(st.integers(0, 500), max_size=3))
    def test_messages(
        self, microsoft: MicrosoftSignalR, protocol: HubProtocol, said: list[Said], cuts: list[int]
    ) -> None:
        data = b"".join(microsoft.write(protocol.name, message) for message in said)
        reader = protocol.reader(MAX_BYTES)
        read = [reading(message) for piece in pieces(data, cuts) for message in reader.feed(piece)]
        assert read == list(map(expected, said))
        assert reader.error is None

    def test_headers(self, microsoft: MicrosoftSignalR, protocol: HubProtocol) -> None:
        said = {"type": 1, "target": "T", "arguments": [], "headers": {"a": "b"}}
        (message,) = protocol.reader(MAX_BYTES).feed(microsoft.write(protocol.name, said))
        assert reading(message) == expected(said)

    @pytest.mark.parametrize("size", [100, 127, 128, 16_383, 16_384, 100_000])
    def test_messages_of_every_size(self, microsoft: MicrosoftSignalR, protocol: HubProtocol, size: int) -> None:
        said = {"type": 1, "target": "T", "arguments": ["x" * size]}
        (message,) = protocol.reader(MAX_BYTES).feed(microsoft.write(protocol.name, said))
        assert reading(message) == said

    @pytest.mark.parametrize("version", [1, 2])
    def test_the_handshake(self, microsoft: MicrosoftSignalR, protocol: HubProtocol, version: int) -> None:
        data = microsoft.handshake_request({"protocol": protocol.name, "version": version})
        assert data[-1:] == b"\x1e"
        request = decode_handshake(data[:-1])
        assert (request.protocol, request.version) == (protocol.name, version)
