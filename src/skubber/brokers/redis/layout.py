"""Where Redis keeps what: on one server, or in slots spread over several."""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Protocol

from redis.asyncio.connection import AbstractConnection
from redis.crc import REDIS_CLUSTER_HASH_SLOTS
from redis.exceptions import ClusterDownError


class Primary:
    """A Redis server that is written to.

    Args:
        new_connection: makes a connection to it, without connecting.
        allows_sharded: whether sharded pub/sub is used, if it has that.
    """

    __slots__ = ("allows_sharded", "new_connection")

    def __init__(self, new_connection: Callable[[], AbstractConnection], *, allows_sharded: bool = False) -> None:
        self.new_connection = new_connection
        self.allows_sharded = allows_sharded


class Layout:
    """Which primary has which slots.

    Args:
        ranges: first and last slot of each range, and the primary that has it.

    Raises:
        ClusterDownError: there are slots that none has.
    """

    def __init__(self, ranges: Iterable[tuple[int, int, Primary]]) -> None:
        in_order = sorted(ranges, key=lambda each: each[0])
        if sum(last - first + 1 for first, last, _ in in_order) != REDIS_CLUSTER_HASH_SLOTS:
            raise ClusterDownError("The cluster has slots that no primary serves")
        self._first_slots = [first for first, _, _ in in_order]
        self._primaries = [primary for _, _, primary in in_order]

    def primary(self, slot: int) -> Primary:
        """The primary that has a slot."""
        return self._primaries[bisect_right(self._first_slots, slot) - 1]


class Servers(Protocol):
    """How one finds out where Redis is."""

    async def locate(self, within: float) -> Primary | Layout:
        """Find out where it is now: one server, or a cluster.

        Args:
            within: seconds this may take.

        Raises:
            RedisError, OSError, TimeoutError: nobody knows.
        """
        ...
