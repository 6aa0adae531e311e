"""A client's side of the wire, without one: the bytes as they may come, in whatever pieces."""

import asyncio
import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs.websocket_frames import encode_text
from skubber.load.latencies import Latencies
from skubber.load.pusher_subscriber import PusherSubscriber
from skubber.load.stamp import Stamp, data_of, marker
from skubber.load.subscriber import ConnectError, Reception, Subscriber
from skubber.load.tasks import Target

TARGET = Target("127.0.0.1", 1, "localhost", "localhost:1", "/behind", False, "app", "key", "secret")
SUCCEEDED = encode_text(b'{"event":"pusher_internal:subscription_succeeded","channel":"c","data":"{}"}')


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def abort(self) -> None:
        self.is_aborted = True


def frame(number: int) -> bytes:
    return encode_text(b'{"data":"' + data_of("run", Stamp(0, number, 0), 200).encode() + b'"}')


def connected(reception: Reception) -> tuple[Subscriber, Wire]:
    """A client whose request has gone out."""
    wire, subscriber = Wire(), PusherSubscriber(TARGET, reception)
    subscriber.connection_made(wire)
    return subscriber, wire


def accepted(wire: Wire) -> bytes:
    """The answer to the client's request."""
    found = re.search(rb"Sec-WebSocket-Key: (\S+)", wire.written)
    assert found is not None
    digest = hashlib.sha1(found[1] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return b"HTTP/1.1 101 Switching\r\nsec-websocket-accept: " + base64.b64encode(digest) + b"\r\n\r\n"


def new_reception() -> Reception:
    return Reception("c", 1, marker("run"), Latencies())


@given(st.lists(st.integers(1, 900), max_size=12), st.lists(st.integers(1, 900), max_size=12))
def test_messages_are_the_same_in_whatever_pieces_they_arrive(first: list[int], second: list[int]) -> None:
    async def scenario() -> None:
        reception = new_reception()
        for sizes in (first, second):
            subscriber, wire = connected(reception)
            stream = accepted(wire) + SUCCEEDED + b"".join(map(frame, range(8)))
            for size in [*sizes, len(stream)]:
                piece, stream = stream[:size], stream[size:]
                if piece:
                    subscriber.data_received(piece)
            assert subscriber.subscribed.done()
            assert subscriber.ledger.lost([8]) == 0
            assert (subscriber.ledger.duplicated, subscriber.ledger.reordered) == (0, 0)
        assert reception.latencies.total == 16

    asyncio.run(scenario())


async def test_a_piece_that_another_client_had_before_counts_for_this_one() -> None:
    reception = new_reception()
    clients = [connected(reception) for _ in range(3)]
    for subscriber, wire in clients:
        subscriber.data_received(accepted(wire) + SUCCEEDED)
    for number in range(3):
        for subscriber, _ in clients:
            subscriber.data_received(frame(number))
    assert [subscriber.ledger.lost([4]) for subscriber, _ in clients] == [1, 1, 1]
    assert reception.latencies.total == 9


async def test_the_request_goes_to_the_path_of_the_url() -> None:
    _, wire = connected(new_reception())
    assert wire.written.startswith(b"GET /behind/app/key?protocol=7&")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\nno upstream", "502 Bad Gateway: no upstream"),
        (b"HTTP/1.1 101 Switching\r\nsec-websocket-accept: of somebody else\r\n\r\nx", "101 Switching"),
    ],
)
async def test_another_answer_than_the_right_one_is_told(answer: bytes, words: str) -> None:
    subscriber, wire = connected(new_reception())
    subscriber.data_received(answer)
    with pytest.raises(ConnectError, match=words):
        await subscriber.subscribed
    assert wire.is_aborted


async def test_a_refusal_is_told_with_its_code() -> None:
    subscriber, wire = connected(new_reception())
    refusal = encode_text(b'{"event":"pusher:error","data":{"code":4004,"message":"Over quota"}}')
    subscriber.data_received(accepted(wire) + refusal)
    with pytest.raises(ConnectError, match="4004: Over quota"):
        await subscriber.subscribed


async def test_a_connection_that_ends_before_it_began_is_an_error_and_afterwards_a_cut() -> None:
    reception = new_reception()
    early, _ = connected(reception)
    early.connection_lost(None)
    with pytest.raises(ConnectError, match="hung up"):
        await early.subscribed
    late, wire = connected(reception)
    late.data_received(accepted(wire) + SUCCEEDED)
    late.connection_lost(None)
    assert reception.cut == 1


async def test_pings_are_answered() -> None:
    subscriber, wire = connected(new_reception())
    subscriber.data_received(accepted(wire) + SUCCEEDED)
    wire.written = b""
    subscriber.data_received(b"\x89\x02hi")
    assert wire.written == b"\x8a\x82\0\0\0\0hi"
    subscriber.data_received(encode_text(b'{"event":"pusher:ping","data":"{}"}'))
    assert b"pusher:pong" in wire.written
