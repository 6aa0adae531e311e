"""Brokers that a server could not use, each a real Redis."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from brokers.guarded_redis import PASSWORD, GuardedRedis
from conftest import require
from skubber.brokers.redis.inspection import Inspection
from skubber.cli.doctor.broker import check_broker, check_round_trip
from skubber.cli.doctor.finding import Finding, Status
from skubber.settings import Settings
from support.redis import RedisServer
from support.redis_cluster import RedisCluster

ALL_CHECKS = {"broker", "broker rights", "broker configuration", "broker round trip", "broker clock"}


async def findings(url: str) -> dict[str, Finding]:
    return {finding.check: finding async for finding in check_broker(Settings(broker=url))}


@pytest.fixture(scope="module")
def guarded_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRedis]:
    require("A test with Redis", "redis-server")
    server = GuardedRedis(tmp_path_factory.mktemp("guarded"))
    yield server
    server.kill()


@contextmanager
def configured(server: RedisServer, **values: str) -> Iterator[None]:
    """A Redis that is set up differently for the moment."""
    with server.client() as client:
        before = {name: client.config_get(name)[name] for name in values}
        for name, value in values.items():
            client.config_set(name, value)
        yield
        for name, value in before.items():
            client.config_set(name, value)


async def test_a_broker_as_it_should_be_is_well_and_keeps_nothing(redis_server: RedisServer) -> None:
    found = await findings(redis_server.url)
    assert {check: finding.status for check, finding in found.items() if check != "broker round trip"} == dict.fromkeys(
        ALL_CHECKS - {"broker round trip"}, Status.OK
    )
    with redis_server.client() as client:
        assert client.dbsize() == 0


async def test_a_cluster_is_looked_at_too(redis_cluster: RedisCluster) -> None:
    found = await findings(redis_cluster.url)
    assert set(found) == ALL_CHECKS
    assert found["broker rights"].status is Status.OK


async def test_no_broker_is_well() -> None:
    assert [finding.status for finding in (await findings("")).values()] == [Status.OK]


@pytest.mark.parametrize(
    "url", ["redis://user:hunter2@127.0.0.1:1/0", "redis://user:hunter#2@host:6379/0", "redis://h?hunter=2"]
)
async def test_a_broker_that_cannot_be_reached_is_a_failure_without_its_password(url: str) -> None:
    (finding,) = (await findings(url)).values()
    assert finding.status is Status.FAILED
    assert finding.advice
    assert "hunter2" not in str(finding)
    assert "hunter#2" not in str(finding)


class OldRedis(RedisServer):
    """A Redis that knows no HELLO, like those before version 6."""

    def __init__(self) -> None:
        super().__init__("--rename-command", "HELLO", "")

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, protocol=2)


async def test_a_broker_before_version_6_is_a_failure() -> None:
    require("A test with Redis", "redis-server")
    server = OldRedis()
    try:
        (finding,) = (await findings(server.url)).values()
    finally:
        server.kill()
    assert (finding.status, finding.message) == (Status.FAILED, "Redis 5 or older")


async def test_a_wrong_password_is_a_failure(guarded_redis: GuardedRedis) -> None:
    (finding,) = (await findings(guarded_redis.url_with("wrong-password"))).values()
    assert finding.status is Status.FAILED
    assert finding.advice.startswith("Check user and password")
    assert "wrong-password" not in str(finding)


async def test_a_certificate_that_is_not_trusted_is_a_failure(guarded_redis: GuardedRedis) -> None:
    (finding,) = (await findings(guarded_redis.url.partition("?")[0])).values()
    assert finding.status is Status.FAILED
    assert "ssl_ca_certs" in finding.advice


async def test_with_the_documented_rights_only_the_configuration_is_not_seen(guarded_redis: GuardedRedis) -> None:
    found = await findings(guarded_redis.url)
    assert found["broker rights"].status is Status.OK
    assert found["broker configuration"].status is Status.WARNING
    assert found["broker configuration"].message == "this user may not see it"


@pytest.mark.parametrize("but", ["-hincrby", "-publish", "-subscribe", "resetkeys"])
async def test_a_right_that_is_missing_is_a_failure(guarded_redis: GuardedRedis, but: str) -> None:
    guarded_redis.let_in(PASSWORD, but)
    try:
        finding = (await findings(guarded_redis.url))["broker rights"]
    finally:
        guarded_redis.let_in(PASSWORD)
    assert finding.status is Status.FAILED
    assert finding.advice == "Give the broker's user the access list of docs/scaling.md."


async def test_a_broker_that_evicts_is_a_failure_once_it_can_be_full(redis_server: RedisServer) -> None:
    with configured(redis_server, **{"maxmemory-policy": "allkeys-lru"}):
        assert (await findings(redis_server.url))["broker configuration"].status is Status.WARNING
        with configured(redis_server, maxmemory="100000000"):
            finding = (await findings(redis_server.url))["broker configuration"]
    assert finding.status is Status.FAILED
    assert "noeviction" in finding.advice


async def test_a_broker_that_closes_idle_connections_is_worth_a_warning(redis_server: RedisServer) -> None:
    with configured(redis_server, timeout="60"):
        finding = (await findings(redis_server.url))["broker configuration"]
    assert finding.status is Status.WARNING
    assert "timeout 0" in finding.advice


def test_a_broker_that_is_far_away_is_worth_a_warning() -> None:
    assert check_round_trip(Inspection("7.0.0", 0.05, 0)).status is Status.WARNING
    assert check_round_trip(Inspection("7.0.0", 0.001, 0)).status is Status.OK
