"""What both readers have in common: the JSON one and the MessagePack one are given the same messages."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skubber.codecs.signalr import MAX_INVOCATION_ID_LENGTH, HubProtocolError, MessageReader
from support.signalr_messages import ENCODINGS, MESSAGES, Encoding, Said, expected, pieces, reading, values

MAX_BYTES = 32_768
PING: Said = {"type": 6}
CALL: Said = {"type": 1, "target": "Subscribe", "arguments": ["c"], "invocationId": "0"}

BROKEN: list[Said] = [
    {"type": 1, "invocationId": "1", "arguments": []},
    {"type": 1, "invocationId": "1", "target": "Subscribe"},
    {"type": 1, "target": None, "arguments": []},
    {"type": 1, "target": 5, "arguments": []},
    {"type": 1, "target": "Subscribe", "arguments": None},
    {"type": 1, "target": "Subscribe", "arguments": "c"},
    {"type": 1, "target": "Subscribe", "arguments": {"0": "c"}},
    {"type": 1, "target": "Subscribe", "arguments": 1},
    {"type": 1, "target": "Subscribe", "arguments": [], "invocationId": 1},
    {"type": 1, "target": "Subscribe", "arguments": [], "streamIds": "0"},
    {"type": 1, "target": "Subscribe", "arguments": [], "streamIds": [0]},
    {"type": 2},
    {"type": 3},
    {"type": 4, "target": "StreamEvents", "arguments": []},
    {"type": 4, "target": "StreamEvents", "arguments": [], "invocationId": ""},
    {"type": 4, "invocationId": "1", "arguments": []},
    {"type": 4, "invocationId": "1", "target": "StreamEvents"},
    {"type": 5},
    {"type": 5, "invocationId": ""},
    {"type": 7, "error": 1},
    {"type": 8},
    {"type": 8, "sequenceId": "1"},
    {"type": 8, "sequenceId": 1.5},
    {"type": 9, "sequenceId": True},
    {"type": "1", "target": "Subscribe", "arguments": []},
    {"type": True, "target": "Subscribe", "arguments": []},
    {"type": 1.5, "target": "Subscribe", "arguments": []},
    {"type": None},
    {"type": [1]},
]

MEMBERS = ["target", "arguments", "invocationId", "streamIds", "sequenceId", "error", "result", "item", "headers"]

encodings = pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)


def said_by(reader: MessageReader, *data: bytes) -> list[Said]:
    """What a reader makes of some pieces."""
    return [reading(message) for piece in data for message in reader.feed(piece)]


def readable(encoding: Encoding, *said: Said) -> list[Said]:
    """What is read of messages that break no rule, all in one piece."""
    reader = encoding.protocol.reader(MAX_BYTES)
    read = said_by(reader, b"".join(map(encoding.write, said)))
    assert reader.error is None
    return read


def error_of(encoding: Encoding, said: Said) -> str:
    """Why a message is refused."""
    reader = encoding.protocol.reader(MAX_BYTES)
    assert reader.feed(encoding.write(said)) == []
    assert isinstance(reader.error, HubProtocolError)
    return str(reader.error)


@encodings
class TestSplitting:
    @given(st.lists(MESSAGES, max_size=5), st.lists(st.integers(0, 2000)))
    def test_messages_are_the_same_however_they_are_split_and_packed(
        self, encoding: Encoding, said: list[Said], cuts: list[int]
    ) -> None:
        data = b"".join(map(encoding.write, said))
        reader = encoding.protocol.reader(MAX_BYTES)
        assert said_by(reader, *pieces(data, cuts)) == list(map(expected, said))
        assert reader.error is None

    def test_each_message_comes_as_soon_as_its_last_byte_does(self, encoding: Encoding) -> None:
        data = encoding.write({**CALL, "arguments": ["x" * 300]})
        reader = encoding.protocol.reader(MAX_BYTES)
        for byte in data[:-1]:
            assert reader.feed(bytes((byte,))) == []
        (message,) = said_by(reader, data[-1:])
        assert message["arguments"] == ["x" * 300]

    def test_a_message_may_end_where_the_next_begins(self, encoding: Encoding) -> None:
        data = encoding.write(CALL) + encoding.write(PING)
        half = len(encoding.write(CALL)) + 1
        reader = encoding.protocol.reader(MAX_BYTES)
        assert said_by(reader, data[:half]) == [CALL]
        assert said_by(reader, data[half:]) == [PING]

    def test_nothing_is_no_message(self, encoding: Encoding) -> None:
        reader = encoding.protocol.reader(MAX_BYTES)
        assert reader.feed(b"") == []
        assert reader.error is None

    def test_thousands_of_messages_may_come_at_once(self, encoding: Encoding) -> None:
        assert readable(encoding, *[PING] * 5000) == [PING] * 5000


@encodings
class TestMembers:
    def test_an_invocation_has_a_target_arguments_an_id_and_streams(self, encoding: Encoding) -> None:
        said = {**CALL, "arguments": ["c", 1, None, {"a": [1.5]}], "streamIds": ["7"]}
        assert readable(encoding, said) == [said]

    def test_an_invocation_that_wants_no_answer_has_no_id(self, encoding: Encoding) -> None:
        said = {"type": 1, "target": "Trigger", "arguments": []}
        for no_id in ({}, {"invocationId": None}, {"invocationId": ""}):
            assert readable(encoding, {**said, **no_id}) == [said]

    @pytest.mark.parametrize("kind", [0, 10, 127, 128, -1, -200, 2**31, 2**63, -(2**63)])
    @pytest.mark.parametrize("other", [{}, {"target": 5, "arguments": "?", "invocationId": [], "sequenceId": "x"}])
    def test_messages_of_unknown_types_are_ignored_whatever_they_hold(
        self, encoding: Encoding, kind: int, other: Said
    ) -> None:
        assert readable(encoding, CALL, {"type": kind, **other}, PING) == [CALL, PING]

    def test_an_id_has_at_most_so_many_characters(self, encoding: Encoding) -> None:
        for letter in ("i", "𝄞"):
            longest = {**CALL, "invocationId": letter * MAX_INVOCATION_ID_LENGTH}
            assert readable(encoding, longest) == [longest]
            too_long = {**CALL, "invocationId": letter * (MAX_INVOCATION_ID_LENGTH + 1)}
            assert error_of(encoding, too_long) == "Invocation ids have at most 128 characters."

    @pytest.mark.parametrize("said", BROKEN, ids=str)
    def test_a_message_that_breaks_the_rules_is_an_error_with_a_sentence(self, encoding: Encoding, said: Said) -> None:
        assert error_of(encoding, said).endswith(".")

    @given(values(st.integers(-(2**63), 2**64 - 1)))
    def test_arguments_keep_their_values(self, encoding: Encoding, value: Any) -> None:
        said = {"type": 1, "target": "T", "arguments": [value, [value]]}
        assert readable(encoding, said) == [said]


@encodings
class TestLimits:
    def largest(self, encoding: Encoding) -> tuple[bytes, int]:
        """A message, and its size as the limit counts it."""
        data = encoding.write({**CALL, "arguments": ["x" * 500]})
        return data, len(data) - (2 if encoding.protocol.is_binary else 1)

    def test_the_limit_is_the_size_of_the_largest_message(self, encoding: Encoding) -> None:
        data, size = self.largest(encoding)
        reader = encoding.protocol.reader(size)
        assert len(reader.feed(data * 3)) == 3
        assert reader.error is None
        reader = encoding.protocol.reader(size - 1)
        assert reader.feed(data) == []
        assert str(reader.error) == f"Messages have at most {size - 1} bytes."

    def test_a_message_of_the_largest_size_may_come_in_pieces(self, encoding: Encoding) -> None:
        data, size = self.largest(encoding)
        reader = encoding.protocol.reader(size)
        assert reader.feed(data[:-1]) == []
        assert reader.error is None
        assert len(reader.feed(data[-1:])) == 1

    def test_a_message_too_large_is_refused_before_it_ends(self, encoding: Encoding) -> None:
        data, size = self.largest(encoding)
        reader = encoding.protocol.reader(size - 1)
        assert reader.feed(data[:size]) == []
        assert reader.error is not None

    def test_what_stands_before_one_too_large_still_counts(self, encoding: Encoding) -> None:
        data, size = self.largest(encoding)
        reader = encoding.protocol.reader(size - 1)
        assert said_by(reader, encoding.write(CALL) + data) == [CALL]
        assert reader.error is not None


@encodings
class TestErrors:
    @pytest.mark.parametrize("said", BROKEN, ids=str)
    def test_what_stands_before_a_broken_message_still_counts(self, encoding: Encoding, said: Said) -> None:
        reader = encoding.protocol.reader(MAX_BYTES)
        data = encoding.write(CALL) + encoding.write(PING) + encoding.write(said) + encoding.write(PING)
        assert said_by(reader, data) == [CALL, PING]
        assert reader.error is not None

    def test_after_an_error_nothing_is_read_any_more(self, encoding: Encoding) -> None:
        reader = encoding.protocol.reader(MAX_BYTES)
        reader.feed(encoding.write(BROKEN[0]))
        error = reader.error
        for _ in range(3):
            assert reader.feed(encoding.write(PING)) == []
        assert reader.error is error

    @settings(max_examples=500)
    @given(st.lists(st.binary(max_size=200)))
    def test_any_bytes_are_messages_or_an_error(self, encoding: Encoding, pieces: list[bytes]) -> None:
        reader = encoding.protocol.reader(100)
        for piece in pieces:
            reader.feed(piece)
        if reader.error is not None:
            str(reader.error).encode()

    @settings(max_examples=500)
    @given(MESSAGES, st.integers(0, 500), st.binary(min_size=1, max_size=3))
    def test_a_message_with_some_bytes_changed_is_messages_or_an_error(
        self, encoding: Encoding, said: Said, place: int, other: bytes
    ) -> None:
        data = encoding.write(said)
        place %= len(data)
        reader = encoding.protocol.reader(MAX_BYTES)
        reader.feed(data[:place] + other + data[place + len(other) :])
        if reader.error is not None:
            str(reader.error).encode()

    @settings(max_examples=300)
    @given(st.integers(1, 9), st.dictionaries(st.sampled_from(MEMBERS), values()))
    def test_any_members_make_a_message_or_an_error(self, encoding: Encoding, kind: int, members: Said) -> None:
        reader = encoding.protocol.reader(MAX_BYTES)
        read = said_by(reader, encoding.write({"type": kind, **members}))
        assert (reader.error is None) == (len(read) == 1)
