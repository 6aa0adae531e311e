"""The two connections of a node to one Redis server: one for commands, one for what is published."""

import asyncio
from collections.abc import Callable
from typing import Any

from skubber.brokers.redis.farewell import disconnect
from skubber.brokers.redis.feed import Feed
from skubber.brokers.redis.layout import Primary
from skubber.brokers.redis.pipeline import Pipeline
from skubber.brokers.redis.scripts import ALL_SCRIPTS
from skubber.brokers.redis.sharded import SHARDED_SCRIPTS

_FIRST_SHARDED_VERSION = 7
"""Source: Redis documentation, "Sharded Pub/Sub". Valkey gives the version of the Redis it stands for."""


class Link:
    """What is asked of it before it is connected waits until it is.

    Args:
        primary: the server.
        timeout: seconds in which it must answer.
        deliver: takes what is published; see ``Feed``.

    Attributes:
        pipeline: for commands.
        feed: for what is published.
    """

    def __init__(self, primary: Primary, timeout: float, deliver: Callable[[bytes, bytes], None]) -> None:
        self._timeout = timeout
        self._allows_sharded = primary.allows_sharded
        self._connections = (primary.new_connection(), primary.new_connection())
        self.pipeline = Pipeline(self._connections[0], timeout)
        self.feed = Feed(self._connections[1], deliver)

    async def run(self) -> None:
        """Connect, and work until something fails.

        Raises:
            RedisError, OSError, TimeoutError, LostNodeError, UnavailableError: what failed first.
        """
        async with asyncio.timeout(self._timeout):
            for connection in self._connections:
                await connection.connect()  # type: ignore[no-untyped-call]
            is_sharded = self._allows_sharded and await self._version() >= _FIRST_SHARDED_VERSION
        scripts = SHARDED_SCRIPTS if is_sharded else ALL_SCRIPTS
        tasks = [
            asyncio.create_task(each)
            for each in (
                self.pipeline.run([("SCRIPT", "LOAD", script.text) for script in scripts], is_sharded=is_sharded),
                self.feed.read(is_sharded=is_sharded),
                self.feed.write(is_sharded=is_sharded),
            )
        ]
        try:
            # Not a TaskGroup: what fails first is the reason, the others fail for its sake.
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        next(task for task in tasks if task in done).result()

    async def disconnect(self) -> None:
        """Let go of the connections."""
        await disconnect(*self._connections)

    def close(self) -> None:
        """Answer everything that waits, and what is asked for from now on, with an ``UnavailableError``."""
        self.pipeline.close()
        self.feed.close()

    async def _version(self) -> int:
        """The first number of the server's version. HELLO says it to everybody, whatever access lists say."""
        connection = self._connections[0]
        await connection.send_command("HELLO")
        flat: list[Any] = await connection.read_response()
        version: bytes = flat[flat.index(b"version") + 1]
        return int(version.split(b".")[0])
