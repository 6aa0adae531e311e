"""Streams that pusher-js, or the SockJS library, has read enough of."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skubber.sessions.pusher_http import HEARTBEAT_INTERVAL, STREAM_BYTES
from support.apps import KEY
from support.edge_client import settled
from support.pusher_http_client import (
    Frame,
    MemoryStream,
    PusherHttpClient,
    PusherHttpNode,
    closes_with,
    data_of,
    publish,
    read_frames,
    subscribed,
)


@pytest.fixture
def node() -> PusherHttpNode:
    """A node with nobody connected."""
    return PusherHttpNode()


class PusherJs:
    """Reads streams as pusher-js's ``HTTPRequest`` does: what it has not read of one that it gives up is lost."""

    def __init__(self, client: PusherHttpClient) -> None:
        self.client = client
        self.frames: list[Frame] = []
        self.streams = 0
        self._stream: MemoryStream
        self._position = 0
        self._renew()

    def read(self) -> None:
        """Read all there is, frame by frame: how the network cuts a stream into pieces is not the server's to say."""
        while (end := self._stream.text.find(b"\n", self._position) + 1) > 0:
            self.frames += read_frames(self._stream.text[self._position : end])
            self._position = end
            if end > 256 * 1024:
                self._renew()

    def _renew(self) -> None:
        self._stream, self._position = self.client.stream(), 0
        self.streams += 1


@settings(max_examples=30)
@given(size=st.integers(1, 3000), burst=st.integers(1, 40), letter=st.sampled_from("xü€𝄞"))
async def test_nothing_is_lost_when_pusher_js_renews_its_stream(size: int, burst: int, letter: str) -> None:
    node = PusherHttpNode()
    reader = PusherJs(node.client())
    reader.read()
    reader.client.greeted([frame for frame in reader.frames if frame[0] != "h"])
    await reader.client.subscribe("c")
    sent = 0
    while reader.streams < 4:
        for _ in range(burst):
            await publish(node, data=[sent, letter * (size // len(json.dumps(letter)))])
            sent += 1
        node.iteration.end()
        reader.read()
    assert [number for number, _ in data_of(reader.frames)] == list(range(sent))


@pytest.mark.parametrize(("size", "goes_on"), [(STREAM_BYTES, True), (STREAM_BYTES + 1, False)])
async def test_a_stream_is_full_with_the_first_byte_more_than_pusher_js_takes(
    node: PusherHttpNode, size: int, goes_on: bool
) -> None:
    client = await node.streaming()
    client.connection.write(b"h" * (size - len(client._stream.text) - 1) + b"\n")
    assert len(client._stream.text) == size
    client.connection.write(b"h\n")
    assert (len(client._stream.text) > size) is goes_on


async def test_a_full_stream_is_left_alone_until_it_is_renewed(node: PusherHttpNode) -> None:
    client = await subscribed(node)
    for number in range(50):
        await publish(node, data=[number, "x" * 10_000])
        node.iteration.end()
    node.pass_time(2 * HEARTBEAT_INTERVAL)
    first = client._stream
    assert STREAM_BYTES < len(first.text) < STREAM_BYTES + 10_200
    assert first.is_open
    received = [number for number, _ in data_of(client.frames())]
    client.stream()
    received += [number for number, _ in data_of(client.frames())]
    assert received == list(range(50))


async def test_a_full_stream_of_the_sockjs_library_is_ended(node: PusherHttpNode) -> None:
    client = node.client("")
    client.stream()
    await client.send({"path": f"/app/{KEY}?protocol=7"})
    client.greeted()
    await client.subscribe("c")
    received: list[int] = []
    for number in range(60):
        await publish(node, data=[number, "x" * 10_000])
        received += [n for n, _ in data_of(client.frames())]
        if not client._stream.is_open:
            assert len(client._stream.text) > STREAM_BYTES
            client.stream()
    assert received == list(range(60))


async def test_a_client_that_does_not_renew_is_ended_when_too_much_waits(node: PusherHttpNode) -> None:
    client = await subscribed(node)
    while not node.slow_clients:
        await publish(node, data="x" * 10_000)
        node.iteration.end()
        await asyncio.sleep(0)
    assert len(client._stream.text) < STREAM_BYTES + 10_200
    await settled()
    assert node.hub.connection_count == 0
    client.stream()
    assert closes_with(client.frames(), 4100)
    assert not client._stream.is_open
    assert node.slow_clients == 1
    node.assert_nothing_is_kept()
