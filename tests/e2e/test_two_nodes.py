"""Two servers with one Redis are one server, as far as their clients can tell."""

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from e2e.support.api import HEADERS
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, NewServer, Server
from e2e.support.waiting import until_ready_answers
from support.redis import RedisServer

LEASE = 2
PUBLISHES_PER_SECOND = 6
PLAN = f"""
[plans.hobby]
connections = 2
publishes_per_second = {PUBLISHES_PER_SECOND}

[[apps]]
id = "{{id}}"
keys = [{{{{ key = "{{key}}", secret = "{{secret}}" }}}}]
plan = "hobby"
"""

Pair = tuple[Server, Server]


@pytest.fixture
def pair(redis_server: RedisServer, new_server: Callable[..., Server]) -> Pair:
    """Two servers."""
    flags = ("--set", f"broker={redis_server.url}", "--set", f"broker_lease={LEASE}", "--set", "database=")
    return new_server(*flags), new_server(*flags)


async def publish(server: Server, channel: str) -> httpx.Response:
    """Publish an event ``e`` on a channel."""
    async with httpx.AsyncClient() as http:
        event = {"name": "e", "channel": channel, "data": "d"}
        return await http.post(f"{server.url}/apps/{APP_ID}/events", headers=HEADERS, json=event)


async def test_what_is_published_on_one_arrives_on_the_other(pair: Pair) -> None:
    one, two = pair
    async with RawClient.connected(one) as here, RawClient.connected(two) as there:
        await here.subscribe("c")
        await there.subscribe("c")
        assert (await publish(one, "c")).status_code == 200
        for client in (here, there):
            message = await client.receive()
            assert (message["event"], message["data"]) == ("e", "d")


async def test_a_roster_spans_both_and_a_server_killed_takes_its_members_along(pair: Pair) -> None:
    one, two = pair
    async with RawClient.connected(one) as ada, RawClient.connected(two) as bob:
        await ada.subscribe_presence("presence-c", "ada")
        roster = await bob.subscribe_presence("presence-c", "bob")
        assert sorted(roster["presence"]["ids"]) == ["ada", "bob"]
        added = await ada.receive()
        assert (added["event"], json.loads(added["data"])["user_id"]) == ("pusher_internal:member_added", "bob")
        two.signal(signal.SIGKILL)
        async with asyncio.timeout(LEASE):
            removed = await ada.receive()
        assert removed["event"] == "pusher_internal:member_removed"
        assert json.loads(removed["data"]) == {"user_id": "bob"}


async def test_an_app_has_its_limits_on_both_together(
    redis_server: RedisServer, new_server: NewServer, tmp_path: Path
) -> None:
    file = tmp_path / "hobby.toml"
    file.write_text(PLAN.format(id=APP_ID, key=KEY, secret=SECRET))
    flags = ("--config", str(file), "--set", f"broker={redis_server.url}", "--set", "database=")
    one, two = new_server(*flags, is_demo=True), new_server(*flags, is_demo=True)
    async with RawClient.connected(one) as here, RawClient.connected(two) as there:
        for client in (here, there):
            await client.subscribe("c")  # it is counted before that is answered
        async with RawClient.connected(one) as one_too_many:
            error = await one_too_many.receive()
            assert (error["event"], error["data"]["code"]) == ("pusher:error", 4004)
    answers = await asyncio.gather(*(publish(server, "c") for server in (one, two) * 20))
    refused = [answer for answer in answers if answer.status_code != 200]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(429, "publish_rate")}
    assert len(answers) - len(refused) < 2 * PUBLISHES_PER_SECOND  # it may have been two seconds


async def test_without_redis_a_server_is_not_ready_and_says_when_to_try_again(
    pair: Pair, redis_server: RedisServer
) -> None:
    one, _ = pair
    async with RawClient.connected(one) as client, httpx.AsyncClient(base_url=one.url) as http:
        await client.subscribe("c")
        redis_server.kill()
        try:
            await until_ready_answers(http, 503)
            answer = await publish(one, "c")
            assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")
            assert int(answer.headers["retry-after"]) > 0
            assert (await client.receive())["event"] == "e"
        finally:
            redis_server.start()
        await until_ready_answers(http, 200)
        assert (await publish(one, "c")).status_code == 200
        assert (await client.receive())["event"] == "e"
