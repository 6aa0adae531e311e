"""The brokers: every test of the contract runs with each of them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from brokers.clock import Clock
from brokers.guarded_redis import GuardedRedis
from brokers.recording_delivery import RecordingDelivery
from conftest import require
from skubber.brokers.memory import MemoryBroker
from skubber.brokers.redis.broker import RedisBroker
from skubber.core.broker import Broker
from support.redis import RedisServer
from support.redis_cluster import RedisCluster, WithoutShards


class RedisClock(Clock):
    """Makes time pass for what a Redis keeps: when it is put forward, everything there expires so much sooner."""

    def __init__(self, server: RedisServer | RedisCluster | WithoutShards) -> None:
        self._server = server
        self._now = 1000.0

    @property
    def url(self) -> str:
        """What the setting ``broker`` says."""
        return self._server.url

    @property
    def now(self) -> float:
        return self._now

    @now.setter
    def now(self, now: float) -> None:
        passed = int((now - self._now) * 1000)
        self._now = now
        with self._server.client() as client:
            for key in client.scan_iter("*"):
                if (left := client.pttl(key)) > 0:
                    client.pexpire(key, max(left - passed, 0))


@pytest.fixture(scope="session")
def shared_guarded_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis]:
    require("A test with Redis", "redis-server")
    server = GuardedRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def guarded_redis(shared_guarded_redis: GuardedRedis) -> GuardedRedis:
    """A Redis with TLS and an access list, that knows nothing."""
    shared_guarded_redis.empty()
    return shared_guarded_redis


@pytest.fixture
def cluster_without_shards(redis_cluster: RedisCluster) -> WithoutShards:
    """Likewise, without sharded pub/sub."""
    return WithoutShards(redis_cluster)


@pytest.fixture(params=["memory", "redis_server", "guarded_redis", "redis_cluster", "cluster_without_shards"])
def clock(request: pytest.FixtureRequest) -> Clock:
    """The broker's clock."""
    if request.param == "memory":
        return Clock()
    return RedisClock(request.getfixturevalue(request.param))


@pytest.fixture
def delivery() -> RecordingDelivery:
    """The node's side of ``broker``."""
    return RecordingDelivery()


@pytest.fixture
async def broker(clock: Clock, delivery: RecordingDelivery) -> AsyncIterator[Broker]:
    """A broker that is ready."""
    new_broker: Broker = MemoryBroker(clock)
    if isinstance(clock, RedisClock):
        new_broker = RedisBroker(clock.url)
    new_broker.attach(delivery)
    await new_broker.start()
    yield new_broker
    await new_broker.stop()
