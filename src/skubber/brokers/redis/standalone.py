"""One Redis, always in the same place."""

from collections.abc import Mapping
from typing import Any

from redis.asyncio.connection import ConnectionPool

from skubber.brokers.redis.layout import Primary


class Standalone:
    """Implements ``Servers`` for a Redis that is where it is.

    Args:
        options: of its connections, as redis-py's ``ConnectionPool`` has them.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._primary = Primary(ConnectionPool(**options).make_connection)

    async def locate(self, within: float) -> Primary:
        """The Redis; nobody need be asked."""
        return self._primary
