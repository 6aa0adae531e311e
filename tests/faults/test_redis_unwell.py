"""A Redis that has no memory left, and one that is slow."""

import asyncio
import signal
from collections.abc import Callable

import httpx
from redis import Redis

from e2e.support.api import HEADERS
from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID
from e2e.support.signalr import SignalR
from faults.cluster import (
    PATIENCE,
    FaultyRedis,
    count_on,
    get,
    join,
    join_with_signalr,
    message_named,
    news_of,
    publish,
    until_count_is,
    until_ready_answers,
    until_users_are,
    users_on,
)
from faults.conftest import NewNode
from faults.proxy import Proxy

ROOM = "presence-room"


def set_memory(redis: Redis, limit: int) -> None:
    redis.config_set("maxmemory", limit)


async def test_a_redis_without_memory_takes_nothing_new_and_leaves_nothing_half_done(
    new_node: NewNode, faulty_redis: FaultyRedis, auth_endpoint: AuthEndpoint, javascript: JavaScript, signalr: SignalR
) -> None:
    one, two, gone = new_node(), new_node(), new_node()
    await join(javascript, auth_endpoint, "ada", one, ROOM)
    await join_with_signalr(signalr, "eve", two, two, ROOM)
    async with (
        RawClient.connected(one) as client,
        RawClient.connected(two) as leaving,
        RawClient.connected(gone) as lost,
    ):
        await client.subscribe("cache-c")
        await lost.subscribe("cache-c")
        await leaving.subscribe_presence(ROOM, "dan")
        assert (await publish(one, "cache-c", "first")).status_code == 200
        assert (await message_named(client, "e"))["data"] == "first"
        with faulty_redis.client() as redis:
            set_memory(redis, 1)
            refused = await publish(two, "cache-c", "second")
            assert (refused.status_code, refused.json()["code"]) == (503, "broker_unavailable")
            assert int(refused.headers["retry-after"]) > 0
            await client.send({"event": "pusher:subscribe", "data": {"channel": "new"}})
            error = await message_named(client, "pusher:subscription_error")
            assert (error["channel"], error["data"]["status"]) == ("new", 503)
            assert await count_on(two, "new") == 0
            # An event that nobody has to keep takes no memory.
            assert (await publish(two, ROOM, "meanwhile")).status_code == 200
            assert (await javascript.event("ada", ROOM, "e"))["data"] == "meanwhile"
            assert (await signalr.called("eve", "Event"))[0]["data"] == "meanwhile"
            assert await users_on(one, ROOM) == ["ada", "dan", "eve"]
            # What goes needs none either.
            await leaving.connection.close()
            await until_users_are(["ada", "eve"], ROOM, one, two)
            await until_count_is(2, ROOM, one, two)
            gone.signal(signal.SIGKILL)
            await until_count_is(1, "cache-c", one, two)
            await until_ready_answers(200, one, two)
            set_memory(redis, 0)
        kept = await get(one, f"/apps/{APP_ID}/channels/cache-c?info=cache")
        assert kept.json()["cache"]["data"] == "first"
        await client.send({"event": "pusher:subscribe", "data": {"channel": "new"}})
        await message_named(client, "pusher_internal:subscription_succeeded")
        assert await count_on(two, "new") == 1
        assert (await publish(two, "cache-c", "third")).status_code == 200
        assert (await message_named(client, "e"))["data"] == "third"
    assert news_of(javascript, "ada", ROOM) == [("added", "eve"), ("added", "dan"), ("removed", "dan")]


async def test_with_a_slow_redis_everything_is_right_and_what_is_asked_at_once_travels_together(
    new_node: NewNode,
    faulty_redis: FaultyRedis,
    new_proxy: Callable[..., Proxy],
    auth_endpoint: AuthEndpoint,
    javascript: JavaScript,
    signalr: SignalR,
) -> None:
    proxies = [new_proxy(faulty_redis.port) for _ in range(2)]
    one, two = (new_node(broker=f"redis://127.0.0.1:{proxy.port}/0", lease=8) for proxy in proxies)
    for proxy in proxies:
        proxy.delay = 0.2
    await join(javascript, auth_endpoint, "ada", one, ROOM)
    await join_with_signalr(signalr, "eve", two, two, ROOM)
    await until_users_are(["ada", "eve"], ROOM, one, two)

    count = 150
    before = proxies[0].pieces
    limits = httpx.Limits(max_connections=100)
    async with httpx.AsyncClient(base_url=one.url, headers=HEADERS, timeout=PATIENCE, limits=limits) as http:
        events = ({"name": "e", "channel": ROOM, "data": f"number {number}"} for number in range(count))
        answers = await asyncio.gather(*(http.post(f"/apps/{APP_ID}/events", json=event) for event in events))
    pieces = proxies[0].pieces - before
    assert [answer.status_code for answer in answers] == [200] * count
    of_ada = [(await javascript.event("ada", ROOM, "e"))["data"] for _ in range(count)]
    of_eve = [(await signalr.called("eve", "Event"))[0]["data"] for _ in range(count)]
    assert of_ada == of_eve
    assert sorted(of_ada) == sorted(f"number {number}" for number in range(count))
    assert pieces < count / 2
    assert news_of(javascript, "ada", ROOM) == [("added", "eve")]
