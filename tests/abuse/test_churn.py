"""Clients that come and go, in order and not: nothing of them may stay."""

import asyncio

import httpx
import pytest

from abuse.support import PUSHER, connect, reset, resident_bytes
from e2e.support.api import HEADERS
from e2e.support.server import APP_ID, Server
from server.http_client import upgrade
from server.websocket_client import text

MOST_GROWTH = 8_000_000
"""Bytes. A connection that stays costs more than 2,000 of them: 4,000 would be noticed."""

SUBSCRIBE = text(b'{"event":"pusher:subscribe","data":{"channel":"churn"}}')


async def come_and_go(server: Server, number: int) -> None:
    """Connect; subscribe and vanish, hang up in the middle of the opening request, or reset the connection."""
    client = await connect(server)
    opening = upgrade(PUSHER)
    kind = number % 4
    client.send(opening[:40] if kind == 0 else opening, b"" if kind in {0, 1} else SUBSCRIBE)
    if kind:
        await client.reader.readuntil(b"\r\n\r\n")
    if kind == 3:
        await client.reader.readuntil(b"subscription_succeeded")
        await reset(client)
    await client.close()


async def churn(server: Server, count: int) -> None:
    for start in range(0, count, 10):
        await asyncio.gather(*(come_and_go(server, start + n) for n in range(10)))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("count", [4_000, pytest.param(100_000, marks=pytest.mark.soak)])
async def test_nothing_stays_of_clients_that_have_come_and_gone(server: Server, count: int) -> None:
    await churn(server, 1_000)
    before = resident_bytes(server)
    await churn(server, count)
    assert resident_bytes(server) - before < MOST_GROWTH
    async with asyncio.timeout(10), httpx.AsyncClient(headers=HEADERS) as client:
        url = f"{server.url}/apps/{APP_ID}/channels"
        while (await client.get(url)).json() != {"channels": {}}:  # noqa: ASYNC110 - the kernel tells of hang-ups in time
            await asyncio.sleep(0.05)
