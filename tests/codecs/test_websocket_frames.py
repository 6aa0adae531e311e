"""What we write, read by two other implementations."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.frames import EXTERNAL_CLOSE_CODES
from websockets.utils import apply_mask as websockets_apply_mask

from skubber.codecs.websocket_frames import (
    MAX_CONTROL_PAYLOAD,
    Opcode,
    WebSocketError,
    apply_mask,
    count_frames,
    encode_binary,
    encode_close,
    encode_frame,
    encode_text,
    is_valid_close_code,
)
from skubber.codecs.websocket_reader import close_code_and_reason
from support.websocket_readings import OurReading, Reading, WebsocketsReading, WsprotoReading

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SIZES = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536, 65537])
MASKS = st.binary(min_size=4, max_size=4)


def readings(*, of_server: bool) -> list[Reading]:
    return [
        WebsocketsReading(of_server=of_server),
        WsprotoReading(of_server=of_server),
        OurReading(of_server=of_server),
    ]


def all_read(data: bytes, opcode: Opcode, payload: bytes, *, of_server: bool = True) -> None:
    for reading in readings(of_server=of_server):
        reading.feed(data)
        assert reading.outcome == ([(opcode, payload)], None)


@settings(deadline=None, max_examples=50)
@given(TEXT.map(str.encode) | SIZES.map(lambda size: b"x" * size))
def test_a_text_is_read_by_every_client(payload: bytes) -> None:
    all_read(encode_text(payload), Opcode.TEXT, payload)


@settings(deadline=None, max_examples=50)
@given(st.binary() | SIZES.map(lambda size: b"\xff" * size))
def test_binary_data_are_read_by_every_client(payload: bytes) -> None:
    all_read(encode_binary(payload), Opcode.BINARY, payload)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125), st.none() | MASKS)
def test_control_frames_are_read_by_every_peer(opcode: Opcode, payload: bytes, mask: bytes | None) -> None:
    all_read(encode_frame(opcode, payload, mask=mask), opcode, payload, of_server=mask is None)


@settings(deadline=None, max_examples=50)
@given(st.binary() | SIZES.map(bytes), MASKS)
def test_a_masked_message_is_read_by_every_server(payload: bytes, mask: bytes) -> None:
    all_read(encode_frame(Opcode.BINARY, payload, mask=mask), Opcode.BINARY, payload, of_server=False)


@settings(deadline=None, max_examples=50)
@given(st.lists(TEXT.map(str.encode), min_size=1, max_size=4))
def test_fragments_are_read_by_every_client(parts: list[bytes]) -> None:
    data = b"".join(
        encode_frame(Opcode.CONTINUATION if number else Opcode.TEXT, part, fin=number == len(parts) - 1)
        for number, part in enumerate(parts)
    )
    all_read(data, Opcode.TEXT, b"".join(parts))


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([1000, 1001, 1011, 3000, 4000, 4200, 4999]), TEXT)
@example(4000, "x" * 123)
@example(4000, "x" * 124)
@example(4000, "€" * 41 + "€")
@example(4000, "x€" * 40)
def test_a_close_frame_is_read_by_every_client(code: int, reason: str) -> None:
    frame = encode_close(code, reason)
    payload = frame[2:]
    all_read(frame, Opcode.CLOSE, payload)
    read_code, read_reason = close_code_and_reason(payload)
    assert read_code == code
    # As much of it as there is room for, and no half of a character.
    assert reason.startswith(read_reason)
    assert len(payload) <= MAX_CONTROL_PAYLOAD
    assert read_reason == reason or len(payload) > MAX_CONTROL_PAYLOAD - 4


def test_a_close_frame_may_be_empty() -> None:
    all_read(encode_close(None), Opcode.CLOSE, b"")


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300), MASKS)
def test_masking_is_what_other_libraries_do_and_its_own_reverse(payload: bytes, mask: bytes) -> None:
    masked = apply_mask(payload, mask)
    assert masked == websockets_apply_mask(payload, mask)
    assert apply_mask(masked, mask) == payload


def test_close_codes_are_those_that_websockets_sends() -> None:
    valid = {code for code in range(65536) if is_valid_close_code(code)}
    assert valid == {int(code) for code in EXTERNAL_CLOSE_CODES} | set(range(3000, 5000))


@pytest.mark.parametrize(("code", "reason"), [(1002, "Unknown opcode"), (1009, "Too big")])
def test_an_error_says_its_code_and_reason(code: int, reason: str) -> None:
    error = WebSocketError(code, reason)
    assert (error.code, error.reason, str(error)) == (code, reason, f"{code}: {reason}")


FRAMES = st.builds(encode_frame, st.sampled_from(Opcode), st.binary(max_size=300) | SIZES.map(bytes), fin=st.booleans())


@settings(deadline=None, max_examples=100)
@given(st.lists(FRAMES, max_size=5))
def test_joined_frames_are_counted(frames: list[bytes]) -> None:
    assert count_frames(b"".join(frames)) == len(frames)


@settings(deadline=None, max_examples=100)
@given(st.lists(FRAMES, min_size=1, max_size=3), st.data())
@example([encode_binary(bytes(126))], None)
@example([encode_binary(bytes(65536))], None)
def test_half_a_frame_does_not_count(frames: list[bytes], data: st.DataObject | None) -> None:
    *whole, last = frames
    sizes = range(1, min(len(last), 14)) if data is None else [data.draw(st.integers(0, len(last) - 1))]
    for size in sizes:
        assert count_frames(b"".join(whole) + last[:size]) == len(whole)


@given(st.binary())
def test_any_bytes_can_be_counted(data: bytes) -> None:
    assert 0 <= count_frames(data) <= len(data) / 2
