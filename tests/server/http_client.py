"""A client that sends what the test says, byte for byte."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

PATIENCE = 10
"""Seconds to wait for what should happen at once."""


@dataclass(frozen=True)
class Answer:
    """One HTTP response; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def closes(self) -> bool:
        """Whether the server says that it closes the connection."""
        return self.headers.get("connection", "").lower() == "close"


class HttpClient:
    """One TCP connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *parts: bytes) -> None:
        """Send bytes, in one write."""
        self.writer.write(b"".join(parts))

    async def send_separately(self, *parts: bytes) -> None:
        """Send bytes so that each part arrives by itself."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            # The loopback interface is fast: by now it has been read.
            for _ in range(3):
                await asyncio.sleep(0)

    @property
    def has_answer(self) -> bool:
        """Whether something has come, if only the end."""
        return bool(self.reader._buffer) or self.reader.at_eof()  # type: ignore[attr-defined]

    async def answer(self, *, to_head: bool = False) -> Answer:
        """Read one response; one to a HEAD request has no body."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")[:-2]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            size = 0 if to_head else int(headers.get("content-length", "0"))
            body = await self.reader.readexactly(size)
        return Answer(int(lines[0].split()[1]), headers, body)

    async def answers(self, count: int) -> Sequence[Answer]:
        """Read so many responses."""
        return [await self.answer() for _ in range(count)]

    async def rest(self) -> bytes:
        """Read until the server closes its half of the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def is_cut(self) -> bool:
        """Whether the server has dropped the connection without another word, in order or by resetting it."""
        try:
            return await self.rest() == b""
        except ConnectionResetError:
            return True

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def request(method: str, target: str, *headers: str, body: bytes | None = None, host: str = "localhost") -> bytes:
    """A request; with a body, its length is among the headers."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + (body or b"")


def upgrade(target: str, *headers: str) -> bytes:
    """A request that opens a WebSocket."""
    return request(
        "GET",
        target,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *headers,
    )
