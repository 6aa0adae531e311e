"""A WebSocket client that sends any frames it is told to."""

import asyncio
from typing import Self

from server.http_client import PATIENCE, HttpClient, upgrade
from server.live import LiveServer
from server.sessions import RecordingSession
from skubber.codecs.websocket_frames import Opcode, encode_frame
from support.websocket_readings import WsprotoReading

MASK = b"\x01\x02\x03\x04"


def frame(opcode: Opcode, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A frame of a client."""
    return encode_frame(opcode, payload, fin=fin, mask=MASK)


def text(payload: bytes) -> bytes:
    """A text message of a client."""
    return frame(Opcode.TEXT, payload)


def close(code: int | None = 1000) -> bytes:
    """A close frame of a client."""
    return frame(Opcode.CLOSE, b"" if code is None else code.to_bytes(2))


class WebSocketClient:
    """A client and, at the server's other end, its session."""

    def __init__(self, http: HttpClient, session: RecordingSession) -> None:
        self.http = http
        self.session = session
        self._wire = WsprotoReading(of_server=True)
        self._taken = 0

    @classmethod
    async def opened(cls, live: LiveServer, *early: bytes) -> Self:
        """Open a WebSocket, with frames right behind the request."""
        http = await live.connect()
        http.send(upgrade("/recording"), *early)
        assert (await http.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        client = cls(http, live.sessions[-1])
        assert await client.message() == (Opcode.TEXT, b"opened")
        return client

    def send(self, *frames: bytes) -> None:
        """Send frames, in one write."""
        self.http.send(*frames)

    async def message(self) -> tuple[Opcode, bytes]:
        """The next message or control frame of the server."""
        async with asyncio.timeout(PATIENCE):
            while len(self._wire.messages) == self._taken:
                data = await self.http.reader.read(65536)
                assert data, "the server has closed the connection"
                self._wire.feed(data)
                assert self._wire.error is None
        self._taken += 1
        return self._wire.messages[self._taken - 1]

    async def close_code(self) -> int | None:
        """Read on until the server closes the WebSocket; returns its code."""
        while True:
            opcode, payload = await self.message()
            if opcode is Opcode.CLOSE:
                return int.from_bytes(payload[:2]) if payload else None
