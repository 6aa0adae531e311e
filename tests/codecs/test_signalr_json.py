"""What is particular to messages in JSON."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from skubber.codecs.signalr import HubMessage
from skubber.codecs.signalr_json import JSON
from support.signalr_messages import TEXT, values

MAX_BYTES = 32_768


def read(*records: bytes) -> tuple[list[HubMessage], str | None]:
    """The messages in some records, and why the rest is not read."""
    reader = JSON.reader(MAX_BYTES)
    messages = reader.feed(b"".join(record + b"\x1e" for record in records))
    return messages, None if reader.error is None else str(reader.error)


def read_one(record: bytes) -> HubMessage:
    """The one message in a record."""
    (message,), error = read(record)
    assert error is None
    return message


def record(data: bytes) -> Any:
    """What we wrote, which must be one record."""
    assert data[-1:] == b"\x1e"
    assert b"\x1e" not in data[:-1]
    return json.loads(data[:-1])


class TestReading:
    def test_arguments_may_come_before_the_target_and_the_type(self) -> None:
        message = read_one(b'{"arguments":["c",2],"invocationId":"7","target":"Subscribe","type":1}')
        assert (message.type, message.target, message.invocation_id) == (1, "Subscribe", "7")
        assert message.arguments is not None
        assert list(map(bytes, message.arguments)) == [b'"c"', b"2"]

    def test_arguments_keep_their_very_text(self) -> None:
        texts = [b"1.50", b'"a\\u0041"', b'{ "a" : [ 1 ] }', b'{"n":1,"n":2}', b"12345678901234567890123", b"[]"]
        message = read_one(b'{"type":1,"target":"T","arguments":[%b]}' % b" , ".join(texts))
        assert message.arguments is not None
        assert list(map(bytes, message.arguments)) == texts

    def test_unknown_members_are_ignored(self) -> None:
        message = read_one(b'{"x":{"y":[1]},"type":1,"target":"T","arguments":[],"Target":5,"headers":{"a":"b"}}')
        assert message.target == "T"

    def test_members_that_are_null_are_not_there(self) -> None:
        message = read_one(b'{"type":1,"target":"T","arguments":[],"invocationId":null,"streamIds":null,"error":null}')
        assert (message.invocation_id, message.stream_ids, message.error) == (None, None, None)

    def test_white_space_is_free(self) -> None:
        assert read_one(b'\r\n {\t"type" : 6 }\n').type == 6

    @pytest.mark.parametrize(
        ("members", "result", "error"),
        [
            (b'"result":{"a":1}', b'{"a":1}', None),
            (b'"result":null', b"null", None),
            (b'"result":false', b"false", None),
            (b'"error":"why"', None, "why"),
            (b'"error":""', None, ""),
            (b'"x":1', None, None),
        ],
    )
    def test_a_completion_has_a_result_an_error_or_neither(
        self, members: bytes, result: bytes | None, error: str | None
    ) -> None:
        message = read_one(b'{"type":3,"invocationId":"0",%b}' % members)
        assert message.error == error
        if result is None:
            assert message.result is msgspec.UNSET
        else:
            assert isinstance(message.result, Raw)
            assert bytes(message.result) == result

    @pytest.mark.parametrize("result", [b"1", b"null", b"false", b'""'])
    def test_a_completion_with_a_result_and_an_error_is_an_error(self, result: bytes) -> None:
        messages, error = read(b'{"type":3,"invocationId":"0","error":"why","result":%b}' % result)
        assert (messages, error) == ([], "A completion has either a result or an error.")

    @pytest.mark.parametrize(
        "broken",
        [
            b"",
            b" ",
            b"junk",
            b"null",
            b"[]",
            b"[1]",
            b'"type"',
            b"{}",
            b'{"Type":6}',
            b'{"type":6',
            b'{"type":6}}',
            b'{"type":6}{"type":6}',
            b'{"type":6}\n{"type":6}',
            b"{'type':6}",
            b'{"type":06}',
            b'{"type":6,}',
            b'{"type":6.0}',
            b'{"type":1e400}',
            b'{"type":NaN}',
            b'\xef\xbb\xbf{"type":6}',
            b'{"type":1,"target":"\xff","arguments":[]}',
            b'{"type":1,"target":"\\ud800","arguments":[]}',
            b'{"type":1,"target":"T","arguments":[01]}',
            b'{"type":1,"target":"T","arguments":[1,]}',
            b'{"type":1,"target":"T","arguments":[' + b"[" * 20_000 + b"]" * 10_000,
            b'{"type":1,"target":"T","arguments":[],"x":' + b'{"x":' * 5_000,
            b"[" * 32_000,
            b"\x02\x91\x06",
        ],
    )
    def test_what_is_no_message_is_an_error_and_what_came_before_still_counts(self, broken: bytes) -> None:
        messages, error = read(b'{"type":6}', broken, b'{"type":6}')
        assert [message.type for message in messages] == [6]
        assert error is not None
        assert error.endswith(".")
        assert len(error) < 200

    @pytest.mark.parametrize(
        "record",
        [
            b'{"type":10,"target":1,"arguments":{},"invocationId":[],"streamIds":0,"sequenceId":"","error":{}}',
            b'{"error":[],"type":99}',
            b'{"type":99,"result":1,"error":"x"}',
            b'{"type":12345678901234567890123}',
            b'{"type":10,"x":' + b"[" * 50 + b"]" * 50 + b"}",
        ],
    )
    def test_a_type_from_the_future_may_give_known_members_other_types(self, record: bytes) -> None:
        assert read(record) == ([], None)

    def test_of_a_type_from_the_future_broken_json_is_still_an_error(self) -> None:
        for broken in (b'{"type":10,"error":5}x', b'{"type":10,"error":', b'{"type":10,"error":[}'):
            messages, error = read(broken)
            assert (messages, error is None) == ([], False)

    def test_what_cannot_be_read_is_never_repeated(self) -> None:
        _, error = read(b'{"type":1,"target":{"secret-value":1},"arguments":["secret-value"]}')
        assert error is not None
        assert "secret-value" not in error


class TestWriting:
    def test_a_call_wants_no_answer(self) -> None:
        assert record(JSON.invocation("Event", [{"a": 1}, 2])) == {
            "type": 1,
            "target": "Event",
            "arguments": [{"a": 1}, 2],
        }

    @pytest.mark.parametrize("data", [b"1.50", b'"a\\u0041"', b'{ "a" : 1 }', b'{"n":1,"n":2}', b'"\xc3\xa9"'])
    def test_json_text_goes_out_as_it_came(self, data: bytes) -> None:
        for written in (
            JSON.invocation("T", [{"data": Raw(data)}, Raw(data)]),
            JSON.stream_item("0", {"data": Raw(data)}),
            JSON.completion("0", result={"data": Raw(data)}),
            JSON.completion("0", result=Raw(data)),
        ):
            assert data in written

    @given(TEXT, values())
    def test_items_of_streams_name_their_stream(self, invocation_id: str, item: Any) -> None:
        written = record(JSON.stream_item(invocation_id, item))
        assert written == {"type": 2, "invocationId": invocation_id, "item": item}

    def test_a_completion_has_a_result_an_error_or_neither(self) -> None:
        assert record(JSON.completion("7")) == {"type": 3, "invocationId": "7"}
        assert record(JSON.completion("7", "why")) == {"type": 3, "invocationId": "7", "error": "why"}
        results: list[Any] = [None, False, 0, "", [], {"a": 1}]
        for result in results:
            assert record(JSON.completion("7", result=result)) == {"type": 3, "invocationId": "7", "result": result}

    def test_an_error_leaves_no_room_for_a_result(self) -> None:
        assert "result" not in record(JSON.completion("7", "why", result=1))

    def test_a_close_says_why_and_whether_to_come_back(self) -> None:
        assert record(JSON.close("why", allow_reconnect=True)) == {"type": 7, "error": "why", "allowReconnect": True}
        assert record(JSON.close("why", allow_reconnect=False)) == {"type": 7, "error": "why"}
        assert record(JSON.close(None, allow_reconnect=True)) == {"type": 7, "allowReconnect": True}
        assert record(JSON.close(None, allow_reconnect=False)) == {"type": 7}

    @given(st.integers(0, 2**63 - 1))
    def test_acks_and_sequences_have_a_number(self, number: int) -> None:
        assert record(JSON.ack(number)) == {"type": 8, "sequenceId": number}
        assert record(JSON.sequence(number)) == {"type": 9, "sequenceId": number}

    def test_a_ping_is_its_type(self) -> None:
        assert record(JSON.ping) == {"type": 6}

    @given(TEXT, st.lists(values(), max_size=3))
    def test_no_text_can_break_out_of_its_record(self, target: str, arguments: list[Any]) -> None:
        written = record(JSON.invocation(target, [*arguments, "\x1e\n\0"]))
        assert (written["target"], written["arguments"]) == (target, [*arguments, "\x1e\n\0"])

    def test_it_is_text(self) -> None:
        assert (JSON.name, JSON.is_binary) == ("json", False)
