"""A Redis that Sentinels watch over: where it is found, and what becomes of the nodes when it is killed."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from brokers.guarded_redis import documented_rights
from brokers.redis_node import Node, until_available, until_delivered
from conftest import require
from e2e.support.certificate import make_certificate
from skubber.core.broker import Occupancy
from skubber.core.event import Event, PublishedEvent
from skubber.core.presence import PresenceMember
from support.redis_sentinel import PASSWORD, SENTINEL_PASSWORD, SERVICE, WatchedRedis

APP, CHANNEL = "4711", "presence-c"
LEASE = 4


@pytest.fixture
def watched_redis(tmp_path: Path) -> Iterator[WatchedRedis]:
    require("A test with Sentinels", "redis-server")
    watched = WatchedRedis(tmp_path)
    yield watched
    watched.stop()


def url(
    watched: WatchedRedis, service: str = SERVICE, password: str = PASSWORD, sentinel_password: str = SENTINEL_PASSWORD
) -> str:
    """What the setting ``broker`` says."""
    quoted = [quote(each, safe="") for each in (password, sentinel_password)]
    return f"redis+sentinel://:{quoted[0]}@{watched.hosts}/{service}/0?sentinel_password={quoted[1]}"


@asynccontextmanager
async def started(url: str) -> AsyncIterator[Node]:
    """A node that has tried to connect."""
    node = Node(url, LEASE)
    await node.broker.start()
    try:
        yield node
    finally:
        await node.broker.stop()


async def test_after_a_failover_everything_is_entered_at_the_new_primary_and_delivery_goes_on(
    watched_redis: WatchedRedis,
) -> None:
    async with started(url(watched_redis)) as one, started(url(watched_redis)) as two:
        for number, node in enumerate((one, two)):
            await node.broker.subscribe(APP, CHANNEL)
            await node.broker.join(APP, CHANNEL, f"1.{number}", PresenceMember(f"user-{number}"), 100)
        await one.broker.publish(APP, ("cache-c",), PublishedEvent("kept", b"1"), None)
        await one.delivery.until(2)
        await two.delivery.until(1)
        watched_redis.wait_for_replica()
        watched_redis.primary.kill()
        await until_available(one, two, is_available=False)
        await until_available(one, two)
        with watched_redis.replica.client() as client:
            assert client.info("replication")["role"] == "master"
            assert client.hget("skubber:{4711}:counts", CHANNEL) == b"2"
        assert await one.broker.occupancy(APP, CHANNEL) == Occupancy(2, 2)
        kept = await two.broker.kept_event(APP, "cache-c")
        assert kept is not None
        assert kept.event.name == "kept"
        await two.broker.publish(APP, (CHANNEL,), Event("e", b"1"), None)
        for node in (one, two):
            await until_delivered(node, "e")
        # Nobody was told that anybody came or went who did not.
        assert one.delivery.names == ["member_added", "member_added", "e"]
        assert two.delivery.names == ["member_added", "e"]


async def test_sentinels_are_spoken_to_over_tls_as_a_user_who_may_do_no_more_than_is_documented(
    tmp_path: Path,
) -> None:
    require("A test with Sentinels", "redis-server")
    certificate, key = make_certificate(tmp_path)
    watched = WatchedRedis(tmp_path, (certificate, key))
    try:
        for client in watched.sentinel_clients():
            with client:
                client.execute_command("ACL", "SETUSER", "watcher", *documented_rights("watcher"))  # type: ignore[no-untyped-call]
        credentials = "sentinel_username=watcher&sentinel_password=password"
        tls = f"ssl_ca_certs={certificate}"
        async with started(
            f"rediss+sentinel://:{quote(PASSWORD, safe='')}@{watched.hosts}/{SERVICE}?{credentials}&{tls}"
        ) as node:
            assert await node.broker.subscribe(APP, "c") == 1
            await node.broker.publish(APP, ("c",), Event("e", b"1"), None)
            await until_delivered(node, "e")
    finally:
        watched.stop()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"service": "other"}, "no Sentinel that can be reached knows a primary of 'other' that is well"),
        ({"sentinel_password": "wrong"}, "see sentinel_username and sentinel_password"),
        ({"password": "wrong"}, "invalid username-password pair"),
    ],
)
async def test_what_is_wrong_is_told_without_the_passwords(
    watched_redis: WatchedRedis, wrong: dict[str, str], reason: str
) -> None:
    with capture_logs() as logs:
        async with started(url(watched_redis, **wrong)) as node:
            assert not node.broker.is_available
    (line,) = logs
    assert reason in line["reason"]
    assert not any(password in str(line) for password in (PASSWORD, SENTINEL_PASSWORD, "=wrong", ":wrong"))


async def test_sentinels_that_are_away_leave_the_asking_to_those_that_are_not(watched_redis: WatchedRedis) -> None:
    first = watched_redis._sentinels[0]
    first.kill()
    first.wait(20)
    async with started(url(watched_redis)) as node:
        assert node.broker.is_available
