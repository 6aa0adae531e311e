"""TLS, access lists and Unix sockets: what lets a node in, and what it says when it is not."""

import re
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from brokers.guarded_redis import PASSWORD, GuardedRedis, documented_rights
from brokers.recording_delivery import RecordingDelivery
from brokers.redis_node import until_broker_is
from skubber.brokers.redis.broker import RedisBroker
from skubber.brokers.redis.scripts import ALL_SCRIPTS
from skubber.core.errors import UnavailableError
from skubber.core.event import Event
from support.redis import RedisServer

APP = "4711"


@asynccontextmanager
async def started(url: str) -> AsyncIterator[tuple[RedisBroker, list[MutableMapping[str, Any]]]]:
    """A broker that has tried to connect, and what it logged."""
    broker = RedisBroker(url)
    broker.attach(RecordingDelivery())
    with capture_logs() as logs:
        await broker.start()
        try:
            yield broker, logs
        finally:
            await broker.stop()


async def test_a_unix_socket_serves_like_any_other(guarded_redis: GuardedRedis) -> None:
    url = f"unix://skubber:{quote(PASSWORD, safe='')}@{guarded_redis.socket}"
    async with started(url) as (broker, _):
        assert await broker.subscribe(APP, "c") == 1
        await broker.publish(APP, ("c",), Event("e", b"1"), None)
        delivery = broker._delivery
        assert isinstance(delivery, RecordingDelivery)
        await delivery.until(1)
        assert delivery.names == ["e"]


async def test_another_database_can_be_used(redis_server: RedisServer) -> None:
    async with started(redis_server.url.removesuffix("0") + "3") as (broker, _):
        await broker.subscribe(APP, "c")
        with redis_server.client() as client:
            assert list(client.scan_iter()) == []
            client.execute_command("SELECT", 3)
            assert client.hget("skubber:{4711}:counts", "c") == b"1"


async def test_a_wrong_password_is_told_in_one_line_that_does_not_repeat_it(guarded_redis: GuardedRedis) -> None:
    async with started(guarded_redis.url_with("wrong-password")) as (broker, logs):
        assert not broker.is_available
        with pytest.raises(UnavailableError):
            await broker.subscribe(APP, "c")
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("the broker cannot be reached", "error")
    assert "WRONGPASS" in line["reason"] or "invalid username-password pair" in line["reason"]
    assert line["advice"].startswith("check user and password in the setting broker")
    assert "wrong-password" not in str(line)


async def test_no_password_where_one_is_needed_is_told_likewise(guarded_redis: GuardedRedis) -> None:
    with guarded_redis.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "off")
        try:
            async with started(f"rediss://localhost:{guarded_redis.port}?ssl_ca_certs={guarded_redis.certificate}") as (
                broker,
                logs,
            ):
                assert not broker.is_available
        finally:
            client.execute_command("ACL", "SETUSER", "default", "on")
    assert logs[0]["advice"].startswith("check user and password")


async def test_a_certificate_that_is_not_trusted_is_told(guarded_redis: GuardedRedis) -> None:
    async with started(guarded_redis.url.partition("?")[0]) as (broker, logs):
        assert not broker.is_available
    (line,) = logs
    assert "certificate" in line["reason"].lower()
    assert "ssl_ca_certs" in line["advice"]


@pytest.mark.parametrize(
    "but",
    [
        "-hincrby",
        "-publish",
        "-subscribe",
        "-unsubscribe",
        "-evalsha",
        "-script|load",
        "-ping",
        "resetchannels",
        "resetkeys",
    ],
)
async def test_whoever_may_not_do_everything_is_not_ready_and_hears_what_to_do(
    guarded_redis: GuardedRedis, but: str
) -> None:
    guarded_redis.let_in(PASSWORD, but)
    try:
        async with started(guarded_redis.url) as (broker, logs):
            assert not broker.is_available
    finally:
        guarded_redis.let_in(PASSWORD)
    line = logs[0]
    assert line["log_level"] == "error"
    assert line["advice"] == "give the broker's user the access list of docs/scaling.md"
    assert "exception" not in line
    assert "exc_info" not in line


async def test_a_right_that_is_taken_away_later_is_told_and_given_back_is_used(guarded_redis: GuardedRedis) -> None:
    async with started(guarded_redis.url) as (broker, logs):
        await broker.subscribe(APP, "c")
        guarded_redis.let_in(PASSWORD, "-publish")
        try:
            with pytest.raises(UnavailableError):
                await broker.publish(APP, ("c",), Event("e", b"1"), None)
            await until_broker_is(broker, is_available=False)
        finally:
            guarded_redis.let_in(PASSWORD)
        await until_broker_is(broker, is_available=True)
        assert (await broker.occupancy(APP, "c")).subscriptions == 1
    assert [line["event"] for line in logs] == ["the broker cannot be reached", "the broker can be reached again"]


def test_the_access_list_and_the_rehearsal_have_every_command_of_every_script() -> None:
    used = {name.lower() for script in ALL_SCRIPTS for name in re.findall(r"redis\.call\('([A-Z]+)'", script.text)}
    (rehearsal,) = [script.text for script in ALL_SCRIPTS if "local key, topic, call" in script.text]
    rehearsed = {name.lower() for name in re.findall(r"call\('([A-Z]+)'", rehearsal)}
    assert used <= rehearsed
    assert rehearsed <= {right.removeprefix("+") for right in documented_rights()}


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "redis://host:port",
        "redis+sentinel://host:26379",
        "redis+sentinel://host:26379/",
        "redis+sentinel://host:26379/service/none",
        "redis+sentinel:///service/0",
        "redis+sentinel://host:99999/service/0",
        "redis+cluster://",
        "redis+cluster://host1,,host2",
        "redis+cluster://host/1",
        "redis+cluster://host/?db=1",
        "redis+cluster://host?sharded_pubsub=perhaps",
        "redis://host?health_check_interval=often",
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any will do
        RedisBroker(url)


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster", "redis+sentinel"])
@pytest.mark.parametrize("password", ["hunter#2", "hunter/2", "hunter?2", "hunter[2", "hunter\N{ACCOUNT OF}2"])
def test_a_password_that_is_not_percent_encoded_is_not_repeated(scheme: str, password: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - what it says is looked at
        RedisBroker(f"{scheme}://user:{password}@host:6379/service/0")
    assert "hunter" not in str(refusal.value)


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster", "redis+sentinel"])
def test_an_option_that_no_connection_has_is_refused(scheme: str) -> None:
    with pytest.raises(TypeError, match="colour"):
        RedisBroker(f"{scheme}://host/{'service' if 'sentinel' in scheme else ''}?colour=red")
