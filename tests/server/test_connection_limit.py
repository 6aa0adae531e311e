"""Connections over the limit: they are told so, and take little."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from server.http_client import PATIENCE, HttpClient
from server.live import LiveServer
from server.test_http_lane import HEALTH
from skubber.server.connection_limit import MOST_TURNED_AWAY
from skubber.server.http_connection import LINGER_TIMEOUT, LOOK_EVERY


@pytest.fixture
async def full() -> AsyncIterator[LiveServer]:
    """A server that has its one connection."""
    async with LiveServer(tcp_connections=1) as live:
        client = await live.connect()
        client.send(HEALTH)
        assert (await client.answer()).status == 200
        yield live


async def one_too_many(live: LiveServer, *sent: bytes) -> HttpClient:
    """Connect, and send before the server gets to see the connection."""
    connection = socket.create_connection(("127.0.0.1", live.port))
    connection.sendall(b"".join(sent))
    return HttpClient(*await asyncio.open_connection(sock=connection))


async def test_who_is_one_too_many_can_read_so_whatever_it_sends(full: LiveServer) -> None:
    client = await one_too_many(full, HEALTH)
    answer = await client.answer()
    assert (answer.status, answer.closes) == (503, True)
    await client.send_separately(HEALTH, HEALTH)
    # In order: a reset could have taken the answer away on its road.
    assert await client.rest() == b""
    await client.close()
    await nobody_is_turned_away(full)


async def test_who_is_one_too_many_and_does_not_hang_up_is_cut(full: LiveServer) -> None:
    client = await one_too_many(full, HEALTH)
    assert (await client.answer()).status == 503
    await full.pass_time(LINGER_TIMEOUT + LOOK_EVERY)
    await nobody_is_turned_away(full)
    await client.close()


async def test_only_so_many_are_told_at_their_leisure(full: LiveServer) -> None:
    clients = [await one_too_many(full) for _ in range(MOST_TURNED_AWAY)]
    assert {(await client.answer()).status for client in clients} == {503}
    assert len(full.turned_away) == MOST_TURNED_AWAY
    hasty = await one_too_many(full)
    assert (await hasty.answer()).status == 503
    assert len(full.turned_away) == MOST_TURNED_AWAY
    for client in (*clients, hasty):
        await client.close()
    await nobody_is_turned_away(full)


async def test_who_was_turned_away_takes_nobodys_place(full: LiveServer) -> None:
    turned_away = await one_too_many(full)
    assert (await turned_away.answer()).status == 503
    (first,) = full.connections
    first.transport.abort()
    async with asyncio.timeout(PATIENCE):
        while full.connections:  # noqa: ASYNC110 - the set is uvicorn's
            await asyncio.sleep(0)
    assert len(full.turned_away) == 1
    second = await one_too_many(full, HEALTH)
    assert (await second.answer()).status == 200
    await turned_away.close()
    await second.close()


async def nobody_is_turned_away(live: LiveServer) -> None:
    async with asyncio.timeout(PATIENCE):
        while live.turned_away:  # noqa: ASYNC110 - connections leave it as they end
            await asyncio.sleep(0)
