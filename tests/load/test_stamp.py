import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.load.stamp import SMALLEST, Stamp, data_of, marker, stamps_in

MARK = marker("0a1b2c3d")
STAMPS = st.builds(Stamp, st.integers(0, 9999), st.integers(0, 10**10 - 1), st.integers(0, 10**20 - 1))


def message(stamp: Stamp, size: int = SMALLEST) -> bytes:
    return msgspec.json.encode({"event": "bench", "data": data_of("0a1b2c3d", stamp, size)})


@given(st.lists(STAMPS, max_size=5), st.integers(SMALLEST, 300))
def test_what_was_stamped_is_found_in_what_arrives(stamps: list[Stamp], size: int) -> None:
    assert stamps_in(b"\x1e".join(message(stamp, size) for stamp in stamps), MARK) == stamps


@given(STAMPS, st.integers(SMALLEST, 300))
def test_data_is_as_long_as_it_should_be(stamp: Stamp, size: int) -> None:
    assert len(data_of("0a1b2c3d", stamp, size)) == size


@pytest.mark.parametrize(
    "received",
    [
        b'{"event":"pusher:pong","data":"{}"}',
        message(Stamp(0, 1, 2)).replace(MARK, marker("ffffffff")),
        message(Stamp(0, 1, 2))[:50],
        message(Stamp(0, 1, 2)).replace(b":0000000001:", b":00000x0001:"),
    ],
    ids=["of the protocol", "of another run", "cut off", "spoilt"],
)
def test_what_is_no_message_of_the_run_has_no_stamp(received: bytes) -> None:
    assert stamps_in(received, MARK) == []
