"""Events as calls and as items of streams. What Microsoft's client makes of them is in the interoperability tests."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs.signalr import HubProtocol
from skubber.codecs.signalr_events import (
    RESERVED_TARGETS,
    SignalRWireFormat,
    StreamWireFormat,
    event_object,
    member_object,
    signalr_wire_format,
    subscription_object,
)
from skubber.codecs.signalr_json import JSON
from skubber.codecs.signalr_messagepack import MESSAGE_PACK
from skubber.codecs.websocket_frames import Opcode, encode_binary, encode_text
from skubber.core.event import Event, MemberAdded, MemberRemoved
from skubber.core.presence import PresenceMember
from support.signalr_messages import IDS, TEXT, values
from support.websocket_readings import OurReading

CALLS = SignalRWireFormat(JSON, bytes, by_name=False)
BY_NAME = SignalRWireFormat(JSON, bytes, by_name=True)
STREAM = StreamWireFormat(CALLS, "7")

DATA = [b'"text"', b"1.50", b"null", b'{ "a" : [ 1 ] }', b'"\\u00e9\\ud834\\udd1e"', '"é𝄞"'.encode(), b'{"n":1,"n":2}']


def call(wire_format: SignalRWireFormat | StreamWireFormat, event: Event, channel: str = "c") -> tuple[str, list[Any]]:
    """The target and the arguments of the call that an event becomes."""
    message = json.loads(wire_format.encode(event, channel).removesuffix(b"\x1e"))
    assert message.keys() == {"type", "target", "arguments"}
    assert message["type"] == 1
    return message["target"], message["arguments"]


class TestEventCalls:
    def test_an_event_is_a_call_of_event_with_its_name_channel_and_data(self) -> None:
        delivery = {"event": "order-shipped", "channel": "c", "data": {"id": 1}}
        assert call(CALLS, Event("order-shipped", b'{"id":1}')) == ("Event", [delivery])

    def test_the_sender_of_a_client_event_is_named(self) -> None:
        _, (delivery,) = call(CALLS, Event("client-x", b"1", "ada"))
        assert delivery == {"event": "client-x", "channel": "c", "data": 1, "userId": "ada"}

    @pytest.mark.parametrize("data", DATA)
    @pytest.mark.parametrize("wire_format", [CALLS, BY_NAME, STREAM], ids=["calls", "by name", "stream"])
    def test_data_go_out_exactly_as_published(
        self, wire_format: SignalRWireFormat | StreamWireFormat, data: bytes
    ) -> None:
        frame = wire_format.encode(Event("e", data), "c")
        assert data in frame
        assert data not in frame.replace(data, b"", 1)

    @given(TEXT, TEXT, values(), st.none() | IDS)
    def test_any_text_comes_through(self, name: str, channel: str, data: Any, user_id: str | None) -> None:
        sender = {} if user_id is None else {"userId": user_id}
        event = Event(name, json.dumps(data).encode(), user_id)
        assert call(CALLS, event, channel)[1] == [{"event": name, "channel": channel, "data": data, **sender}]

    def test_names_of_any_kind_are_only_data(self) -> None:
        for name in ("Event", "MemberAdded", "error", ""):
            target, (delivery,) = call(CALLS, Event(name, b"1"))
            assert (target, delivery["event"]) == ("Event", name)


class TestDispatchByName:
    def test_an_event_is_a_call_of_its_own_name(self) -> None:
        assert call(BY_NAME, Event("order-shipped", b'{"id":1}')) == ("order-shipped", [{"id": 1}, {"channel": "c"}])

    def test_the_sender_of_a_client_event_is_named_behind_the_data(self) -> None:
        expected = ("client-x", [1, {"channel": "c", "userId": "ada"}])
        assert call(BY_NAME, Event("client-x", b"1", "ada")) == expected

    @pytest.mark.parametrize(
        "change", [str, str.upper, str.lower, str.title, str.swapcase], ids=lambda each: each.__name__
    )
    @pytest.mark.parametrize(
        "name",
        [
            "Event",
            "SubscriptionSucceeded",
            "SubscriptionError",
            "MemberAdded",
            "MemberRemoved",
            "SubscriptionCount",
            "CacheMiss",
            "Error",
        ],
    )
    def test_a_name_that_the_protocol_reserves_stays_under_event(self, name: str, change: Any) -> None:
        delivery = {"event": change(name), "channel": "c", "data": 1}
        assert call(BY_NAME, Event(change(name), b"1")) == ("Event", [delivery])
        assert name.lower() in RESERVED_TARGETS

    @pytest.mark.parametrize("name", ["Events", "my-event", "ev\u0435nt", " Event", "EVENT\0", "ErrorS", "Èvent"])
    def test_a_name_that_only_looks_reserved_is_a_call(self, name: str) -> None:
        assert call(BY_NAME, Event(name, b"1")) == (name, [1, {"channel": "c"}])


class TestMembers:
    @pytest.mark.parametrize("wire_format", [CALLS, BY_NAME, STREAM], ids=["calls", "by name", "stream"])
    def test_members_come_and_go_by_calls_of_their_own(self, wire_format: SignalRWireFormat | StreamWireFormat) -> None:
        added = call(wire_format, MemberAdded("ada", b'{"name": "Ada"}'), "presence-c")
        member = {"channel": "presence-c", "userId": "ada"}
        assert added == ("MemberAdded", [{**member, "userInfo": {"name": "Ada"}}])
        assert call(wire_format, MemberRemoved("ada"), "presence-c") == ("MemberRemoved", [member])

    def test_an_event_of_such_a_name_is_no_member(self) -> None:
        target, _ = call(CALLS, Event("member_added", b'{"name": "Ada"}', "ada"))
        assert target == "Event"

    def test_an_unknown_user_info_is_null(self) -> None:
        _, (member,) = call(CALLS, MemberAdded("ada", b"null"))
        assert member["userInfo"] is None

    def test_a_member_is_a_user_id_and_what_is_told_of_it(self) -> None:
        member = member_object(PresenceMember("ada", b'{ "name" : "Ada" }'))
        assert msgspec.json.encode(member) == b'{"userId":"ada","userInfo":{ "name" : "Ada" }}'

    def test_a_subscription_names_the_members_of_presence_channels_only(self) -> None:
        ada, bob = PresenceMember("ada"), PresenceMember("bob", b"1")
        assert subscription_object("c", (), None) == {"channel": "c"}
        joined = json.loads(msgspec.json.encode(subscription_object("presence-c", [ada, bob], bob)))
        assert joined == {
            "channel": "presence-c",
            "members": [{"userId": "ada", "userInfo": None}, {"userId": "bob", "userInfo": 1}],
            "me": {"userId": "bob", "userInfo": 1},
        }


class TestStreams:
    def test_an_event_is_an_item_of_the_stream(self) -> None:
        message = json.loads(STREAM.encode(Event("e", b'{"id":1}', "ada"), "c").removesuffix(b"\x1e"))
        delivery = {"event": "e", "channel": "c", "data": {"id": 1}, "userId": "ada"}
        assert message == {"type": 2, "invocationId": "7", "item": delivery}

    def test_streams_of_clients_that_dispatch_by_name_have_the_same_items(self) -> None:
        event = Event("order-shipped", b"1")
        assert StreamWireFormat(BY_NAME, "7").encode(event, "c") == STREAM.encode(event, "c")


class TestFrames:
    @pytest.mark.parametrize(
        ("protocol", "frame", "opcode"),
        [(JSON, encode_text, Opcode.TEXT), (MESSAGE_PACK, encode_binary, Opcode.BINARY)],
    )
    def test_each_message_is_one_finished_frame(self, protocol: HubProtocol, frame: Any, opcode: Opcode) -> None:
        calls = SignalRWireFormat(protocol, frame, by_name=False)
        event = Event("e", b"1")
        for wire_format, message in (
            (calls, protocol.invocation("Event", [event_object(event, "c")])),
            (StreamWireFormat(calls, "7"), protocol.stream_item("7", event_object(event, "c"))),
        ):
            reading = OurReading(of_server=True)
            reading.feed(wire_format.encode(event, "c"))
            assert reading.outcome == ([(opcode, message)], None)

    def test_there_is_one_format_for_all_connections_of_a_kind(self) -> None:
        wire_format = signalr_wire_format(JSON, encode_text, by_name=True)
        assert signalr_wire_format(JSON, encode_text, by_name=True) is wire_format
        others = {
            signalr_wire_format(JSON, encode_text, by_name=False),
            signalr_wire_format(MESSAGE_PACK, encode_text, by_name=True),
            signalr_wire_format(JSON, encode_binary, by_name=True),
        }
        assert len(others - {wire_format}) == 3
        assert wire_format.encode(Event("e", b"1"), "c") == encode_text(BY_NAME.encode(Event("e", b"1"), "c"))
