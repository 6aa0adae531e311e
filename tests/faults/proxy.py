"""A TCP proxy that counts, delays and refuses. It runs in a thread: the tests' own event loop may be busy."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

Outcome = TypeVar("Outcome")


class Proxy:
    """Passes connections on to the first of several targets that takes them.

    Args:
        targets: ports of the loopback address, in the order in which they are tried.
        listener: makes the socket to listen on.

    Attributes:
        port: where it listens.
        delay: seconds by which every answer is late. Answers do not wait for each other.
        attempts: how many connections have been made to it.
        pieces: how often something has come from a client.
    """

    def __init__(self, *targets: int, listener: Callable[[], socket.socket] | None = None) -> None:
        listening = socket.create_server(("127.0.0.1", 0)) if listener is None else listener()
        self.port: int = listening.getsockname()[1]
        self.delay = 0.0
        self.attempts = 0
        self.pieces = 0
        self._targets = targets
        self._is_refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._pass_on, sock=listening))

    def refuse(self) -> None:
        """Cut all connections, and every new one as soon as it is made."""
        self._is_refusing = True
        self._run(self._cut())

    def accept(self) -> None:
        """Let connections through again."""
        self._is_refusing = False

    def stop(self) -> None:
        """Cut everything and be gone."""
        self._server.close()
        self._run(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, call: Coroutine[Any, Any, Outcome]) -> Outcome:
        return asyncio.run_coroutine_threadsafe(call, self._loop).result(20)

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.attempts += 1
        target = None if self._is_refusing else await self._connect()
        if target is None:
            writer.transport.abort()
            return
        target_reader, target_writer = target
        writers = {writer, target_writer}
        self._writers |= writers
        pumps = [
            self._loop.create_task(each)
            for each in (self._requests(reader, target_writer), self._answers(target_reader, writer))
        ]
        self._handlers.update(pumps)
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self._handlers.difference_update(pumps)
        self._writers -= writers
        for each in writers:
            each.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for port in self._targets:
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            self.pieces += 1
            writer.write(data)
            await writer.drain()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            # Timers of one loop with equal delays go off in order.
            self._loop.call_later(self.delay, writer.write, data)
