"""Clients that take their time on purpose, many of them: others are served meanwhile, and each comes to its end."""

import asyncio
from collections.abc import Iterator

import pytest

from abuse.support import PUSHER, connect, open_websocket, resident_bytes, until_cut
from e2e.support.raw_client import RawClient
from e2e.support.server import Server
from e2e.support.signalr import access_token, publish
from server.http_client import PATIENCE, HttpClient, upgrade
from server.websocket_client import text
from skubber.server.http_connection import HEAD_BYTES, REQUEST_TIMEOUT

CLIENTS = 200
HEAD = upgrade(PUSHER)[:-2]
"""The head of an opening request, all but its end."""

MOST_GROWTH = CLIENTS * 3 * HEAD_BYTES
"""Bytes: what a head may have, what it is parsed into, and as much again for the allocator."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with little patience."""
    flags = [f"--set={each}" for each in ("database=", "keep_alive_timeout=1", "signalr_handshake_timeout=1")]
    server = Server(tmp_path_factory.mktemp("slow") / "server.log", *flags)
    yield server
    server.stop()


async def is_served(server: Server) -> bool:
    """Whether somebody who comes now gets what there is, without waiting for the others."""
    async with asyncio.timeout(PATIENCE), RawClient.connected(server) as client:
        await client.subscribe("calm")
        await asyncio.to_thread(publish, server, "calm", data="served")
        return bool((await client.receive())["data"] == "served")


async def dribble(clients: list[HttpClient], rounds: int, interval: float = 0) -> None:
    """Send a byte at a time on each connection."""
    for _ in range(rounds):
        for client in clients:
            client.send(b"x")
        await asyncio.sleep(interval)


async def test_opening_requests_that_do_not_come_to_an_end_are_in_nobodys_way(server: Server) -> None:
    before = resident_bytes(server)
    clients = [await connect(server) for _ in range(CLIENTS)]
    for client in clients:
        client.send(HEAD, b"X: ", b"x" * (HEAD_BYTES - 2000))
    await dribble(clients, 100)
    assert await is_served(server)
    assert resident_bytes(server) - before < MOST_GROWTH
    clients[0].send(b"\r\n\r\n")
    assert (await clients[0].reader.readline()).startswith(b"HTTP/1.1 101 ")
    for client in clients:
        await client.close()


async def test_who_opens_and_says_nothing_is_cut_and_so_is_who_never_finishes_its_first_word(server: Server) -> None:
    hub = f"/push?access_token={access_token(server)}"
    silent = [await connect(server) for _ in range(CLIENTS)]
    opened = [await open_websocket(server, hub) for _ in range(CLIENTS // 2)]
    talking = [await open_websocket(server, hub) for _ in range(CLIENTS // 2)]
    for client in talking:
        client.send(text(b'{"protocol":"json"}')[:-1])
    assert await is_served(server)
    clients = [*silent, *opened, *talking]
    async with asyncio.timeout(3 * PATIENCE):
        await asyncio.gather(*(until_cut(client) for client in clients))
    for client in clients:
        await client.close()


@pytest.mark.soak
@pytest.mark.timeout(4 * REQUEST_TIMEOUT)
async def test_an_opening_request_has_a_minute_however_diligently_it_dribbles(server: Server) -> None:
    clients = [await connect(server) for _ in range(CLIENTS)]
    for client in clients:
        client.send(HEAD, b"X: ")
    dribbling = asyncio.create_task(dribble(clients, 2 * REQUEST_TIMEOUT, 1))
    answers = await asyncio.gather(*(client.reader.readline() for client in clients))
    assert not dribbling.done()
    dribbling.cancel()
    assert set(answers) == {b"HTTP/1.1 408 Request Timeout\r\n"}
    assert await is_served(server)
    for client in clients:
        await client.close()
