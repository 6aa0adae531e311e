"""Floods of frames that are no messages: they are dealt with as they come, and delay nobody."""

import asyncio

import pytest

from abuse.support import open_websocket, pour, resident_bytes, until_cut
from e2e.support.raw_client import RawClient
from e2e.support.server import Server
from e2e.support.signalr import publish
from server.http_client import PATIENCE, HttpClient
from server.websocket_client import frame, text
from skubber.codecs.websocket_frames import Opcode

FRAMES = 200_000
MOST_GROWTH = 16_000_000
"""Bytes the server may grow by meanwhile. The largest control frames have 26,000,000 together, and so have pongs."""

PING = b'{"event":"pusher:ping","data":{}}'
FLOODS = {
    "pongs": (b"", frame(Opcode.PONG, b"x" * 125), text(PING)),
    "empty pongs": (b"", frame(Opcode.PONG), text(PING)),
    "fragments of nothing": (
        frame(Opcode.TEXT, PING[:5], fin=False),
        frame(Opcode.CONTINUATION, fin=False),
        frame(Opcode.CONTINUATION, PING[5:]),
    ),
    "pongs between fragments": (
        frame(Opcode.TEXT, PING[:5], fin=False),
        frame(Opcode.PONG, b"x" * 125),
        frame(Opcode.CONTINUATION, PING[5:]),
    ),
}


async def flood(server: Server, attacker: HttpClient, junk: bytes) -> None:
    """Pour junk while somebody else is served; the server must not grow by it."""
    before = resident_bytes(server)
    async with RawClient.connected(server) as bystander:
        await bystander.subscribe("calm")
        pouring = asyncio.create_task(pour(attacker, junk, FRAMES))
        is_over = False
        while not is_over:
            is_over = pouring.done()
            await asyncio.to_thread(publish, server, "calm", "served")
            async with asyncio.timeout(PATIENCE):
                assert (await bystander.receive())["event"] == "served"
    assert resident_bytes(server) - before < MOST_GROWTH


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_that_asks_for_nothing_gets_nothing_and_its_connection_lives(server: Server, kind: str) -> None:
    start, junk, end = FLOODS[kind]
    attacker = await open_websocket(server)
    attacker.send(start)
    await flood(server, attacker, junk)
    attacker.send(end)
    async with asyncio.timeout(2 * PATIENCE):
        await attacker.reader.readuntil(b'"pusher:pong"')
    await attacker.close()


async def test_pings_are_answered_to_who_reads(server: Server) -> None:
    attacker = await open_websocket(server)
    reading = asyncio.create_task(until_cut(attacker))
    await flood(server, attacker, frame(Opcode.PING))
    attacker.send(frame(Opcode.CLOSE))
    async with asyncio.timeout(2 * PATIENCE):
        assert (await reading).count(b"\x8a\x00") == FRAMES
    await attacker.close()


async def test_who_pings_and_does_not_read_is_cut(server: Server) -> None:
    attacker = await open_websocket(server)
    await flood(server, attacker, frame(Opcode.PING, b"x" * 125))
    async with asyncio.timeout(2 * PATIENCE):
        await until_cut(attacker)
    await attacker.close()


@pytest.mark.parametrize("size", [1, 1000])
async def test_fragments_without_end_come_to_one(server: Server, size: int) -> None:
    attacker = await open_websocket(server)
    reading = asyncio.create_task(until_cut(attacker))
    attacker.send(frame(Opcode.BINARY, fin=False))
    await flood(server, attacker, frame(Opcode.CONTINUATION, b"x" * size, fin=False))
    async with asyncio.timeout(2 * PATIENCE):
        assert (1009).to_bytes(2) in await reading
    await attacker.close()
