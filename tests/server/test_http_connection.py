"""What a client cannot do to the server with HTTP: each test is an attack."""

import asyncio
import socket
from typing import Any

import pytest

from server.http_client import PATIENCE, HttpClient, request, upgrade
from server.live import LiveServer
from server.test_http_lane import CHANNELS, EVENT, HEALTH, publish
from skubber.server.http_connection import HEAD_BYTES, LINGER_TIMEOUT, LOOK_EVERY, REQUEST_TIMEOUT, UNREAD_TIMEOUT

KEEP_ALIVE = 75
"""Seconds; the setting's default."""

CHUNKED = request("POST", "/apps/4711/events", "Transfer-Encoding: chunked")


async def settled(live: LiveServer) -> Any:
    """The server's end of the only connection, when it does nothing any more but wait."""
    (connection,) = live.connections
    buffered = -1
    async with asyncio.timeout(PATIENCE):
        while buffered != (buffered := connection.transport.get_write_buffer_size()) or connection.parser is None:
            for _ in range(20):
                await asyncio.sleep(0)
    return connection


# -- heads that never end

ENDLESS = {
    "an address": b"GET /" + b"x" * HEAD_BYTES,
    "a header": b"GET /health HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES,
    "a header's name": b"GET /health HTTP/1.1\r\n" + b"x" * HEAD_BYTES,
    "headers": b"GET /health HTTP/1.1\r\n" + b"x: y\r\n" * (HEAD_BYTES // 6),
    "an API request's headers": b"POST /apps/4711/events HTTP/1.1\r\n" + b"x: y\r\n" * (HEAD_BYTES // 6),
    "blank lines": b"\r\n" * (HEAD_BYTES // 2),
    "a chunk's size": CHUNKED + b"0" * HEAD_BYTES,
    "a chunk's extension": CHUNKED + b"1;" + b"x" * HEAD_BYTES,
    "a trailer": CHUNKED + b"1\r\nx\r\n0\r\nX: " + b"x" * HEAD_BYTES,
    "trailers": CHUNKED + b"1\r\nx\r\n0\r\n" + b"x: y\r\n" * (HEAD_BYTES // 6),
}


@pytest.mark.parametrize("kind", ENDLESS)
async def test_what_never_ends_is_ended(live: LiveServer, kind: str) -> None:
    client = await live.connect()
    endless = ENDLESS[kind] + b"x" * 10_000
    for start in range(0, len(endless), 5000):
        if not client.has_answer:
            await client.send_separately(endless[start : start + 5000])
    answer = await client.answer()
    assert (answer.status in {400, 431}, answer.closes) == (True, True)
    assert await client.rest() == b""


async def test_a_head_may_be_large_but_not_too_large(live: LiveServer) -> None:
    client = await live.connect()
    for wanted in (request("GET", "/health", "X: " + "x" * 60_000), publish("X: " + "x" * 60_000)):
        client.send(wanted)
        assert (await client.answer()).status == 200
    client.send(request("GET", "/health", "X: " + "x" * 70_000))
    assert (await client.answer()).status == 431


async def test_a_body_in_tiny_chunks_is_no_head(live: LiveServer) -> None:
    client = await live.connect()
    body = EVENT + b" " * HEAD_BYTES
    head = publish("Transfer-Encoding: chunked").replace(b"Content-Length: %d\r\n" % len(EVENT), b"")
    client.send(head.removesuffix(EVENT), *(b"1\r\n%c\r\n" % byte for byte in body), b"0\r\n\r\n")
    assert (await client.answer()).status == 200


# -- requests that are two, or none

AMBIGUOUS = [
    b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"Content-Length: 0\r\nContent-Length: 3\r\n\r\n",
    b"Content-Length: 0, 3\r\n\r\n",
    b"Content-Length: +3\r\n\r\n",
    b"Content-Length: -3\r\n\r\n",
    b"Content-Length: 0x3\r\n\r\n",
    b"Content-Length: 3 3\r\n\r\n",
    b"Content-Length:\r\n\r\n",
    b"Content-Length: 18446744073709551617\r\n\r\n",
    b"Transfer-Encoding: xchunked\r\n\r\n",
    b"Transfer-Encoding: chunked, identity\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
    b"Transfer-Encoding : chunked\r\n\r\n",
    b"Transfer-Encoding\r\n: chunked\r\n\r\n",
    b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n",
    b"X: y\nTransfer-Encoding: chunked\r\n\r\n",
    b"X: y\rTransfer-Encoding: chunked\r\n\r\n",
    b"X: \0\r\n\r\n",
    b"X\0: y\r\n\r\n",
    b": y\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
]


@pytest.mark.parametrize("start", [b"POST /apps/4711/events HTTP/1.1\r\n", b"POST /health HTTP/1.1\r\n"])
@pytest.mark.parametrize("rest", AMBIGUOUS)
async def test_a_request_that_could_be_read_in_two_ways_is_read_in_none(
    live: LiveServer, start: bytes, rest: bytes
) -> None:
    client = await live.connect()
    client.send(start, rest, HEALTH)
    answer = await client.answer()
    assert answer.status in {400, 405}
    assert b'"ok"' not in await client.rest()


JUNK = [
    b"\0" * 100,
    b"\xff" * 100,
    b"\x16\x03\x01",
    b"junk\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\n\n",
    b"GET /\0 HTTP/1.1\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\n\r\n",
    b"GET /apps/\xc3\xa9 HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("ahead", [b"", HEALTH, publish()])
async def test_junk_is_refused_in_its_turn(live: LiveServer, junk: bytes, ahead: bytes) -> None:
    client = await live.connect()
    client.send(ahead, junk)
    if ahead:
        assert (await client.answer()).status == 200
    answer = await client.answer()
    assert (answer.status, answer.closes) == (400, True)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert await client.rest() == b""


async def test_a_bad_chunk_is_refused_when_what_was_asked_before_is_answered(live: LiveServer) -> None:
    hold = live.broker.hold("publish")
    client = await live.connect()
    client.send(publish(), CHANNELS, CHUNKED, b"1\r\nx\r\n")
    await hold.reached()
    await client.send_separately(b"junk\r\n")
    hold.release()
    assert [answer.status for answer in await client.answers(3)] == [200, 200, 400]
    assert await client.rest() == b""


async def test_a_bad_chunk_in_one_write_with_what_was_asked_before_is_refused_in_its_turn(live: LiveServer) -> None:
    client = await live.connect()
    client.send(HEALTH, CHANNELS, CHUNKED, b"1\r\nx\r\njunk\r\n", HEALTH)
    assert [answer.status for answer in await client.answers(3)] == [200, 200, 400]
    assert await client.rest() == b""


async def test_a_bad_chunk_ends_a_request_that_is_being_read(live: LiveServer) -> None:
    client = await live.connect()
    client.send(HEALTH, CHUNKED, b"1\r\nx\r\n")
    assert (await client.answer()).status == 200
    # The application waits for more of the body.
    client.send(b"junk\r\n")
    answer = await client.answer()
    assert (answer.status, answer.closes) == (400, True)
    assert await client.rest() == b""


async def test_a_client_may_hang_up_in_the_middle_of_a_body(live: LiveServer) -> None:
    for ahead in (b"", HEALTH):
        client = await live.connect()
        client.send(ahead, CHUNKED, b"1\r\nx\r\n")
        if ahead:
            await client.answer()
        await client.close()


async def test_a_fault_of_the_server_is_logged_and_told(live: LiveServer) -> None:
    client = await live.connect()
    client.send(HEALTH)
    await client.answer()
    (connection,) = live.connections
    connection._heads = None
    client.send(publish())
    answer = await client.answer()
    assert (answer.status, answer.closes) == (500, True)
    (error,) = live.errors()
    assert isinstance(error["exc_info"], AttributeError)


# -- floods

REQUESTS = 2000


def stop_reading(client: HttpClient, connection: Any) -> None:
    """Let a client read no more, and the kernel keep little for it."""
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    _limit(client.writer.transport, socket.SO_RCVBUF, 4096)
    _limit(connection.transport, socket.SO_SNDBUF, 4096)


def read_again(client: HttpClient) -> None:
    """Let a client go on reading, at full speed."""
    _limit(client.writer.transport, socket.SO_RCVBUF, 1_000_000)
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]


def _limit(transport: asyncio.BaseTransport, option: int, size: int) -> None:
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, size)


async def test_pipelined_requests_do_not_pile_up_behind_one_that_waits(live: LiveServer) -> None:
    hold = live.broker.hold("publish")
    client = await live.connect()
    client.send(publish())
    await hold.reached()
    client.send(HEALTH * REQUESTS)
    connection = await settled(live)
    assert len(connection.pipeline) < 200
    assert not connection.transport.is_reading()
    hold.release()
    assert {answer.status for answer in await client.answers(1 + REQUESTS)} == {200}
    assert connection.transport.is_reading()


async def test_answers_do_not_pile_up_for_a_client_that_does_not_read_them(live: LiveServer) -> None:
    client = await live.connect()
    client.send(HEALTH)
    await client.answer()
    (connection,) = live.connections
    stop_reading(client, connection)
    client.send(request("GET", "/apps/4711/channels") * REQUESTS)
    await settled(live)
    assert 65_536 < connection.transport.get_write_buffer_size() < 100_000
    assert not connection.transport.is_reading()
    read_again(client)
    assert {answer.status for answer in await client.answers(REQUESTS)} == {401}
    assert connection.transport.is_reading()
    await live.pass_time(UNREAD_TIMEOUT + LOOK_EVERY)
    client.send(HEALTH)
    assert (await client.answer()).status == 200


async def test_a_refused_client_may_go_on_sending_until_it_sees_why(live: LiveServer) -> None:
    client = await live.connect()
    # So much of a body that it is read no further, until somebody asks for it.
    large_chunk = b"%x\r\n%b\r\n" % (100_000, b"x" * 100_000)
    client.send(request("POST", "/health", "Transfer-Encoding: chunked"), large_chunk, b"junk\r\n")
    for _ in range(100):
        client.send(b"x" * 200_000)
    async with asyncio.timeout(PATIENCE):
        await client.writer.drain()
    assert (await client.answer()).status in {400, 405}
    await client.close()
    await settled_connections(live, 0)


async def test_a_request_waits_no_longer_for_a_body_that_was_held_back(live: LiveServer) -> None:
    hold = live.broker.hold("publish")
    client = await live.connect()
    # The second request's head is read while the first one waits, and what follows is not.
    client.send(publish(), publish(body=EVENT + b" " * 20_000), CHANNELS)
    await hold.reached()
    hold.release()
    assert [answer.status for answer in await client.answers(3)] == [200, 200, 200]


# -- time


async def test_a_connection_that_says_nothing_is_closed(live: LiveServer) -> None:
    client = await live.connect()
    await settled(live)
    await live.pass_time(KEEP_ALIVE - 1)
    client.send(HEALTH)
    assert (await client.answer()).status == 200
    silent = await live.connect()
    await settled_connections(live, 2)
    await live.pass_time(KEEP_ALIVE + LOOK_EVERY)
    assert await silent.rest() == b""
    assert await client.rest() == b""


async def settled_connections(live: LiveServer, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(live.connections) != count:  # noqa: ASYNC110 - the set is uvicorn's
            await asyncio.sleep(0)


SLOW = [
    b"G",
    b"GET /health HTTP/1.1\r\nX: ",
    upgrade("/recording", "X: ")[:-4],
    publish(body=EVENT + b" " * 100)[:-100],
    CHUNKED,
]


@pytest.mark.parametrize("start", SLOW)
async def test_a_request_that_takes_too_long_to_come_is_refused(live: LiveServer, start: bytes) -> None:
    client = await live.connect()
    await client.send_separately(start)
    await settled(live)
    for _ in range(REQUEST_TIMEOUT - 1):
        # A byte a second keeps no connection open.
        await live.pass_time(1)
        if start is not SLOW[0]:
            await client.send_separately(b"0")
    assert not client.has_answer
    await live.pass_time(1 + LOOK_EVERY)
    answer = await client.answer()
    assert (answer.status, answer.closes) == (408, True)
    assert await client.rest() == b""


async def test_a_refused_client_that_does_not_hang_up_is_cut(live: LiveServer) -> None:
    client = await live.connect()
    client.send(b"junk\r\n\r\n")
    assert (await client.answer()).status == 400
    await client.send_separately(b"and more", b"and more")
    await live.pass_time(LINGER_TIMEOUT + LOOK_EVERY)
    await settled_connections(live, 0)


async def test_a_body_that_takes_too_long_to_come_ends_the_request_that_waits_for_it(live: LiveServer) -> None:
    client = await live.connect()
    client.send(HEALTH, publish()[:-1])
    await client.answer()
    await live.pass_time(REQUEST_TIMEOUT + LOOK_EVERY)
    assert await client.rest() == b""


async def test_a_body_that_nobody_waits_for_keeps_no_connection_open(live: LiveServer) -> None:
    client = await live.connect()
    client.send(request("POST", "/none", "Content-Length: 1000"), b"x")
    assert (await client.answer()).status == 404
    await live.pass_time(KEEP_ALIVE + LOOK_EVERY)
    assert await client.rest() == b""


async def test_a_client_is_not_blamed_for_how_long_its_answer_takes(live: LiveServer) -> None:
    hold = live.broker.hold("publish")
    client = await live.connect()
    client.send(publish(), publish()[:-1])
    await hold.reached()
    await live.pass_time(10 * REQUEST_TIMEOUT)
    hold.release()
    assert (await client.answer()).status == 200
    client.send(EVENT[-1:])
    assert (await client.answer()).status == 200


@pytest.mark.parametrize("closes", [False, True])
async def test_a_client_that_does_not_read_its_answers_is_cut(live: LiveServer, closes: bool) -> None:
    client = await live.connect()
    client.send(HEALTH)
    await client.answer()
    (connection,) = live.connections
    stop_reading(client, connection)
    last = request("GET", "/apps/4711/channels", "Connection: close") if closes else b""
    client.send(request("GET", "/apps/4711/channels") * (100 if closes else 2000), last)
    await settled(live)
    assert connection.transport.get_write_buffer_size() > 0
    assert connection.transport.is_closing() is closes
    await live.pass_time(UNREAD_TIMEOUT - 1)
    assert live.connections == {connection}
    await live.pass_time(1 + 2 * LOOK_EVERY)
    assert live.connections == set()


async def test_a_websocket_is_under_no_timeout_of_http(live: LiveServer) -> None:
    client = await live.connect()
    client.send(upgrade("/recording"))
    await client.reader.readuntil(b"opened")
    await live.pass_time(1000)
    live.sessions[0].send(b"still there")
    assert (await client.reader.readuntil(b"still there")).endswith(b"still there")
