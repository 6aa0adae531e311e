"""A node whose connection to Redis, and whose place among the others, are in the test's hands."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import redis
from redis.asyncio.connection import AbstractConnection, Connection

from skubber.brokers.memory import MemoryBroker
from skubber.brokers.redis.attendance import Attendance
from skubber.brokers.redis.broker import RedisBroker
from skubber.brokers.redis.layout import Primary
from skubber.brokers.redis.membership import Membership
from skubber.brokers.redis.rosters import Rosters
from skubber.brokers.redis.scripts import HEARTBEAT
from skubber.brokers.redis.standalone import Standalone
from skubber.brokers.redis.wire import ALIVE, DEAD
from skubber.core.broker import Broker, Upheaval
from skubber.core.errors import UnavailableError
from skubber.core.event import Event, MemberAdded, MemberRemoved, UserOffline, UserOnline
from support.redis import RedisServer

LEASE = 3600
"""Seconds, so that no lease ends but by ``let_lease_end``."""

_NEWS = {
    MemberAdded: "member_added",
    MemberRemoved: "member_removed",
    UserOnline: "online",
    UserOffline: "offline",
}


class Record:
    """A node's side: what it was handed since it was last asked."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, str]] = []
        self.terminated: Counter[str] = Counter()
        self.upheavals: list[Upheaval] = []

    def deliver(self, app_id: str, channel: str, event: Event, excluded: str | None) -> None:
        news = _NEWS.get(type(event))
        self.delivered.append(
            (channel, f"{event.name} not to {excluded}" if news is None else f"{news} {event.user_id}")
        )

    def joined(self, app_id: str, channel: str, socket_id: str) -> None:
        """The model knows what a newcomer is to be told."""

    def terminate(self, app_id: str, user_id: str) -> None:
        self.terminated[user_id] += 1

    def upheaved(self, app_id: str, upheaval: Upheaval) -> None:
        self.upheavals.append(upheaval)


class ModelledNode:
    """A broker, what it hands over, and what is done to it.

    Args:
        server: the Redis it shares with others; None: it keeps everything in memory.

    Attributes:
        broker: the broker.
        record: what it has handed over.
        is_cut: whether its way to Redis is cut.
    """

    def __init__(self, server: RedisServer | None) -> None:
        self.broker: Broker = MemoryBroker() if server is None else RedisBroker(server.url, LEASE)
        self.record = Record()
        self.broker.attach(self.record)
        self._way = asyncio.Event()
        self._way.set()
        self._connections: list[Connection] = []
        if server is not None:
            servers = self._attendance._servers
            assert isinstance(servers, Standalone)
            servers._primary = Primary(self._along_the_way(servers._primary.new_connection))

    @property
    def _attendance(self) -> Attendance:
        assert isinstance(self.broker, RedisBroker)
        return self.broker._attendance

    @property
    def membership(self) -> Membership:
        """Its present membership."""
        membership = self._attendance.membership
        assert membership is not None
        return membership

    @property
    def rosters(self) -> Rosters:
        """What it takes its clients to have been told."""
        return self._attendance._rosters

    @property
    def former_id(self) -> str:
        """The id under which what it has was entered last."""
        return list(self._attendance._former)[-1]

    @property
    def is_cut(self) -> bool:
        return not self._way.is_set()

    async def settle(self) -> None:
        """Wait until everything that was published has arrived."""
        if isinstance(self.broker, RedisBroker):
            await self.membership.catch_up()

    async def cut(self) -> None:
        """Cut the way to Redis, and wait until the broker has noticed."""
        self._way.clear()
        self.hang_up({0, 1})
        await until(lambda: not self.broker.is_available)

    async def heal(self) -> None:
        """Clear the way again, and wait until the broker is back."""
        self._way.set()
        await until(lambda: self.broker.is_available)

    def hang_up(self, which: set[int]) -> None:
        """Cut connections, the one for commands (0) and the one for what is published (1): the way stays clear."""
        for number in which:
            writer = self._connections[-2:][number]._writer
            if writer is not None:
                writer.transport.abort()

    async def return_after(self, former: Membership) -> None:
        """Wait until the broker is back with another membership than before."""
        # When nobody has anything to say to Redis, that the connection is cut shows at the next heartbeat.
        with suppress(UnavailableError):
            await former.do(("PING",))
        await until(lambda: self.broker.is_available and self.membership is not former)

    async def die(self) -> None:
        """Stop without a word, as with kill -9."""
        task = self._attendance._task
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def beat(self) -> None:
        """Let the broker's heart beat at once, and bury whoever it finds lost."""
        milliseconds = LEASE * 1000
        lost = await self.membership.do(
            HEARTBEAT.call((ALIVE, DEAD), self.membership.node_id, milliseconds, milliseconds, 10)
        )
        await asyncio.gather(*(self.bury(node_id.decode()) for node_id in lost))

    async def bury(self, node_id: str) -> None:
        """Take away what a lost node has."""
        await self._attendance._bury(self.membership, node_id)

    def _along_the_way(self, new_connection: Callable[[], AbstractConnection]) -> Callable[[], AbstractConnection]:
        def make() -> AbstractConnection:
            connection = new_connection()
            assert isinstance(connection, Connection)
            connect = connection.connect

            async def connect_once_the_way_is_clear() -> None:
                await self._way.wait()
                await connect()  # type: ignore[no-untyped-call]

            connection.connect = connect_once_the_way_is_clear  # type: ignore[method-assign]
            self._connections.append(connection)
            return connection

        return make


def let_lease_end(client: redis.Redis, node_id: str) -> None:
    """Put the end of a node's lease into the past."""
    client.zadd(ALIVE, {node_id: 0}, xx=True)


def let_claims_end(client: redis.Redis) -> None:
    """Put it into the past until when lost nodes are a certain node's to bury."""
    members = "for _, node in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1))"
    client.eval(f"{members} do redis.call('ZADD', KEYS[1], 0, node) end", 1, DEAD)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that takes a few turns of the event loop."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
