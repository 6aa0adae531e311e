"""What we write, read as the HTML Living Standard says event streams are to be interpreted."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skubber.codecs.event_stream import encode_event
from support.signalr_messages import json_record, values

PIECES = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b":", b"data: x", b"x", "é𝄞\u2028".encode(), b"\0"]))


def events(stream: bytes) -> list[str]:
    """The data of the events that a browser dispatches for a whole stream."""
    dispatched, data = [], ""
    for line in re.split("\r\n|\n|\r", stream.decode().removeprefix("\ufeff")):
        if line:
            field, _, value = line.partition(":")
            assert field == "data", "there is nothing else in our streams, no comment either"
            data += value.removeprefix(" ") + "\n"
        elif data:
            dispatched.append(data.removesuffix("\n"))
            data = ""
    assert not data, "what is not ended by an empty line is lost"
    return dispatched


def joined_lines(text: bytes) -> str:
    """A text with the one kind of line end that event streams keep."""
    return re.sub("\r\n|\r", "\n", text.decode())


@given(PIECES.map(b"".join))
@example(b"")
@example(b"\n")
@example(b"\r\n\r\n")
@example(b" leading and trailing ")
@example(b"id: 1\nevent: x\nretry: 1\n: comment\n\n")
def test_an_event_is_its_data(data: bytes) -> None:
    assert events(encode_event(data)) == [joined_lines(data)]


@given(st.lists(PIECES.map(b"".join)))
def test_events_one_behind_the_other_stay_apart(messages: list[bytes]) -> None:
    assert events(b"".join(map(encode_event, messages))) == list(map(joined_lines, messages))


@given(values())
def test_a_message_of_the_hub_comes_through_with_its_separator(value: object) -> None:
    message = json_record({"type": 1, "target": "T", "arguments": [value]})
    assert events(encode_event(message)) == [message.decode()]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_json_written_over_several_lines_is_still_the_same_json(line_end: str) -> None:
    message = f'{{"type":1,{line_end}"arguments":[{line_end}{line_end}1]}}\x1e'.encode()
    (data,) = events(encode_event(message))
    assert data == '{"type":1,\n"arguments":[\n\n1]}\x1e'
