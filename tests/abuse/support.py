"""What an attacker has: plain connections. And a look at what the server makes of them."""

import asyncio
import contextlib
import socket
import struct
from pathlib import Path

from e2e.support.server import Server
from server.http_client import PATIENCE, HttpClient, upgrade
from support.apps import KEY

PUSHER = f"/app/{KEY}?protocol=7"


async def connect(server: Server) -> HttpClient:
    """Connect and say nothing."""
    return HttpClient(*await asyncio.open_connection("127.0.0.1", server.port))


async def open_websocket(server: Server, target: str = PUSHER) -> HttpClient:
    """Open a WebSocket whose frames are the test's own."""
    client = await connect(server)
    client.send(upgrade(target))
    head = await client.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    return client


async def reset(client: HttpClient) -> None:
    """Break a connection off: the server gets no end of it but a reset."""
    linger = struct.pack("ii", 1, 0)
    client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    await client.close()


async def pour(attacker: HttpClient, frame: bytes, count: int) -> None:
    """Send a frame over and over, in a hundred writes, and read nothing; the server may hang up at any time."""
    part = frame * (count // 100)
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(2 * PATIENCE):
            for _ in range(100):
                attacker.send(part)
                await attacker.writer.drain()


async def until_cut(client: HttpClient) -> bytes:
    """What the server says until it ends the connection, in order or not."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while data := await client.reader.read(65536):
            said += data
    return said


def resident_bytes(server: Server) -> int:
    """The memory that the server takes."""
    pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
    return pages * 4096
