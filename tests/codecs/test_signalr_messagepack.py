"""What is particular to messages in MessagePack."""

import math
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from skubber.codecs.signalr import HubMessage
from skubber.codecs.signalr_messagepack import MESSAGE_PACK
from support.signalr_messages import TEXT, message_pack, values, with_length

MAX_BYTES = 32_768
PING = b"\x02\x91\x06"
CALL = message_pack([1, {}, "0", "T", [], []])


def read(data: bytes, max_bytes: int = MAX_BYTES) -> tuple[list[HubMessage], str | None]:
    """The messages in some bytes, and why the rest is not read."""
    reader = MESSAGE_PACK.reader(max_bytes)
    messages = reader.feed(data)
    return messages, None if reader.error is None else str(reader.error)


def read_one(array: Any) -> HubMessage:
    """The one message that an array is."""
    (message,), error = read(message_pack(array))
    assert error is None
    return message


def arguments_of(array: Any) -> list[bytes]:
    """The JSON texts of an invocation's arguments."""
    message = read_one(array)
    assert message.arguments is not None
    return list(map(bytes, message.arguments))


def written(data: bytes) -> Any:
    """The array we wrote, which must be alone behind its length."""
    size = position = 0
    while True:
        byte = data[position]
        size |= (byte & 0x7F) << (7 * position)
        position += 1
        if byte < 0x80:
            break
    assert size == len(data) - position
    return msgspec.msgpack.decode(data[position:])


class TestLengths:
    @pytest.mark.parametrize("size", [100, 127, 128, 16_383, 16_384, 30_000])
    def test_a_length_may_be_split_anywhere(self, size: int) -> None:
        data = message_pack([1, {}, "0", "T", ["x" * size]])
        for cut in range(1, 5):
            reader = MESSAGE_PACK.reader(MAX_BYTES)
            assert reader.feed(data[:cut]) == []
            assert len(reader.feed(data[cut:])) == 1
            assert reader.error is None

    @pytest.mark.parametrize("prefix", [b"\x82\x00", b"\x82\x80\x00", b"\x82\x80\x80\x00", b"\x82\x80\x80\x80\x00"])
    def test_a_length_may_be_longer_than_it_need_be_up_to_five_bytes(self, prefix: bytes) -> None:
        messages, error = read(prefix + PING[1:] + PING)
        assert ([message.type for message in messages], error) == ([6, 6], None)

    @pytest.mark.parametrize(
        "prefix", [b"\x80\x80\x80\x80\x80", b"\x82\x80\x80\x80\x80\x00", b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"]
    )
    def test_a_length_of_more_than_five_bytes_is_an_error(self, prefix: bytes) -> None:
        messages, error = read(PING + prefix + PING)
        assert len(messages) == 1
        assert error == "A message's length takes at most five bytes."

    def test_a_length_that_is_not_all_there_is_waited_for(self) -> None:
        reader = MESSAGE_PACK.reader(MAX_BYTES)
        for byte in (b"\x82", b"\x80", b"\x80", b"\x80"):
            assert reader.feed(byte) == []
        assert len(reader.feed(b"\x00" + PING[1:])) == 1

    @pytest.mark.parametrize(
        "prefix", [b"\x81\x80\x02", b"\xff\xff\xff\xff\x07", b"\xff\xff\xff\xff\x7f", b"\xff\xff\x03"]
    )
    def test_a_length_over_the_limit_is_an_error_before_the_message_comes(self, prefix: bytes) -> None:
        messages, error = read(PING + prefix)
        assert len(messages) == 1
        assert error == "Messages have at most 32768 bytes."

    def test_a_message_of_no_bytes_is_an_error(self) -> None:
        messages, error = read(PING + b"\x00" + PING)
        assert len(messages) == 1
        assert error is not None


class TestArrays:
    @pytest.mark.parametrize(
        "array",
        [
            [1, {}, "0", "T", [], ["7"], "new", {"new": 1}],
            [2, {}, "0", 1, "new"],
            [3, {}, "0", 2, None, "new"],
            [4, {}, "0", "T", [], [], "new"],
            [5, {}, "0", "new"],
            [6, "new"],
            [7, None, True, "new"],
            [8, 1, "new"],
            [9, 1, "new"],
        ],
    )
    def test_arrays_may_be_longer_than_we_know_them(self, array: list[Any]) -> None:
        assert read_one(array).type == array[0]

    def test_stream_ids_may_be_missing_or_nil(self) -> None:
        for array in ([1, {}, "0", "T", ["a"]], [4, {}, "0", "T", ["a"]], [1, {}, "0", "T", ["a"], None]):
            message = read_one(array)
            assert (message.target, message.stream_ids) == ("T", None)

    @pytest.mark.parametrize("headers", [{}, None, {"a": "b"}, {"a": 1}, [], "x"])
    def test_headers_may_be_anything(self, headers: Any) -> None:
        assert read_one([1, headers, None, "T", []]).target == "T"

    def test_a_close_may_lack_everything(self) -> None:
        assert read_one([7]).error is None
        assert read_one([7, None]).error is None
        assert read_one([7, "why", False]).error == "why"

    @pytest.mark.parametrize("kind", [10, -1, -33, 255, 2**64 - 1, -(2**63)])
    @pytest.mark.parametrize("members", [[], [{}, 5, [], 1, "x"], [None, None, None], [b"\xff", 1.5]])
    def test_messages_of_unknown_types_are_ignored_whatever_they_hold(self, kind: int, members: list[Any]) -> None:
        messages, error = read(message_pack([kind, *members]) + PING)
        assert ([message.type for message in messages], error) == ([6], None)

    @pytest.mark.parametrize("kind", [True, False, 1.0, 6.0, "6", b"6", None, [], [6], {}, {"6": 6}])
    def test_a_type_is_an_integer(self, kind: Any) -> None:
        messages, error = read(PING + message_pack([kind, {}, None, "T", []]) + PING)
        assert len(messages) == 1
        assert error is not None

    @pytest.mark.parametrize("value", [None, True, 6, 1.5, "", "T", b"\x06", {}, {"type": 6}, [], -1])
    def test_a_message_is_an_array_with_something_in_it(self, value: Any) -> None:
        messages, error = read(PING + message_pack(value) + PING)
        assert len(messages) == 1
        assert error is not None

    @pytest.mark.parametrize("arguments", ["c", b"c", {"c": 1}, {0: "c"}, 1, None, True, 1.5])
    def test_arguments_are_an_array(self, arguments: Any) -> None:
        for kind in (1, 4):
            messages, error = read(message_pack([kind, {}, "0", "T", arguments]))
            assert (messages, error is None) == ([], False)

    def test_what_stands_behind_the_array_is_an_error(self) -> None:
        for junk in (b"\x00", b"\x91\x06", b"\xc1"):
            messages, error = read(with_length(PING[1:] + junk))
            assert (messages, error is None) == ([], False)


class TestArguments:
    @given(values(st.integers(-(2**63), 2**64 - 1)))
    def test_they_become_json_texts(self, value: Any) -> None:
        (text,) = arguments_of([1, {}, None, "T", [value]])
        assert msgspec.json.decode(text) == value

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (math.nan, b"null"),
            (math.inf, b"null"),
            (b"\x00\xff", b'"AP8="'),
            (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), b'"2026-01-02T03:04:05Z"'),
            ({1: "a"}, b'{"1":"a"}'),
        ],
    )
    def test_what_json_has_not_becomes_what_it_has(self, value: Any, text: bytes) -> None:
        assert arguments_of([1, {}, None, "T", [value]]) == [text]

    @pytest.mark.parametrize(
        "argument",
        [msgspec.msgpack.Ext(5, b"x"), msgspec.msgpack.Ext(-2, b"x"), {None: 1}, {(1, 2): 3}, [{"a": {None: 1}}]],
    )
    def test_what_has_no_json_at_all_is_an_error(self, argument: Any) -> None:
        messages, error = read(PING + message_pack([1, {}, None, "T", [argument]]))
        assert len(messages) == 1
        assert error is not None

    @pytest.mark.parametrize("text", [b"\xa1\xff", b"\xa3\xed\xa0\x80", b"\xa2\xc3\x28"])
    def test_text_that_is_not_utf_8_is_an_error(self, text: bytes) -> None:
        for payload in (b"\x95\x01\x80\xc0\xa1T\x91" + text, b"\x95\x01\x80\xc0" + text + b"\x90"):
            messages, error = read(with_length(payload))
            assert (messages, error is None) == ([], False)


HUGE = (0xFFFFFFFF).to_bytes(4)
LARGE = (30_000).to_bytes(4)


class TestBombs:
    @pytest.mark.parametrize(
        "payload",
        [
            b"\xdd" + HUGE,
            b"\xdd" + (1 << 28).to_bytes(4),
            b"\x91\xdd" + HUGE,
            b"\x95\x01\x80\xc0\xa1T\xdd" + HUGE,
            b"\x95\x01\x80\xc0\xa1T\x91\xdd" + HUGE,
            b"\x95\x01\xdf" + HUGE,
            b"\x95\x01\x80\xdb" + HUGE,
            b"\x95\x01\x80\xc0\xa1T\x91\xc6" + HUGE,
            b"\x95\x01\x80\xc0\xa1T\x91\xc9" + HUGE + b"\x05",
            b"\xdc\xff\xff",
            b"\xdf" + HUGE,
            b"\xdb" + HUGE,
            b"\x91" * 30_000,
            b"\x91" * 30_000 + b"\x90",
            b"\x95\x01\x80\xc0\xa1T" + b"\x91" * 30_000 + b"\x90",
            b"\x95\x01" + b"\x81\x01" * 15_000 + b"\x80",
            b"\x95\x01\x80\xc0\xa1T" + (b"\xdd" + LARGE) * 500 + b"\xc0" * 30_000,
        ],
        ids=lambda payload: f"{payload[:12].hex()}-{len(payload)}",
    )
    def test_what_promises_more_than_there_is_or_is_nested_without_end_costs_nothing(self, payload: bytes) -> None:
        data = PING + with_length(payload)
        started = time.process_time()
        messages, error = read(data)
        assert time.process_time() - started < 0.5
        assert len(messages) == 1
        assert error is not None
        assert len(error) < 200

    def test_an_argument_nested_as_deep_as_it_may_be_is_read(self) -> None:
        (text,) = arguments_of([1, {}, None, "T", [msgspec.json.decode(b"[" * 100 + b"]" * 100)]])
        assert text == b"[" * 100 + b"]" * 100

    @settings(max_examples=300)
    @given(st.lists(st.binary(max_size=60).map(with_length)))
    def test_any_payloads_behind_their_lengths_are_messages_or_an_error(self, messages: list[bytes]) -> None:
        read(b"".join(messages))

    @settings(max_examples=300)
    @given(st.lists(values() | st.integers(1, 9) | st.binary(max_size=5), max_size=8), st.integers(-1, 11))
    def test_any_array_is_a_message_or_an_error(self, members: list[Any], kind: int) -> None:
        messages, error = read(message_pack([kind, *members]) + PING)
        assert (error is None) == (bool(messages) and messages[-1].type == 6)


class TestWriting:
    def test_a_call_wants_no_answer(self) -> None:
        assert written(MESSAGE_PACK.invocation("Event", [{"a": 1}, 2])) == [1, {}, None, "Event", [{"a": 1}, 2], []]

    @given(values(st.integers(-(2**63), 2**64 - 1)))
    def test_json_text_goes_out_as_what_it_says(self, value: Any) -> None:
        raw = Raw(msgspec.json.encode(value))
        assert written(MESSAGE_PACK.invocation("T", [{"data": raw}, raw, (raw, [raw])]))[4] == [
            {"data": value},
            value,
            [value, [value]],
        ]
        assert written(MESSAGE_PACK.stream_item("0", {"data": raw}))[3] == {"data": value}
        assert written(MESSAGE_PACK.completion("0", result={"data": raw}))[4] == {"data": value}

    @given(TEXT, values())
    def test_items_of_streams_name_their_stream(self, invocation_id: str, item: Any) -> None:
        assert written(MESSAGE_PACK.stream_item(invocation_id, item)) == [2, {}, invocation_id, item]

    def test_a_completion_has_a_result_an_error_or_neither(self) -> None:
        assert written(MESSAGE_PACK.completion("7")) == [3, {}, "7", 2]
        assert written(MESSAGE_PACK.completion("7", "why")) == [3, {}, "7", 1, "why"]
        results: list[Any] = [None, False, 0, "", [], {"a": 1}]
        for result in results:
            assert written(MESSAGE_PACK.completion("7", result=result)) == [3, {}, "7", 3, result]

    def test_an_error_leaves_no_room_for_a_result(self) -> None:
        assert written(MESSAGE_PACK.completion("7", "why", result=1)) == [3, {}, "7", 1, "why"]

    def test_a_close_says_why_and_whether_to_come_back(self) -> None:
        assert written(MESSAGE_PACK.close("why", allow_reconnect=True)) == [7, "why", True]
        assert written(MESSAGE_PACK.close(None, allow_reconnect=False)) == [7, None, False]

    @given(st.integers(0, 2**63 - 1))
    def test_acks_and_sequences_have_a_number(self, number: int) -> None:
        assert written(MESSAGE_PACK.ack(number)) == [8, number]
        assert written(MESSAGE_PACK.sequence(number)) == [9, number]

    def test_a_ping_is_its_type(self) -> None:
        assert written(MESSAGE_PACK.ping) == [6]

    @pytest.mark.parametrize("size", [0, 100, 119, 120, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152])
    def test_every_length_is_written_so_that_it_can_be_read(self, size: int) -> None:
        for padding in range(-20, 1):
            text = "x" * max(0, size + padding)
            assert written(MESSAGE_PACK.completion("0", result=text)) == [3, {}, "0", 3, text]

    def test_it_is_binary(self) -> None:
        assert (MESSAGE_PACK.name, MESSAGE_PACK.is_binary) == ("messagepack", True)
