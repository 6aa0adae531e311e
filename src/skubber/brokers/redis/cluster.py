"""A Redis Cluster: several primaries, each with some of the slots."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio.connection import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from skubber.brokers.redis.farewell import disconnect
from skubber.brokers.redis.layout import Layout, Primary


class Cluster:
    """Implements ``Servers`` for a cluster.

    redis-py's own cluster client is not used for it: it opens pools and starts tasks to keep, where all that is wanted
    is the answer to one question.

    Args:
        hosts: host and port of some of its servers.
        options: of the connections to all of them, as redis-py's ``ConnectionPool`` has them.
        allows_sharded: whether servers that have sharded pub/sub are to use it.
    """

    def __init__(
        self, hosts: Sequence[tuple[str, int]], options: Mapping[str, Any], *, allows_sharded: bool = True
    ) -> None:
        self._hosts = list(hosts)
        self._met: list[tuple[str, int]] = []
        self._options = options
        self._allows_sharded = allows_sharded

    async def locate(self, within: float) -> Layout:
        """Which primary has which slots, as the first server says that can be reached.

        Raises:
            RedisError, OSError, TimeoutError: none can be reached, or they refuse to tell.
        """
        # Servers that were there the last time are as good: all those that are named may have been replaced.
        hosts = list(dict.fromkeys((*self._hosts, *self._met)))
        random.shuffle(hosts)  # not always the one that is behind
        failure: Exception = RedisConnectionError("no server of the cluster can be reached")
        for host in hosts:
            try:
                async with asyncio.timeout(within / len(hosts)):
                    return self._layout(await self._ask(host), host[0])
            except (RedisError, OSError, TimeoutError) as error:
                failure = error
        raise failure

    async def _ask(self, host: tuple[str, int]) -> list[Any]:
        pool = ConnectionPool(**self._options, host=host[0], port=host[1])
        connection = pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()
            await connection.send_command("CLUSTER", "SLOTS")
            answer: list[Any] = await connection.read_response()
            return answer
        finally:
            await disconnect(connection)

    def _layout(self, slots: list[Any], asked_host: str) -> Layout:
        primaries: dict[tuple[str, int], Primary] = {}
        ranges = []
        for first, last, (host, port, *_), *_ in slots:
            # A server that does not know its own name leaves it out: it is the one that was asked.
            place = (host.decode() if host else asked_host, port)
            if place not in primaries:
                pool = ConnectionPool(**self._options, host=place[0], port=port)
                primaries[place] = Primary(pool.make_connection, allows_sharded=self._allows_sharded)
            ranges.append((first, last, primaries[place]))
        self._met = list(primaries)
        return Layout(ranges)
