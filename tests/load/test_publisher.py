"""A back end's connection, at servers that answer in their own ways."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from skubber.load.publisher import Publisher, PublishError
from skubber.load.tasks import Target
from support.ports import free_port

Answering = Callable[[int], bytes]
"""The answer to a connection's request of that number, from 1; nothing: hang up."""


class Answers:
    """What a server was asked.

    Attributes:
        requests: the bodies.
        connections: how many there were.
    """

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0


def target(port: int) -> Target:
    return Target("127.0.0.1", port, "127.0.0.1", f"127.0.0.1:{port}", "", False, "app", "key", "secret")


@asynccontextmanager
async def server(answering: Answering) -> AsyncIterator[tuple[Publisher, Answers]]:
    """A server, and a publisher that publishes there."""
    answers = Answers()
    handling: set[asyncio.Task[None] | None] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.connections += 1
        handling.add(asyncio.current_task())
        number = 0
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", head)
                assert length is not None
                answers.requests.append(await reader.readexactly(int(length[1])))
                number += 1
                answer = answering(number)
                if not answer:
                    break
                writer.write(answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    publisher = Publisher(target(listener.sockets[0].getsockname()[1]), None)
    try:
        yield publisher, answers
    finally:
        publisher.close()
        listener.close()
        await listener.wait_closed()
        await asyncio.gather(*filter(None, handling))


def ok(more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + more + b"Content-Length: 2\r\n\r\n{}"


async def test_one_connection_serves_for_all_requests() -> None:
    async with server(lambda _: ok()) as (publisher, answers):
        for _ in range(3):
            assert await publisher.publish("c", "data") == (200, b"{}")
    assert answers.connections == 1
    assert answers.requests == [b'{"name":"bench","channel":"c","data":"data"}'] * 3


async def test_a_server_that_ends_connections_after_some_requests_is_connected_to_again() -> None:
    async with server(lambda number: ok(b"Connection: close\r\n" if number == 2 else b"")) as (publisher, answers):
        for _ in range(5):
            assert (await publisher.publish("c", "data")).status == 200
    assert answers.connections == 3
    assert len(answers.requests) == 5


async def test_no_request_is_sent_twice_when_the_server_hangs_up() -> None:
    async with server(lambda _: b"") as (publisher, answers):
        with pytest.raises(PublishError, match="hung up in the middle"):
            await publisher.publish("c", "data")
    assert len(answers.requests) == 1


async def test_what_is_not_http_is_told() -> None:
    async with server(lambda _: b"SSH-2.0-OpenSSH\r\n") as (publisher, _):
        with pytest.raises(PublishError, match="not HTTP"):
            await publisher.publish("c", "data")


async def test_an_error_says_its_code_and_its_sentence() -> None:
    body = b'{"code":"message_rate","error":"Slower."}'
    answer = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with server(lambda _: answer) as (publisher, _):
        assert (await publisher.publish("c", "data")).says == "message_rate: Slower."


async def test_an_error_of_a_proxy_says_its_status() -> None:
    answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 7\r\n\r\n<html>\n"
    async with server(lambda _: answer) as (publisher, _):
        assert (await publisher.publish("c", "data")).says == "502: <html>"


async def test_nobody_there_is_told() -> None:
    with pytest.raises(PublishError, match="Connection refused"):
        await Publisher(target(free_port()), None).connect()
