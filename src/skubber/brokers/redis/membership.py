"""One membership of this node among the others: from a connection to Redis to its loss."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from redis.asyncio.connection import AbstractConnection

from skubber.brokers.redis.feed import Feed
from skubber.brokers.redis.pipeline import Command, Pipeline
from skubber.brokers.redis.scripts import ALL_SCRIPTS, ENROLL
from skubber.brokers.redis.wire import ALIVE, NodeKeys, apps_of, keys_of


class Membership:
    """The two connections of a node, and the id under which it has entered what it has.

    Every membership has an id of its own. What a node could not take back when it lost its connection goes with the
    former id, and a command that was long under way enters nothing under the new one.

    Args:
        new_connection: makes a connection to Redis.
        timeout: seconds in which Redis must answer.
        deliver: takes what is published; see ``Feed``.

    Attributes:
        node_id: the id.
        feed: what is published.
    """

    def __init__(
        self,
        new_connection: Callable[[], AbstractConnection],
        timeout: float,
        deliver: Callable[[bytes, bytes], None],
    ) -> None:
        self.node_id = secrets.token_hex(8)
        self._timeout = timeout
        self._connections = (new_connection(), new_connection())
        self._pipeline = Pipeline(self._connections[0], timeout)
        self.feed = Feed(self._connections[1], deliver)
        self._enrolled: set[str] = set()

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Connect, and work until something fails or the work is done.

        Args:
            work: what to do while connected.

        Raises:
            RedisError, OSError, TimeoutError, LostNodeError, UnavailableError: what failed first.
        """
        try:
            async with asyncio.timeout(self._timeout):
                for connection in self._connections:
                    await connection.connect()  # type: ignore[no-untyped-call]
            await self._run_connected(work)
        finally:
            self._pipeline.close()
            self.feed.close()
            for connection in self._connections:
                await connection.disconnect(nowait=True)

    async def _run_connected(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        tasks = [
            asyncio.create_task(each)
            for each in (self._pipeline.run(), self.feed.read(), self.feed.write(), self._load_and(work))
        ]
        try:
            # Not a TaskGroup: what fails first is the reason, the others fail for its sake.
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        next(task for task in tasks if task in done).result()

    async def _load_and(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await self.call(*(("SCRIPT", "LOAD", script.text) for script in ALL_SCRIPTS))
        await work()

    def call(self, *commands: Command) -> asyncio.Future[list[Any]]:
        """Have Redis do something; see ``Pipeline``."""
        return self._pipeline.call(*commands)

    async def do(self, command: Command) -> Any:
        """Have Redis do one thing; returns its answer.

        Raises:
            UnavailableError: it does not do it, or it cannot be reached.
        """
        (answer,) = await self._pipeline.call(command)
        return answer

    async def enroll(self, app_id: str) -> NodeKeys:
        """Note that this node has something in an app; to be done before it has. Returns the keys of what it has.

        Raises:
            UnavailableError: Redis cannot be reached, or the others took this node for lost.
        """
        if app_id not in self._enrolled:
            await self.do(ENROLL.call((ALIVE, apps_of(self.node_id)), self.node_id, app_id))
            self._enrolled.add(app_id)
        return keys_of(app_id).of_node(self.node_id)

    async def listen(self, topics: Iterable[bytes]) -> None:
        """Subscribe to Redis channels; done when whatever is published there from now on arrives.

        Raises:
            UnavailableError: the connection was lost.
        """
        for future in [self.feed.subscribe(topic) for topic in topics]:
            await future
