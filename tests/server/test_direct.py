"""Writing past the transport: nothing lost, nothing twice, all in order, and nothing on a connection that is gone."""

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from server.http_client import PATIENCE
from skubber.core.channel import Channel
from skubber.core.connection import EndReason, take_nothing
from skubber.core.event import Event
from skubber.core.meter import Meter
from skubber.server.direct import DirectWriting, discard
from support.recording import LegibleFormat

BUFFER_BYTES = 50_000_000


class Session:
    """A session that a channel writes to."""

    def __init__(self, peer: DirectWriting) -> None:
        self.socket_id = "1.1"
        self.wire_format = LegibleFormat()
        self.write: Callable[[bytes], None] = peer.write
        self.send_now: Callable[[bytes], int] = take_nothing

    def end(self, reason: EndReason) -> None:
        """Nobody ends it."""


class Edge(DirectWriting):
    """The server's end of a connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._session = self.session = cast("Any", Session(self))
        self.lost = asyncio.Event()
        transport.set_write_buffer_limits(BUFFER_BYTES)

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_writing()
        self.lost.set()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Edge, socket.socket]]:
    """An edge and its client, a socket that does not block."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    edge = Edge(transport)
    transport.set_protocol(edge)
    try:
        yield edge, theirs
    finally:
        transport.abort()
        theirs.close()
        async with asyncio.timeout(PATIENCE):
            await edge.lost.wait()


async def read(client: socket.socket, size: int) -> bytes:
    """So many bytes."""
    data = bytearray()
    async with asyncio.timeout(PATIENCE):
        while len(data) < size:
            data += await asyncio.get_running_loop().sock_recv(client, size - len(data))
    return bytes(data)


async def test_what_is_written_has_left_at_once() -> None:
    async with connected() as (edge, client):
        edge.write(b"first")
        assert client.recv(100) == b"first"
        assert edge.session.send_now(b"second") == 6
        assert client.recv(100) == b"second"
        assert edge._transport.get_write_buffer_size() == 0


async def test_a_client_that_reads_now_and_then_gets_everything_in_order() -> None:
    generator = random.Random(5187)
    async with connected() as (edge, client):
        channel = Channel("c", Meter())
        channel.add(edge.session)
        expected, received = bytearray(), bytearray()
        was_behind = was_ahead = False
        for number in range(400):
            name = f"{number}" + "x" * generator.choice([1, 1000, 40_000])
            if generator.random() < 0.5:
                channel.fan_out(Event(name, b"1"), None)
                channel.flush()
            else:
                edge.write(f"c/{name};".encode())
            expected += f"c/{name};".encode()
            was_behind |= edge.session.send_now is take_nothing
            was_ahead |= edge.session.send_now is not take_nothing
            if generator.random() < 0.1:
                received += await read(client, len(expected) - len(received))
        received += await read(client, len(expected) - len(received))
        assert received == expected
        assert was_behind
        assert was_ahead


async def test_what_waits_in_the_transport_already_goes_first() -> None:
    async with connected() as (edge, client):
        before = b"x" * 3_000_000
        edge._transport.write(before)
        assert edge._transport.get_write_buffer_size() > 0
        edge.write(b"after")
        assert edge.session.send_now(b"never") == 0
        assert await read(client, len(before) + 5) == before + b"after"


async def test_a_broken_connection_is_the_transports_to_notice() -> None:
    async with connected() as (edge, client):
        edge.write(b"first")
        client.close()
        for _ in range(3):
            edge.write(b"more")
        async with asyncio.timeout(PATIENCE):
            await edge.lost.wait()


async def test_nothing_is_sent_once_the_connection_is_lost() -> None:
    async with connected() as (edge, _):
        edge.write(b"first")
        edge._transport.abort()
        async with asyncio.timeout(PATIENCE):
            await edge.lost.wait()
        assert edge.write is discard
        assert edge.session.write is discard
        assert edge.session.send_now is take_nothing
        # Whoever has the number of the closed socket now must not be sent what was meant for another.
        sockets = [end for _ in range(20) for end in socket.socketpair()]
        edge.write(b"secret")
        assert edge.session.send_now(b"secret") == 0
        for end in sockets:
            end.setblocking(False)
            with pytest.raises(BlockingIOError):
                end.recv(1)
        for end in sockets:
            end.close()


async def test_the_socket_is_open_until_the_connection_is_said_to_be_lost() -> None:
    """It is what makes all this safe: see the module's docstring."""

    class Watching(Edge):
        number_when_lost = -1

        def connection_lost(self, error: Exception | None) -> None:
            self.number_when_lost = self._transport.get_extra_info("socket").fileno()
            super().connection_lost(error)

    for end in ("abort", "close", "reset by peer"):
        ours, theirs = socket.socketpair()
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
        edge = Watching(transport)
        transport.set_protocol(edge)
        number = transport.get_extra_info("socket").fileno()
        if end == "reset by peer":
            edge.write(b"x" * 10_000_000)
            theirs.close()
        else:
            getattr(transport, end)()
        async with asyncio.timeout(PATIENCE):
            await edge.lost.wait()
        assert edge.number_when_lost == number
        theirs.close()


async def test_the_socket_is_the_transports_to_close() -> None:
    async with connected() as (edge, client):
        edge.write(b"first")
        borrowed = edge._socket
        assert borrowed is not None
        number = borrowed.fileno()
        edge._stop_writing()
        assert borrowed.fileno() == -1
        with pytest.raises(OSError, match="Bad file descriptor"):
            borrowed.send(b"never")
        edge._socket = None
        del borrowed
        assert os.fstat(number)
        edge._transport.write(b"second")
        assert await read(client, 11) == b"firstsecond"


def test_over_tls_everything_goes_through_the_transport() -> None:
    class Secure(asyncio.Transport):
        def __init__(self) -> None:
            super().__init__({"ssl_object": object(), "socket": object()})
            self.written: list[Any] = []

        def write(self, data: Any) -> None:
            self.written.append(data)

    transport = Secure()
    writing = DirectWriting(transport)
    writing.write(b"frame")
    assert transport.written == [b"frame"]
