"""Two servers above a Redis Cluster, one app on each of two primaries."""

from collections.abc import Callable

import httpx
import pytest

from e2e.support.api import HEADERS
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, Server
from support.redis_cluster import RedisCluster


@pytest.fixture
def pair(redis_cluster: RedisCluster, new_server: Callable[..., Server]) -> tuple[Server, Server]:
    """Two servers."""
    flags = ("--set", f"broker={redis_cluster.url}", "--set", "broker_lease=2", "--set", "database=")
    return new_server(*flags), new_server(*flags)


async def publish(server: Server, name: str) -> httpx.Response:
    """Publish an event on the channel."""
    async with httpx.AsyncClient() as http:
        event = {"name": name, "channel": "presence-c", "data": "d"}
        return await http.post(f"{server.url}/apps/{APP_ID}/events", headers=HEADERS, json=event)


async def test_a_roster_and_a_channel_span_both_and_outlive_the_move_of_their_slot(
    pair: tuple[Server, Server], redis_cluster: RedisCluster
) -> None:
    one, two = pair
    key = f"{{{APP_ID}}}"
    source = redis_cluster.primary_of(key)
    assert source is not redis_cluster.primary_of("{nodes}")
    target = redis_cluster.primary_of("{nodes}")
    async with RawClient.connected(one) as ada, RawClient.connected(two) as bob:
        await ada.subscribe_presence("presence-c", "ada")
        roster = await bob.subscribe_presence("presence-c", "bob")
        assert sorted(roster["presence"]["ids"]) == ["ada", "bob"]
        assert (await ada.receive())["event"] == "pusher_internal:member_added"
        redis_cluster.move_slot(key, target)
        try:
            for server in pair:
                while (await publish(server, "early")).status_code == 503:
                    pass  # it finds out now, and is not back yet
            assert (await publish(one, "late")).status_code == 200
            for client in (ada, bob):
                while (message := await client.receive())["event"] != "late":
                    assert message["event"] == "early"
        finally:
            redis_cluster.move_slot(key, source)
