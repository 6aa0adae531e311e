"""The least an HTTP server in Python can do: httptools parses a request, a fixed answer goes back.

Usage: ``http_echo.py PORT``. What a publish costs beyond this is the push server's own work.
"""

import asyncio
import sys
from typing import cast

import httptools
import uvloop

RESPONSE = (
    b"HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
)


class HttpEcho(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(RESPONSE)


async def serve(port: int) -> None:
    """Answer on a port of 127.0.0.1, for ever."""
    server = await asyncio.get_running_loop().create_server(HttpEcho, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
