"""The reader beside two others, on valid and on damaged frames, in pieces of any size."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from skubber.codecs.websocket_frames import Opcode, encode_close, encode_frame
from skubber.codecs.websocket_reader import FRAMES_AT_A_TIME, FrameReader, close_code_and_reason
from support.websocket_readings import Messages, OurReading, Reading, WebsocketsReading, WsprotoReading

MASK = b"\x11\x9a\x00\xff"
CLOSE_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999]
BAD_CLOSE_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65535]

# What the other libraries do otherwise, and RFC 6455 permits or the IANA registry has since settled.
WSPROTO_LAGS_REGISTRY = 1014  # registered after wsproto's list of codes was made

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(str.encode)
SIZES = st.sampled_from([0, 1, 124, 125, 126, 127, 300, 65535, 65536, 70000])
PAYLOADS = TEXT | SIZES.map(lambda size: b"x" * size)
MASKS = st.binary(min_size=4, max_size=4)


def client_frame(opcode: Opcode, payload: bytes = b"", *, fin: bool = True) -> bytes:
    return encode_frame(opcode, payload, fin=fin, mask=MASK)


@st.composite
def controls(draw: st.DrawFn) -> tuple[Opcode, bytes]:
    """A ping or a pong."""
    return draw(st.sampled_from([Opcode.PING, Opcode.PONG])), draw(st.binary(max_size=125))


@st.composite
def closes(draw: st.DrawFn) -> tuple[Opcode, bytes]:
    """A close frame, with a code and a reason or without."""
    code = draw(st.none() | st.sampled_from(CLOSE_CODES))
    if code is None:
        return Opcode.CLOSE, b""
    return Opcode.CLOSE, code.to_bytes(2) + draw(TEXT.filter(lambda text: len(text) <= 123))


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, Messages]:
    """The bytes of messages of a client, fragmented at will with control frames between, and the messages."""
    stream = bytearray()
    messages: Messages = []
    for opcode in draw(st.lists(st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.PING]), max_size=5)):
        if opcode is Opcode.PING:
            _add_controls(draw, stream, messages)
            continue
        payload = draw(PAYLOADS)
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        for number, (start, end) in enumerate(pairwise([0, *cuts, len(payload)])):
            part = Opcode.CONTINUATION if number else opcode
            is_last = number == len(cuts)
            stream += encode_frame(part, payload[start:end], fin=is_last, mask=draw(MASKS))
            if not is_last:
                _add_controls(draw, stream, messages)
        messages.append((opcode, payload))
    if draw(st.booleans()):
        close = draw(closes())
        stream += encode_frame(*close, mask=draw(MASKS))
        messages.append(close)
    return bytes(stream), messages


def _add_controls(draw: st.DrawFn, stream: bytearray, messages: Messages) -> None:
    for control in draw(st.lists(controls(), max_size=2)):
        stream += encode_frame(*control, mask=draw(MASKS))
        messages.append(control)


@st.composite
def cuts(draw: st.DrawFn) -> list[float]:
    """Where to cut a stream, as shares of its length."""
    return sorted(draw(st.lists(st.floats(0, 1), max_size=8)))


def cut(stream: bytes, shares: Sequence[float]) -> list[bytes]:
    edges = [0, *(int(share * len(stream)) for share in shares), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def one_by_one(stream: bytes) -> list[bytes]:
    return [stream[position : position + 1] for position in range(len(stream))]


def read(reading: Reading, parts: Iterable[bytes]) -> Reading:
    for part in parts:
        reading.feed(part)
    return reading


@settings(deadline=None, max_examples=150)
@given(conversations(), cuts())
def test_every_reader_reads_what_was_sent_however_it_is_cut(
    conversation: tuple[bytes, Messages], shares: list[float]
) -> None:
    stream, messages = conversation
    parts = cut(stream, shares)
    assert read(OurReading(), parts).outcome == (messages, None)
    assert read(WebsocketsReading(), parts).outcome == (messages, None)
    assert read(WsprotoReading(), parts).outcome == (messages, None)


@settings(deadline=None, max_examples=60)
@given(conversations())
def test_a_stream_can_come_byte_by_byte(conversation: tuple[bytes, Messages]) -> None:
    stream, messages = conversation
    assume(len(stream) < 2000)
    assert read(OurReading(), one_by_one(stream)).outcome == (messages, None)


@settings(deadline=None, max_examples=60)
@given(conversations(), st.floats(0, 1))
def test_what_is_not_complete_is_not_read_and_no_error(conversation: tuple[bytes, Messages], share: float) -> None:
    stream, messages = conversation
    reading = read(OurReading(), [stream[: int(share * len(stream))]])
    assert reading.error is None
    assert reading.messages == messages[: len(reading.messages)]


def frames(stream: bytes) -> Iterator[tuple[int, int, bool]]:
    """The complete frames of a stream, whatever is wrong with them: first byte, end, whether the length is minimal."""
    start = 0
    while len(stream) - start >= 2:
        first, second = stream[start : start + 2]
        short = second & 0x7F
        width = {126: 2, 127: 8}.get(short, 0)
        header = start + 2 + width
        length = int.from_bytes(stream[start + 2 : header]) if width else short
        end = header + (4 if second & 0x80 else 0) + length
        if end > len(stream):
            return
        yield first, end, length >= {0: 0, 2: 126, 8: 65536}[width]
        start = end


def whole_frames(stream: bytes) -> bytes:
    """A stream up to its last complete frame: readers differ in how early they look at one that is not."""
    return stream[: max((end for _, end, _ in frames(stream)), default=0)]


def agree_with_wsproto(stream: bytes, ours: Reading) -> None:
    theirs = read(WsprotoReading(), [stream])
    if ours.messages and close_code(ours.messages[-1]) == WSPROTO_LAGS_REGISTRY:
        assert theirs.outcome == (ours.messages[:-1], 1002)
        return
    assert ours.outcome == theirs.outcome


def agree_with_websockets(stream: bytes, ours: Reading) -> None:
    if not all(is_minimal for _, _, is_minimal in frames(stream)):
        return  # websockets does not look whether a length is in its shortest form, as section 5.2 wants it
    theirs = read(WebsocketsReading(), [stream])
    if ours.error is None and theirs.error == 1002:
        # websockets takes no close frame inside of a fragmented message. Section 5.4 lets any control frame in.
        assert ours.messages[-1][0] is Opcode.CLOSE
        assert ours.messages[:-1] == theirs.messages
    elif (ours.error, theirs.error) == (1002, 1007):
        # A close frame with a bad code and bad UTF-8: the RFC does not say which is worse.
        assert any(first & 0x0F == Opcode.CLOSE for first, _, _ in frames(stream))
        assert ours.messages == theirs.messages
    else:
        assert ours.outcome == theirs.outcome


def close_code(message: tuple[Opcode, bytes]) -> int | None:
    opcode, payload = message
    return close_code_and_reason(payload)[0] if opcode is Opcode.CLOSE else None


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A conversation in which some bits were turned over, or bytes lost, doubled or made up."""
    stream = bytearray(draw(conversations())[0])
    assume(stream)
    for _ in range(draw(st.integers(1, 3))):
        # Most of the damage in the headers at the start, where it tells.
        position = draw(st.integers(0, min(30, len(stream) - 1)) | st.integers(0, len(stream) - 1))
        kind = draw(st.sampled_from(["flip", "flip", "insert", "delete"]))
        if kind == "flip":
            stream[position] ^= 1 << draw(st.integers(0, 7))
        elif kind == "insert":
            stream[position:position] = draw(st.binary(min_size=1, max_size=4))
        elif len(stream) > 1:
            del stream[position]
    return bytes(stream)


@settings(deadline=None, max_examples=400)
@given(damaged() | st.binary(max_size=60), cuts())
# A close frame between fragments; a bad code with bad UTF-8; a length that is longer than it needs to be.
@example(client_frame(Opcode.TEXT, fin=False) + client_frame(Opcode.CLOSE), [])
@example(client_frame(Opcode.CLOSE, b"\x00\x01\xff"), [])
@example(b"\x81\xfe\x00\x01" + MASK + b"x", [])
def test_all_readers_find_the_same_fault_in_damaged_frames(stream: bytes, shares: list[float]) -> None:
    stream = whole_frames(stream)
    ours = read(OurReading(), cut(stream, shares))
    assert ours.outcome == read(OurReading(), [stream]).outcome
    agree_with_wsproto(stream, ours)
    agree_with_websockets(stream, ours)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200) | damaged(), cuts())
def test_any_bytes_are_read_alike_however_they_are_cut(stream: bytes, shares: list[float]) -> None:
    at_once, in_parts = OurReading(), OurReading()
    assert read(at_once, [stream]).outcome == read(in_parts, cut(stream, shares)).outcome


HUGE = b"\xff" * 8

FAULTS = {
    "reserved bit 1": (b"\xc1\x80" + MASK, 1002),
    "reserved bit 2": (b"\xa1\x80" + MASK, 1002),
    "reserved bit 3": (b"\x91\x80" + MASK, 1002),
    "reserved bit on a ping": (b"\xc9\x80" + MASK, 1002),
    **{
        f"opcode {number}": (bytes((0x80 | number, 0x80)) + MASK, 1002)
        for number in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
    },
    "no mask": (b"\x81\x01a", 1002),
    "no mask on a ping": (b"\x89\x00", 1002),
    "a fragmented ping": (client_frame(Opcode.PING, fin=False), 1002),
    "a fragmented close": (client_frame(Opcode.CLOSE, fin=False), 1002),
    "a ping of 126 bytes": (client_frame(Opcode.PING, b"x" * 126), 1002),
    "a close of 126 bytes": (client_frame(Opcode.CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "a continuation of nothing": (client_frame(Opcode.CONTINUATION), 1002),
    "a continuation of nothing that goes on": (client_frame(Opcode.CONTINUATION, fin=False), 1002),
    "a message inside of another": (client_frame(Opcode.TEXT, fin=False) + client_frame(Opcode.TEXT), 1002),
    "a fragment of another": (client_frame(Opcode.TEXT, fin=False) + client_frame(Opcode.BINARY, fin=False), 1002),
    "two bytes of length for one": (b"\x81\xfe\x00\x7d" + MASK, 1002),
    "eight bytes of length for one": (b"\x81\xff" + bytes(7) + b"\x7d" + MASK, 1002),
    "eight bytes of length for two": (b"\x82\xff" + bytes(6) + b"\xff\xff" + MASK, 1002),
    "a length of 64 bits": (b"\x82\xff" + HUGE, 1002),
    "a close of one byte": (client_frame(Opcode.CLOSE, b"\x03"), 1002),
    **{f"close code {code}": (client_frame(Opcode.CLOSE, code.to_bytes(2)), 1002) for code in BAD_CLOSE_CODES},
    "a close reason that is not UTF-8": (client_frame(Opcode.CLOSE, b"\x03\xe8\xff"), 1007),
    "a text that is not UTF-8": (client_frame(Opcode.TEXT, b"a\xffb"), 1007),
    "a text that ends within a character": (client_frame(Opcode.TEXT, "€".encode()[:2]), 1007),
    "a surrogate": (client_frame(Opcode.TEXT, b"\xed\xa0\x80"), 1007),
    "an overlong character": (client_frame(Opcode.TEXT, b"\xc0\xaf"), 1007),
    "a character beyond the last": (client_frame(Opcode.TEXT, b"\xf4\x90\x80\x80"), 1007),
    "a first fragment that is not UTF-8": (client_frame(Opcode.TEXT, b"\xff", fin=False), 1007),
    "a last fragment that ends within a character": (
        client_frame(Opcode.TEXT, b"a", fin=False) + client_frame(Opcode.CONTINUATION, "€".encode()[:2]),
        1007,
    ),
    "a character broken by a fragment": (
        client_frame(Opcode.TEXT, b"\xe2", fin=False) + client_frame(Opcode.CONTINUATION, b"\x28"),
        1007,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_its_close_code_wherever_the_stream_is_cut(fault: str) -> None:
    before, behind = client_frame(Opcode.BINARY, b"before"), client_frame(Opcode.BINARY, b"behind")
    frame, code = FAULTS[fault]
    stream = before + frame + behind
    expected = ([(Opcode.BINARY, b"before")], code)
    assert read(OurReading(), one_by_one(stream)).outcome == expected
    for position in range(len(stream) + 1):
        assert read(OurReading(), [stream[:position], stream[position:]]).outcome == expected


@pytest.mark.parametrize("code", [*CLOSE_CODES, 1014])
def test_a_close_frame_may_have_any_registered_code(code: int) -> None:
    payload = code.to_bytes(2) + b"why"
    frame = client_frame(Opcode.CLOSE, payload)
    assert read(OurReading(), [frame]).outcome == ([(Opcode.CLOSE, payload)], None)
    assert read(WebsocketsReading(), [frame]).outcome == ([(Opcode.CLOSE, payload)], None)


@pytest.mark.parametrize("character", ["é", "€", "𝄞"])
def test_a_character_may_be_spread_over_fragments(character: str) -> None:
    payload = f"a{character}b".encode()
    for position in range(len(payload) + 1):
        stream = client_frame(Opcode.TEXT, payload[:position], fin=False)
        stream += client_frame(Opcode.CONTINUATION, payload[position:])
        assert read(OurReading(), [stream]).outcome == ([(Opcode.TEXT, payload)], None)


def test_bad_text_is_found_with_the_fragment_that_holds_it() -> None:
    reading = read(OurReading(), [client_frame(Opcode.TEXT, b"a\xff", fin=False)])
    assert reading.outcome == ([], 1007)


def test_nothing_counts_behind_a_close_frame() -> None:
    stream = client_frame(Opcode.CLOSE) + client_frame(Opcode.TEXT, b"late") + b"\xff\xff\xff"
    reader = FrameReader(1000)
    assert reader.feed(stream) == [(Opcode.CLOSE, b"")]
    assert reader.feed(client_frame(Opcode.TEXT, b"later")) == []
    reader.hold(b"\xff" * 10)
    assert reader.feed() == []
    assert reader.error is None
    assert not reader.is_behind


@settings(deadline=None, max_examples=150)
@given(
    limit=st.sampled_from([1, 100, 125, 126, 1000]),
    sizes=st.lists(st.sampled_from([0, 1, 50, 99, 100, 101, 125, 126, 127, 500, 1000, 1001]), min_size=1, max_size=4),
    shares=cuts(),
)
def test_a_message_is_too_big_where_websockets_finds_it_so(limit: int, sizes: list[int], shares: list[float]) -> None:
    stream = b""
    for number, size in enumerate(sizes):
        opcode = Opcode.CONTINUATION if number else Opcode.BINARY
        stream += client_frame(opcode, b"x" * size, fin=number == len(sizes) - 1)
    ours = read(OurReading(limit), cut(stream, shares))
    assert ours.outcome == read(WebsocketsReading(limit), [stream]).outcome
    assert (ours.error == 1009) is (sum(sizes) > limit)


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
@pytest.mark.parametrize("fin", [True, False])
def test_a_message_is_too_big_as_soon_as_its_header_says_so(opcode: Opcode, fin: bool) -> None:
    head = client_frame(opcode, b"x" * 1001, fin=fin)[:4]
    assert read(OurReading(1000), [head]).outcome == ([], 1009)


def test_control_frames_are_no_part_of_a_message() -> None:
    stream = client_frame(Opcode.TEXT, b"x" * 100, fin=False) + client_frame(Opcode.PING, b"p" * 100)
    stream += client_frame(Opcode.CONTINUATION)
    messages = [(Opcode.PING, b"p" * 100), (Opcode.TEXT, b"x" * 100)]
    assert read(OurReading(100), [stream]).outcome == (messages, None)


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.PING, Opcode.CONTINUATION])
def test_a_flood_of_frames_is_read_in_portions(opcode: Opcode) -> None:
    reader = FrameReader(1000)
    reader.feed(client_frame(Opcode.BINARY, fin=False) if opcode is Opcode.CONTINUATION else b"")
    flood = client_frame(opcode, fin=opcode is not Opcode.CONTINUATION) * 1000
    portions = [len(reader.feed(flood))]
    while reader.is_behind:
        portions.append(len(reader.feed()))
    assert len(portions) == -(-1000 // FRAMES_AT_A_TIME)
    assert max(portions) <= FRAMES_AT_A_TIME
    assert sum(portions) == (0 if opcode is Opcode.CONTINUATION else 1000)
    assert reader.error is None


def test_what_is_held_is_read_with_the_next_feed() -> None:
    reader = FrameReader(1000)
    first, second = client_frame(Opcode.TEXT, b"first"), client_frame(Opcode.TEXT, b"second")
    reader.hold(first[:3])
    reader.hold(first[3:] + second[:1])
    assert reader.is_behind
    assert reader.feed(second[1:]) == [(Opcode.TEXT, b"first"), (Opcode.TEXT, b"second")]
    assert not reader.is_behind


def test_a_fault_behind_a_flood_comes_after_it() -> None:
    reading = OurReading()
    reading.feed(client_frame(Opcode.TEXT, b"a") * 1000 + b"\xff\xff")
    assert reading.outcome == ([(Opcode.TEXT, b"a")] * 1000, 1002)


def test_an_idle_reader_keeps_none_of_what_it_read() -> None:
    reader = FrameReader(100_000)
    stream = client_frame(Opcode.TEXT, b"x" * 50_000, fin=False) + client_frame(Opcode.CONTINUATION, b"x" * 50_000)
    for part in cut(stream, [0.1, 0.3, 0.7]):
        reader.feed(part)
    kept = [getattr(reader, name) for name in FrameReader.__slots__]
    assert [value for value in kept if value is not None and not isinstance(value, int)] == []


def test_frames_of_a_server_need_no_mask() -> None:
    reading = read(OurReading(of_server=True), [encode_frame(Opcode.TEXT, b"x") + encode_close(1000)])
    assert reading.outcome == ([(Opcode.TEXT, b"x"), (Opcode.CLOSE, b"\x03\xe8")], None)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [(b"", (None, "")), (b"\x03", (None, "")), (b"\x03\xe8", (1000, "")), (b"\x10\x6d" + "é".encode(), (4205, "é"))],
)
def test_a_close_payload_is_a_code_and_a_reason(payload: bytes, expected: tuple[int | None, str]) -> None:
    assert close_code_and_reason(payload) == expected
