"""Looking at a Redis as an operator would, before a node counts on it."""

import asyncio
import time
from typing import Any

import msgspec
from redis.asyncio.connection import AbstractConnection
from redis.crc import key_slot
from redis.exceptions import RedisError

from skubber.brokers.redis.address import parse_address
from skubber.brokers.redis.attendance import rehearse
from skubber.brokers.redis.farewell import disconnect
from skubber.brokers.redis.layout import Layout, Servers
from skubber.brokers.redis.membership import Membership
from skubber.brokers.redis.wire import ALIVE, TERMINATION_TOPIC

_PINGS = 5


class Inspection(msgspec.Struct, frozen=True):
    """What was seen of a Redis; of a cluster, of the primary that knows which nodes are alive.

    Attributes:
        version: its version. Valkey gives that of the Redis it stands for.
        round_trip: seconds until an answer, the shortest of several.
        clock_difference: seconds by which its clock is ahead of this machine's.
        policy: ``maxmemory-policy``; None where this user may not see it.
        memory: ``maxmemory``, bytes; 0: no limit. None likewise.
        idle_timeout: ``timeout``, seconds; 0: connections may be idle. None likewise.
    """

    version: str
    round_trip: float
    clock_difference: float
    policy: str | None = None
    memory: int | None = None
    idle_timeout: int | None = None


async def inspect(url: str, patience: float) -> Inspection:
    """Look at a Redis.

    Args:
        url: where it is; see ``parse_address``.
        patience: seconds this may take.

    Raises:
        TypeError, ValueError: the URL is none.
        RedisError, OSError, TimeoutError: it cannot be reached, lets nobody in, or is older than version 6.
    """
    async with asyncio.timeout(patience):
        connection = await _connect(parse_address(url), patience)
        try:
            return await _look(connection)
        finally:
            await disconnect(connection)


async def try_rights(url: str, patience: float) -> None:
    """Do once in Redis, on keys that nobody has, whatever a node will have to do.

    Args:
        url: where it is; see ``parse_address``.
        patience: seconds in which Redis must answer.

    Raises:
        RedisError, OSError, TimeoutError, UnavailableError: it does not do everything.
    """
    membership = Membership(parse_address(url), patience, lambda _topic, _payload: None)

    async def work() -> None:
        await rehearse(membership)
        await membership.listen([TERMINATION_TOPIC])

    try:
        await membership.run(work)
    finally:
        await membership.disconnect()


async def _connect(servers: Servers, patience: float) -> AbstractConnection:
    found = await servers.locate(patience)
    primary = found.primary(key_slot(ALIVE.encode())) if isinstance(found, Layout) else found
    connection = primary.new_connection()
    await connection.connect()  # type: ignore[no-untyped-call]
    return connection


async def _look(connection: AbstractConnection) -> Inspection:
    hello = await _ask(connection, "HELLO")
    version: bytes = hello[hello.index(b"version") + 1]
    differences = [await _clock(connection) for _ in range(_PINGS)]
    round_trip, difference = min(differences)
    return Inspection(
        version.decode(),
        round_trip,
        difference,
        await _setting(connection, "maxmemory-policy"),
        _number(await _setting(connection, "maxmemory")),
        _number(await _setting(connection, "timeout")),
    )


async def _clock(connection: AbstractConnection) -> tuple[float, float]:
    """Seconds until an answer, and by which the clock is ahead: the quickest answer tells that best."""
    asked, begin = time.time(), time.perf_counter()
    seconds, microseconds = await _ask(connection, "TIME")
    round_trip = time.perf_counter() - begin
    return round_trip, int(seconds) + int(microseconds) / 1e6 - asked - round_trip / 2


async def _setting(connection: AbstractConnection, name: str) -> str | None:
    """One of its settings; None where this user may not see it, as with the rights that a node needs."""
    try:
        answer = await _ask(connection, "CONFIG", "GET", name)
    except RedisError:
        return None
    return answer[1].decode() if len(answer) > 1 else None


async def _ask(connection: AbstractConnection, *command: str) -> list[Any]:
    await connection.send_command(*command)
    answer: list[Any] = await connection.read_response()
    return answer


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
