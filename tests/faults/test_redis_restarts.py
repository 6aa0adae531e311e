"""A Redis that is killed and started again, with its data and without, and one that stands still."""

import asyncio
import signal
from collections.abc import Callable, Sequence

import pytest

from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.server import Server
from e2e.support.signalr import SignalR
from faults.cluster import (
    FaultyRedis,
    join,
    join_with_signalr,
    news_of,
    publish,
    publish_everywhere,
    signalr_news_of,
    until,
    until_count_is,
    until_ready_answers,
    until_users_are,
)
from faults.conftest import LEASE, NewNode
from faults.proxy import Proxy

ROOM = "presence-room"
FROM_ALL = ["from 0", "from 1", "from 2"]
EVERYBODY = ["ada", "bob", "eve"]
CONNECTIONS_OF_A_NODE = 2


async def everybody_joins(
    servers: Sequence[Server], auth_endpoint: AuthEndpoint, javascript: JavaScript, signalr: SignalR
) -> None:
    """Connect ada, bob and eve, each to another server."""
    one, two, three = servers
    await join(javascript, auth_endpoint, "ada", one, ROOM)
    await join(javascript, auth_endpoint, "bob", two, ROOM)
    await join_with_signalr(signalr, "eve", three, three, ROOM)
    await until_users_are(EVERYBODY, ROOM, *servers)


async def everybody_is_there_still(
    servers: Sequence[Server], redis: FaultyRedis, javascript: JavaScript, signalr: SignalR
) -> None:
    """See that all is as if nothing had happened, and that no client was told that anything had."""
    await until_ready_answers(200, *servers)
    await until_users_are(EVERYBODY, ROOM, *servers)
    await until_count_is(3, ROOM, *servers)

    async def no_more_connections_than_before() -> bool:
        return redis.connections() == CONNECTIONS_OF_A_NODE * len(servers)

    await until(no_more_connections_than_before)
    await publish_everywhere(servers, ROOM)
    for client in ("ada", "bob"):
        assert [(await javascript.event(client, ROOM, "e"))["data"] for _ in range(3)] == FROM_ALL
    assert [(await signalr.called("eve", "Event"))[0]["data"] for _ in range(3)] == FROM_ALL
    assert news_of(javascript, "ada", ROOM) == [("added", "bob"), ("added", "eve")]
    assert news_of(javascript, "bob", ROOM) == [("added", "eve")]
    assert signalr_news_of(signalr, "eve") == []


@pytest.mark.parametrize("keeps_data", [True, False])
async def test_when_redis_is_killed_and_started_again_nobody_has_been_away(
    new_node: NewNode,
    faulty_redis: FaultyRedis,
    auth_endpoint: AuthEndpoint,
    javascript: JavaScript,
    signalr: SignalR,
    keeps_data: bool,
) -> None:
    servers = [new_node() for _ in range(3)]
    await everybody_joins(servers, auth_endpoint, javascript, signalr)
    for _ in range(2):
        if keeps_data:
            faulty_redis.save()
        faulty_redis.kill()
        await until_ready_answers(503, *servers)
        faulty_redis.start()
        await until_ready_answers(200, *servers)
    await everybody_is_there_still(servers, faulty_redis, javascript, signalr)


async def test_who_left_while_redis_was_away_is_told_of_when_it_is_back_without_its_data(
    new_node: NewNode, faulty_redis: FaultyRedis, auth_endpoint: AuthEndpoint, javascript: JavaScript
) -> None:
    one, two = new_node(), new_node()
    await join(javascript, auth_endpoint, "ada", one, ROOM)
    async with RawClient.connected(two) as leaving:
        await leaving.subscribe_presence(ROOM, "dan")
        faulty_redis.kill()
        await until_ready_answers(503, one, two)
    faulty_redis.start()
    await until_users_are(["ada"], ROOM, one, two)
    await until_count_is(1, ROOM, one, two)
    assert (await publish(two, ROOM)).status_code == 200
    await javascript.event("ada", ROOM, "e")
    assert news_of(javascript, "ada", ROOM) == [("added", "dan"), ("removed", "dan")]


@pytest.mark.parametrize("pause", [0.6 * LEASE, 2 * LEASE])
async def test_when_redis_stands_still_for_a_while_nobody_has_been_away(
    new_node: NewNode,
    faulty_redis: FaultyRedis,
    auth_endpoint: AuthEndpoint,
    javascript: JavaScript,
    signalr: SignalR,
    pause: float,
) -> None:
    servers = [new_node() for _ in range(3)]
    await everybody_joins(servers, auth_endpoint, javascript, signalr)
    faulty_redis.signal(signal.SIGSTOP)
    try:
        await until_ready_answers(503, *servers)
        await asyncio.sleep(pause)  # it is the time that passes that the test is about
    finally:
        faulty_redis.signal(signal.SIGCONT)
    await everybody_is_there_still(servers, faulty_redis, javascript, signalr)


async def test_nodes_do_not_storm_a_redis_that_is_away(
    new_node: NewNode, faulty_redis: FaultyRedis, new_proxy: Callable[..., Proxy]
) -> None:
    proxies = [new_proxy(faulty_redis.port) for _ in range(3)]
    servers = [new_node(broker=f"redis://127.0.0.1:{proxy.port}/0", lease=8) for proxy in proxies]
    before = [proxy.attempts for proxy in proxies]
    for proxy in proxies:
        proxy.refuse()
    await until_ready_answers(503, *servers)
    loop = asyncio.get_running_loop()
    started = loop.time()
    await asyncio.sleep(3)  # it is the number of attempts in a time that the test is about
    attempts = [proxy.attempts - number for proxy, number in zip(proxies, before, strict=True)]
    passed = loop.time() - started
    for proxy in proxies:
        proxy.accept()
    await until_ready_answers(200, *servers)
    # Pauses of 25 ms at least, twice as long each time until they are half a second at least; two connections a time.
    assert all(1 < number <= 2 * (6 + passed / 0.5) for number in attempts), attempts
    assert faulty_redis.connections() == CONNECTIONS_OF_A_NODE * len(servers)
