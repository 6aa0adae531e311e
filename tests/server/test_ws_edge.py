"""The WebSocket edge over real connections."""

import asyncio
import os
import socket
from typing import Any

import pytest

from server.http_client import PATIENCE, upgrade
from server.live import LiveServer
from server.websocket_client import WebSocketClient, close, frame, text
from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason
from skubber.server.ws_edge import CLOSE_TIMEOUT, WebSocketEdge
from support.apps import KEY
from support.websocket_readings import WsprotoReading


def only_edge(live: LiveServer) -> Any:
    (edge,) = live.connections
    assert isinstance(edge, WebSocketEdge)
    return edge


def scheduled(live: LiveServer) -> set[Any]:
    """Everything that is due some time."""
    return set().union(*live.runtime.wheel._slots)


async def nobody_connected(live: LiveServer) -> None:
    async with asyncio.timeout(PATIENCE):
        while live.connections:  # noqa: ASYNC110 - the set is uvicorn's
            await asyncio.sleep(0)


class Gate:
    """Makes a session wait with its messages until it is opened."""

    def __init__(self, session: Any, *, failure: Exception | None = None) -> None:
        self.reached = asyncio.Event()
        self._opened = asyncio.Event()
        self._failure = failure
        self.passed: list[bytes] = []
        session.on_message = self._wait

    def open(self) -> None:
        self._opened.set()

    async def _wait(self, payload: bytes) -> None:
        self.reached.set()
        await self._opened.wait()
        if self._failure is not None:
            raise self._failure
        self.passed.append(payload)


# -- messages


async def test_messages_reach_the_session_and_its_words_the_client(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    client.send(text(b"one"), frame(Opcode.BINARY, b"two"))
    assert await client.session.has_received(2) == [b"one", b"two"]
    client.session.send(b"three")
    assert await client.message() == (Opcode.TEXT, b"three")


async def test_what_comes_right_behind_the_opening_request_is_not_lost(live: LiveServer) -> None:
    many = [b"%d" % number for number in range(1000)]
    client = await WebSocketClient.opened(live, *map(text, many))
    assert await client.session.has_received(1000) == many


async def test_fragments_are_one_message_and_a_ping_between_them_is_answered_first(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    client.send(frame(Opcode.TEXT, b"one", fin=False), frame(Opcode.PING, b"are you there"))
    assert await client.message() == (Opcode.PONG, b"are you there")
    assert client.session.received == []
    client.send(frame(Opcode.CONTINUATION, b" two", fin=False), frame(Opcode.CONTINUATION, b" three"))
    assert await client.session.has_received(1) == [b"one two three"]


async def test_the_session_knows_when_the_client_was_last_heard(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    await live.pass_time(7)
    client.send(frame(Opcode.PONG))
    client.send(frame(Opcode.PING))
    await client.message()
    assert client.session.last_heard == 7


def send_now(client: WebSocketClient, data: bytes) -> None:
    """Send straight to the socket, without a turn of the event loop."""
    assert os.write(client.http.writer.transport.get_extra_info("socket").fileno(), data) == len(data)


async def test_a_flood_in_one_write_does_not_starve_another_client(live: LiveServer) -> None:
    flooder, other = await WebSocketClient.opened(live), await WebSocketClient.opened(live)
    flooded_before: list[int] = []

    async def count(_: bytes) -> None:
        flooded_before.append(len(flooder.session.received))

    other.session.on_message = count
    # Both are there before the server gets to run.
    for client, data in ((flooder, text(b"") * 10_000), (other, text(b"me too"))):
        send_now(client, data)
    await flooder.session.has_received(10_000)
    (before,) = flooded_before
    assert before < 500


@pytest.mark.parametrize("junk", [frame(Opcode.PONG), frame(Opcode.CONTINUATION, fin=False)])
async def test_a_flood_of_frames_that_say_nothing_does_not_starve_another_client(live: LiveServer, junk: bytes) -> None:
    flooder, other = await WebSocketClient.opened(live), await WebSocketClient.opened(live)
    behind: list[bool] = []

    async def look(_: bytes) -> None:
        behind.append(bool(flooder.session.received))

    other.session.on_message = look
    start, end = (frame(Opcode.TEXT, fin=False), frame(Opcode.CONTINUATION)) if not junk[0] & 0x80 else (b"", text(b""))
    for client, data in ((flooder, start + junk * 10_000 + end), (other, text(b"me too"))):
        send_now(client, data)
    await flooder.session.has_received(1)
    assert behind == [False]


async def test_a_flood_keeps_its_order_and_ends_with_its_close(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    many = [b"%d" % number for number in range(5000)]
    client.send(*map(text, many), close(4567), text(b"late"))
    assert await client.close_code() == 4567
    assert client.session.received == many


# -- a session that waits


async def test_a_session_that_waits_gets_its_messages_one_after_the_other(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    gate = Gate(client.session)
    client.send(text(b"0"), text(b"1"))
    await gate.reached.wait()
    many = [b"%d" % number for number in range(300)]
    await client.http.send_separately(*map(text, many[2:5]), b"".join(map(text, many[5:])), frame(Opcode.PING, b"!"))
    assert client.session.received == [b"0"]
    gate.open()
    assert await client.message() == (Opcode.PONG, b"!")
    assert client.session.received == gate.passed == many


async def test_a_client_is_not_read_while_its_session_waits(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    gate = Gate(client.session)
    edge = only_edge(live)
    client.send(text(b"first"))
    await gate.reached.wait()
    assert not edge._transport.is_reading()
    # More than the kernel takes: what is left stays with the client.
    many = 200
    client.send(text(b"x" * 100_000) * many)
    await client.http.send_separately()
    assert client.http.writer.transport.get_write_buffer_size() > 0
    gate.open()
    await client.session.has_received(1 + many)
    assert edge._transport.is_reading()


async def test_what_is_under_way_when_a_session_has_to_wait_is_kept(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    gate = Gate(client.session)
    client.send(text(b"first"))
    await gate.reached.wait()
    # As transports do that have read more already, those of TLS for one.
    only_edge(live).data_received(text(b"second") + text(b"third")[:5])
    only_edge(live).data_received(text(b"third")[5:])
    assert client.session.received == [b"first"]
    gate.open()
    await client.session.has_received(3)
    assert gate.passed == [b"first", b"second", b"third"]


async def test_other_clients_do_not_wait_for_one_that_waits(live: LiveServer) -> None:
    waiting, other = await WebSocketClient.opened(live), await WebSocketClient.opened(live)
    gate = Gate(waiting.session)
    waiting.send(text(b"wait"))
    await gate.reached.wait()
    other.send(text(b"go"))
    assert await other.session.has_received(1) == [b"go"]
    gate.open()


async def test_a_session_leaves_when_it_has_waited(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    gate = Gate(client.session)
    client.send(text(b"first"), text(b"second"), close())
    await gate.reached.wait()
    # Not by the client: a connection that is not read does not notice that its client has hung up.
    only_edge(live)._transport.abort()
    await nobody_connected(live)
    assert client.session.closings == 0
    gate.open()
    await client.session.is_closed.wait()
    # What came behind is dropped: nobody is there any more.
    assert gate.passed == client.session.received == [b"first"]
    assert client.session.closings == 1
    assert scheduled(live) == set()


async def test_a_close_frame_waits_behind_a_message_that_waits(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    gate = Gate(client.session)
    client.send(text(b"first"), text(b"second"), close(1001))
    await gate.reached.wait()
    gate.open()
    assert await client.close_code() == 1001
    assert gate.passed == [b"first", b"second"]


async def test_a_fault_waits_behind_a_message_that_waits(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    gate = Gate(client.session)
    client.send(text(b"first"), text(b"second"), b"\xff\xff")
    await gate.reached.wait()
    gate.open()
    assert await client.close_code() == 1002
    assert gate.passed == [b"first", b"second"]


# -- closing


@pytest.mark.parametrize("code", [1000, 1001, 4999, None])
async def test_a_close_frame_is_answered_with_its_code(live: LiveServer, code: int | None) -> None:
    client = await WebSocketClient.opened(live)
    client.send(close(code))
    assert await client.close_code() == code
    assert await client.http.rest() == b""
    assert client.session.closings == 1


async def test_the_server_closes_with_a_code_and_waits_for_the_answer(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    client.session.send(b"last words")
    client.session.peer.close(4321, "enough")
    client.session.send(b"too late")
    client.session.peer.close(4322, "again")
    assert await client.message() == (Opcode.TEXT, b"last words")
    assert await client.message() == (Opcode.CLOSE, (4321).to_bytes(2) + b"enough")
    assert client.session.closings == 1
    client.send(text(b"too late"), frame(Opcode.PING), close(4321))
    assert await client.http.rest() == b""
    await nobody_connected(live)
    assert client.session.received == []
    assert client.session.closings == 1


async def test_a_client_that_does_not_answer_a_close_frame_is_cut(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    client.session.peer.close(4321, "enough")
    assert await client.close_code() == 4321
    await live.pass_time(CLOSE_TIMEOUT - 1)
    client.send(text(b"I am still here"))
    await asyncio.sleep(0)
    assert len(live.connections) == 1
    await live.pass_time(1)
    await nobody_connected(live)
    assert await client.http.is_cut()


async def test_a_client_that_closes_and_does_not_read_is_cut(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    transport = only_edge(live)._transport
    stop_reading(client)
    while transport.get_write_buffer_size() < 100_000:
        client.session.send(b"x" * 50_000)
    client.send(close())
    await client.session.is_closed.wait()
    assert len(live.connections) == 1
    await live.pass_time(CLOSE_TIMEOUT)
    await nobody_connected(live)


async def test_a_client_that_ends_its_half_and_does_not_read_is_cut(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    edge = only_edge(live)
    stop_reading(client)
    while edge._transport.get_write_buffer_size() < 100_000:
        client.session.send(b"x" * 50_000)
    client.http.writer.write_eof()
    async with asyncio.timeout(PATIENCE):
        while not edge._transport.is_closing():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    await live.pass_time(CLOSE_TIMEOUT)
    await nobody_connected(live)
    assert client.session.closings == 1


def stop_reading(client: WebSocketClient) -> None:
    transport: Any = client.http.writer.transport
    transport.pause_reading()
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


async def test_a_client_may_just_vanish(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    client.http.writer.transport.abort()
    await client.session.is_closed.wait()
    await nobody_connected(live)
    client.session.send(b"to nobody")
    client.session.peer.close(1000, "")
    assert client.session.closings == 1
    await live.pass_time(100)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xff", 1002),
        (b"\x81\x01x", 1002),
        (frame(Opcode.TEXT, b"\xff"), 1007),
        (frame(Opcode.BINARY, b"x" * 131_073), 1009),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
)
async def test_a_broken_stream_is_closed_with_its_code(live: LiveServer, data: bytes, code: int) -> None:
    client = await WebSocketClient.opened(live)
    client.send(text(b"before"), data, text(b"behind"))
    assert await client.close_code() == code
    # The server's half ends at once, the client's whenever it likes.
    assert await client.http.rest() == b""
    assert client.session.received == [b"before"]
    client.send(text(b"more"))
    await client.http.close()
    await nobody_connected(live)
    assert client.session.closings == 1


async def test_the_largest_message_is_taken(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    client.send(text(b"x" * 131_072))
    assert await client.session.has_received(1) == [b"x" * 131_072]


async def test_a_broken_stream_that_does_not_hang_up_is_cut(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    client.send(b"\xff\xff")
    assert await client.close_code() == 1002
    await live.pass_time(CLOSE_TIMEOUT)
    await nobody_connected(live)


# -- failures


async def test_a_session_that_fails_is_closed_with_1011(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)

    async def fail(_: bytes) -> None:
        raise RuntimeError("unforeseen")

    client.session.on_message = fail
    client.send(text(b"first"), text(b"second"))
    assert await client.close_code() == 1011
    assert client.session.received == [b"first"]
    assert client.session.closings == 1
    (error,) = live.errors()
    assert error["event"] == "session failed"


async def test_a_session_that_fails_after_a_wait_is_closed_with_1011(live: LiveServer) -> None:
    client = await WebSocketClient.opened(live)
    gate = Gate(client.session, failure=RuntimeError("unforeseen"))
    client.send(text(b"first"), text(b"second"))
    await gate.reached.wait()
    gate.open()
    assert await client.close_code() == 1011
    assert client.session.received == [b"first"]
    assert client.session.closings == 1
    (error,) = live.errors()
    assert isinstance(error["exc_info"], RuntimeError)


async def test_a_session_that_fails_to_leave_keeps_nobody_else(live: LiveServer) -> None:
    client, other = await WebSocketClient.opened(live), await WebSocketClient.opened(live)

    def fail() -> None:
        raise RuntimeError("unforeseen")

    client.session.on_close = fail
    for each in (client, other):
        each.session.end(EndReason.TERMINATED)
    assert [await client.close_code(), await other.close_code()] == [4001, 4001]
    assert len(live.errors()) == 1


# -- slow clients and a stopping server


async def test_a_client_that_leaves_too_much_unread_is_ended_and_cut() -> None:
    async with LiveServer(write_buffer_bytes=100_000) as live:
        client, other = await WebSocketClient.opened(live), await WebSocketClient.opened(live)
        stop_reading(client)
        async with asyncio.timeout(PATIENCE):
            while not client.session.ends:
                client.session.send(b"x" * 10_000)
                await asyncio.sleep(0)
        assert client.session.ends == [EndReason.TOO_SLOW]
        assert live.runtime.edge.slow_clients == 1
        assert len(live.connections) == 2
        await live.pass_time(CLOSE_TIMEOUT)
        assert len(live.connections) == 1
        # Reset, that is, not just ended: the kernel does not keep what it had for the client either.
        client.http.writer.transport.resume_reading()  # type: ignore[attr-defined]
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(PATIENCE):
                await client.http.reader.read(-1)
        other.send(frame(Opcode.PING))
        assert await other.message() == (Opcode.PONG, b"")
        assert other.session.ends == []


async def test_a_stopping_server_ends_every_session_once(live: LiveServer) -> None:
    client, closing = await WebSocketClient.opened(live), await WebSocketClient.opened(live)
    closing.session.peer.close(4321, "enough")
    for _ in range(2):
        for edge in list(live.connections):
            edge.shutdown()
    assert client.session.ends == [EndReason.DRAINING]
    assert closing.session.ends == []
    assert await client.close_code() == 4001


async def test_a_stopping_server_sends_pusher_clients_to_reconnect(live: LiveServer) -> None:
    http = await live.connect()
    http.send(upgrade(f"/app/{KEY}?protocol=7"))
    await http.reader.readuntil(b"connection_established")
    only_edge(live).shutdown()
    await http.reader.readuntil(b"pusher:error")
    await http.reader.readuntil(b"}}")
    reading = WsprotoReading(of_server=True)
    async with asyncio.timeout(PATIENCE):
        while not reading.is_over():
            reading.feed(await http.reader.read(1000))
    assert reading.messages[-1][1].startswith((4200).to_bytes(2))
