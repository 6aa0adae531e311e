"""A Pusher server just good enough for the load generator, that can be made to deliver wrongly."""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import Self

from skubber.codecs.websocket_frames import encode_text
from skubber.codecs.websocket_handshake import switching_protocols

Frames = list[bytes]
Fault = Callable[[Frames], Frames]


class PusherServer:
    """Delivers to all subscribers what it is told to publish.

    Args:
        fault: changes the frames that one subscriber receives for three publishes.
        answer: the response to a publish.
        tls: what to serve TLS with, if at all.
    """

    def __init__(
        self,
        fault: Fault = lambda frames: frames,
        answer: bytes = b"200 OK",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._fault = fault
        self._answer = answer
        self._tls = tls
        self._subscribers: list[asyncio.StreamWriter] = []
        self._frames: Frames = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET"):
                    await self._subscribe(head, reader, writer)
                else:
                    await self._publish(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _subscribe(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = re.findall(rb"Sec-WebSocket-Key: (\S+)", head)[0]
        writer.write(switching_protocols(key))
        await self._converse(reader, writer)
        self._subscribers.append(writer)
        await reader.read()
        raise ConnectionError

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What is said until the client is subscribed."""
        greeting = rb'{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.1\"}"}'
        writer.write(encode_text(greeting))
        await reader.read(1000)
        writer.write(encode_text(b'{"event":"pusher_internal:subscription_succeeded","data":"{}"}'))

    def _frame(self, publish: bytes) -> bytes:
        """What a subscriber gets of a publish, given its body."""
        return encode_text(publish.replace(b'"name"', b'"event"'))

    async def _publish(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await reader.readexactly(int(re.findall(rb"Content-Length: (\d+)", head)[0]))
        self._frames.append(self._frame(body))
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: 2\r\n\r\n{}" % self._answer)
        if len(self._frames) < 3:
            return
        for subscriber in self._subscribers[1:]:
            subscriber.write(b"".join(self._frames))
        self._subscribers[0].write(b"".join(self._fault(self._frames)))
        self._frames = []
