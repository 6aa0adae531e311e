"""A Redis that Sentinels watch over: they know which of its servers is the primary."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio.connection import ConnectionPool, SSLConnection
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel

from skubber.brokers.redis.layout import Primary


class Sentinels:
    """Implements ``Servers`` for a Redis that may be elsewhere after a failover.

    Args:
        hosts: host and port of each Sentinel.
        service: what they call the Redis.
        sentinel_options: of the connections to them, as redis-py has them.
        options: of the connections to the Redis, likewise.
    """

    def __init__(
        self,
        hosts: Sequence[tuple[str, int]],
        service: str,
        sentinel_options: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> None:
        self._hosts = list(hosts)
        self._service = service
        self._sentinel_options = dict(sentinel_options)
        self._sentinel_options["ssl"] = self._sentinel_options.pop("connection_class", None) is SSLConnection
        self._options = options

    async def locate(self, within: float) -> Primary:
        """The server that is the primary now.

        Both connections of a membership go there, so it is asked for once: between two questions there may be a
        failover.

        Raises:
            MasterNotFoundError: no Sentinel can be reached, or none knows a primary that is well.
            RedisError, OSError, TimeoutError: the Sentinels refuse to tell.
        """
        each = within / len(self._hosts)  # those that do not answer leave time for one that does
        options = self._sentinel_options | {"socket_timeout": each, "socket_connect_timeout": each / 2}
        sentinel = Sentinel(self._hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]
        try:
            host, port = await sentinel.discover_master(self._service)
        except MasterNotFoundError as error:
            raise MasterNotFoundError(_reason(self._service, str(error))) from None
        finally:
            await asyncio.gather(*(client.aclose() for client in sentinel.sentinels), return_exceptions=True)
        return Primary(ConnectionPool(**self._options, host=host, port=port).make_connection)


def _reason(service: str, said: str) -> str:
    """What is wrong, in short: what is said in full names the connections with all their options."""
    if "AuthenticationError" in said:
        return "the Sentinels do not let this server in: see sentinel_username and sentinel_password"
    return f"no Sentinel that can be reached knows a primary of {service!r} that is well"
