"""Several nodes above a Redis Cluster: apps on different primaries, slots that move, and primaries that are lost."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from brokers.guarded_redis import documented_rights
from brokers.redis_node import Node, until, until_back, until_delivered
from conftest import require
from e2e.support.certificate import make_certificate
from skubber.core.broker import Occupancy
from skubber.core.errors import UnavailableError
from skubber.core.event import Event
from skubber.core.presence import PresenceMember
from support.ports import free_port
from support.redis import RedisServer
from support.redis_cluster import RedisCluster, WithoutShards

CHANNEL = "presence-c"
LEASE = 4
ADA, BOB = PresenceMember("ada"), PresenceMember("bob")


def app_on(cluster: RedisCluster, place: int) -> str:
    """An app whose slot a primary has."""
    server = cluster.primaries[place]
    return next(
        app_id for app_id in map(str, range(1000)) if cluster.primary_of(f"skubber:{{{app_id}}}:counts") is server
    )


def place_of_nodes(cluster: RedisCluster) -> int:
    """Which primary knows of the nodes."""
    return cluster.primaries.index(cluster.primary_of("{nodes}"))


@pytest.fixture(params=["sharded", "broadcast"])
def url(request: pytest.FixtureRequest, redis_cluster: RedisCluster) -> str:
    """The cluster with sharded pub/sub, and without."""
    return redis_cluster.url if request.param == "sharded" else WithoutShards(redis_cluster).url


@pytest.fixture
async def nodes(url: str) -> AsyncIterator[list[Node]]:
    """Two nodes."""
    together = [Node(url, LEASE) for _ in range(2)]
    for node in together:
        await node.broker.start()
    yield together
    for node in together:
        await node.broker.stop()


@pytest.fixture
def failing_cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    """A cluster in which the primary of app 4711 has a replica that takes over soon."""
    require("A test with a cluster", "redis-server")
    cluster = RedisCluster(tmp_path, node_timeout=1000, replicated="{4711}")
    yield cluster
    cluster.kill()


async def see_that_events_arrive(nodes: list[Node], app_id: str, name: str) -> None:
    """Publish on the channel on each node, and see each event arrive on all of them."""
    for number, node in enumerate(nodes):
        await node.broker.publish(app_id, (CHANNEL,), Event(f"{name}-{number}", b"1"), None)
    for node in nodes:
        for number in range(len(nodes)):
            await until_delivered(node, f"{name}-{number}")


async def test_apps_are_spread_over_the_primaries_and_each_is_whole(
    nodes: list[Node], redis_cluster: RedisCluster
) -> None:
    one, two = nodes
    apps = [app_on(redis_cluster, place) for place in range(3)]
    for app_id in apps:
        await one.broker.subscribe(app_id, CHANNEL)
        await two.broker.subscribe(app_id, CHANNEL)
        await one.broker.join(app_id, CHANNEL, "1.1", ADA, 100)
        assert await two.broker.occupancy(app_id, CHANNEL) == Occupancy(2, 1)
        await see_that_events_arrive(nodes, app_id, f"of-{app_id}")
    for server, app_id in zip(redis_cluster.primaries, apps, strict=True):
        with server.client() as client:
            counted = [key for key in client.scan_iter() if key.endswith(b"}:counts")]
        assert counted == [f"skubber:{{{app_id}}}:counts".encode()]
    await one.broker.terminate_user(apps[0], "ada")
    for node in nodes:
        await node.delivery.until(3 * 3 + 1)
        assert node.delivery.terminated == [(apps[0], "ada")]


@pytest.mark.parametrize("is_sharded", [True, False])
async def test_a_channel_is_listened_to_on_its_own_primary_and_in_a_shard_where_there_are(
    redis_cluster: RedisCluster, is_sharded: bool
) -> None:
    node = Node(redis_cluster.url if is_sharded else WithoutShards(redis_cluster).url, LEASE)
    await node.broker.start()
    apps = [app_on(redis_cluster, place) for place in range(3)]
    for app_id in apps:
        await node.broker.subscribe(app_id, "c")
    for server, app_id in zip(redis_cluster.primaries, apps, strict=True):
        with server.client() as client:
            listened = {
                kind: [name for name in client.execute_command("PUBSUB", kind) if b":channel:" in name]
                for kind in ("SHARDCHANNELS", "CHANNELS")
            }
        topic = f"skubber:{{{app_id}}}:channel:c".encode()
        assert listened == {
            "SHARDCHANNELS": [topic] if is_sharded else [],
            "CHANNELS": [] if is_sharded else [topic],
        }
    await node.broker.stop()


async def test_a_dead_nodes_members_go_from_every_primary(nodes: list[Node], redis_cluster: RedisCluster) -> None:
    dying, watching = nodes
    apps = [app_on(redis_cluster, place) for place in range(3)]
    for app_id in apps:
        await dying.broker.subscribe(app_id, CHANNEL)
        await dying.broker.join(app_id, CHANNEL, "1.1", ADA, 100)
    dying.die()

    async def are_gone() -> bool:
        return [await watching.broker.occupancy(app_id, CHANNEL) for app_id in apps] == [Occupancy(0, 0)] * 3

    await until(are_gone)
    assert watching.departed == [(CHANNEL, "ada")] * 3


async def test_nodes_that_left_leave_nothing_in_a_cluster(nodes: list[Node], redis_cluster: RedisCluster) -> None:
    for node in nodes:
        for place in range(3):
            await node.broker.subscribe(app_on(redis_cluster, place), CHANNEL)
    for node in nodes:
        await node.broker.stop()
    with redis_cluster.client() as client:
        assert [key for key in client.scan_iter() if client.ttl(key) < 0] == [b"skubber:{nodes}:generation"]


async def test_a_slot_that_moves_to_another_primary_takes_its_subscribers_along(
    nodes: list[Node], redis_cluster: RedisCluster
) -> None:
    one, two = nodes
    source = (place_of_nodes(redis_cluster) + 1) % 3
    app_id, target = app_on(redis_cluster, source), redis_cluster.primaries[(source + 1) % 3]
    for node, socket_id, member in ((one, "1.1", ADA), (two, "2.1", BOB)):
        await node.broker.subscribe(app_id, CHANNEL)
        await node.broker.join(app_id, CHANNEL, socket_id, member, 100)
    await see_that_events_arrive(nodes, app_id, "before")
    former: dict[Node, object] = {node: node.broker._attendance.membership for node in nodes}
    redis_cluster.move_slot(f"{{{app_id}}}", target)
    try:
        for node in nodes:
            try:
                await node.broker.occupancy(app_id, CHANNEL)  # who is told of nothing finds out when it asks
            except UnavailableError:
                continue
        await until_back(former)
        assert redis_cluster.primary_of(f"{{{app_id}}}") is target
        await see_that_events_arrive(nodes, app_id, "after")
        assert await one.broker.occupancy(app_id, CHANNEL) == Occupancy(2, 2)
        assert one.departed == two.departed == one.arrived == two.arrived == []
    finally:
        redis_cluster.move_slot(f"{{{app_id}}}", redis_cluster.primaries[source])


async def test_while_a_slot_is_on_its_way_what_it_lacks_is_refused_and_afterwards_all_is_well(
    nodes: list[Node], redis_cluster: RedisCluster
) -> None:
    source = (place_of_nodes(redis_cluster) + 1) % 3
    app_id, target = app_on(redis_cluster, source), redis_cluster.primaries[(source + 1) % 3]
    former: dict[Node, object] = {nodes[0]: nodes[0].broker._attendance.membership}
    with redis_cluster.migrating(f"{{{app_id}}}", target):
        with pytest.raises(UnavailableError):
            await nodes[0].broker.subscribe(app_id, CHANNEL)
        assert await nodes[1].broker.subscribe(app_on(redis_cluster, source - 1), CHANNEL) == 1
    await until_back(former)
    for node in nodes:
        await node.broker.subscribe(app_id, CHANNEL)
    await see_that_events_arrive(nodes, app_id, "after")


async def test_a_primary_that_comes_back_empty_is_filled_again_without_news(
    nodes: list[Node], redis_cluster: RedisCluster
) -> None:
    one, two = nodes
    place = (place_of_nodes(redis_cluster) + 1) % 3
    losing, keeping = app_on(redis_cluster, place), app_on(redis_cluster, place - 1)
    for node, socket_id, member in ((one, "1.1", ADA), (two, "2.1", BOB)):
        for app_id in (losing, keeping):
            await node.broker.subscribe(app_id, CHANNEL)
            await node.broker.join(app_id, CHANNEL, socket_id, member, 100)
    await one.delivery.until(2 * 2)
    await two.delivery.until(2)
    former: dict[Node, object] = {node: node.broker._attendance.membership for node in nodes}
    redis_cluster.primaries[place].kill()
    redis_cluster.primaries[place].start()
    await until_back(former)
    for app_id in (losing, keeping):
        assert await one.broker.occupancy(app_id, CHANNEL) == Occupancy(2, 2)
        await see_that_events_arrive(nodes, app_id, f"of-{app_id}")
    assert one.delivery.names.count("member_added") == 2 * 2
    assert "member_removed" not in one.delivery.names + two.delivery.names
    assert one.arrived == two.arrived == one.departed == two.departed == []


async def test_when_a_primary_is_killed_its_replica_goes_on_with_what_it_had(failing_cluster: RedisCluster) -> None:
    cluster = failing_cluster
    nodes = [Node(cluster.url, LEASE) for _ in range(2)]
    for node, member in zip(nodes, (ADA, BOB), strict=True):
        await node.broker.start()
        await node.broker.subscribe("4711", CHANNEL)
        await node.broker.join("4711", CHANNEL, "1.1", member, 100)
    former: dict[Node, object] = {node: node.broker._attendance.membership for node in nodes}
    primary = cluster.primary_of("{4711}")
    with primary.client() as client:
        assert client.execute_command("WAIT", 1, 10_000) == 1
    primary.kill()
    await until_back(former)
    await see_that_events_arrive(nodes, "4711", "after")
    assert await nodes[0].broker.occupancy("4711", CHANNEL) == Occupancy(2, 2)
    assert cluster.replica is not None
    with cluster.replica.client() as client:
        assert client.hget("skubber:{4711}:counts", CHANNEL) == b"2"
    for node in nodes:
        await node.broker.stop()


async def test_a_cluster_is_spoken_to_over_tls_as_a_user_who_may_do_no_more_than_is_documented(tmp_path: Path) -> None:
    require("A test with a cluster", "redis-server")
    certificate, key = make_certificate(tmp_path)
    cluster = RedisCluster(tmp_path, certificate=(certificate, key))
    try:
        for server in cluster.primaries:
            with server.client() as client:
                rights = [*documented_rights(), *documented_rights(place=1)]
                client.execute_command("ACL", "SETUSER", "skubber", *rights)
        node = Node(f"rediss+cluster://skubber:password@{cluster.hosts}?ssl_ca_certs={certificate}", LEASE)
        await node.broker.start()
        for place in range(3):
            app_id = app_on(cluster, place)
            assert await node.broker.subscribe(app_id, CHANNEL) == 1
            assert await node.broker.join(app_id, CHANNEL, "1.1", ADA, 100)
            await see_that_events_arrive([node], app_id, f"of-{app_id}")
        await node.broker.stop()
    finally:
        cluster.kill()


async def test_of_the_servers_that_are_named_some_may_be_away(redis_cluster: RedisCluster) -> None:
    away = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    node = Node(f"redis+cluster://{','.join(away)},{redis_cluster.hosts}", LEASE)
    await node.broker.start()
    assert node.broker.is_available
    await node.broker.stop()


async def test_a_redis_that_is_no_cluster_is_told_to_be_none(redis_server: RedisServer) -> None:
    node = Node(f"redis+cluster://127.0.0.1:{redis_server.port}", LEASE)
    with capture_logs() as logs:
        await node.broker.start()
        assert not node.broker.is_available
        await node.broker.stop()
    assert "cluster support disabled" in logs[0]["reason"]
