"""Several nodes above one Redis: what they agree on, and what becomes of it when one of them, or Redis, is lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from brokers.redis_node import Node, until
from skubber.brokers.redis.holdings import Present, Subscribed
from skubber.brokers.redis.membership import Membership
from skubber.core.broker import EarlierRequest, Joined, Occupancy, Upheaval
from skubber.core.errors import UnavailableError
from skubber.core.event import Event, PublishedEvent
from skubber.core.meter import Rate
from skubber.core.presence import PresenceMember
from support.redis import RedisServer

APP, CHANNEL = "4711", "presence-c"
LEASE = 1
ADA, BOB = PresenceMember("ada", b'{"name":"Ada"}'), PresenceMember("bob")


@pytest.fixture
async def nodes(redis_server: RedisServer) -> AsyncIterator[list[Node]]:
    """Three nodes."""
    together = [Node(redis_server.url, LEASE) for _ in range(3)]
    for node in together:
        await node.broker.start()
    yield together
    for node in together:
        await node.broker.stop()


async def test_first_and_last_are_told_once_however_many_nodes_try_at_once(nodes: list[Node]) -> None:
    brokers = [node.broker for node in nodes]
    tries = [(broker, f"{place}.{number}") for place, broker in enumerate(brokers) for number in range(20)]
    counts = await asyncio.gather(*(broker.subscribe(APP, CHANNEL) for broker, _ in tries))
    assert sorted(count or 0 for count in counts) == list(range(1, 61))
    joined = await asyncio.gather(*(broker.join(APP, CHANNEL, socket, ADA, 100) for broker, socket in tries))
    assert [each.is_first for each in joined if each].count(True) == 1
    assert await brokers[1].occupancy(APP, CHANNEL) == Occupancy(60, 1)
    left = await asyncio.gather(*(broker.leave(APP, CHANNEL, socket, "ada") for broker, socket in tries))
    assert left.count(True) == 1
    for node in nodes:
        await node.delivery.until(2)
        assert node.delivery.names == ["member_added", "member_removed"]
    uncounted = await asyncio.gather(*(broker.unsubscribe(APP, CHANNEL) for broker, _ in tries))
    assert uncounted.count(0) == 1
    assert len(set(uncounted)) == 60


@pytest.mark.parametrize("is_first", [True, False])
async def test_what_was_published_before_a_member_joined_is_told_from_what_came_after(
    nodes: list[Node], monkeypatch: pytest.MonkeyPatch, *, is_first: bool
) -> None:
    here, there, _ = nodes
    await there.broker.join(APP, CHANNEL, "2.1", BOB, 100)
    if not is_first:
        await there.broker.join(APP, CHANNEL, "2.2", ADA, 100)
    listen = here.broker._listen

    async def listen_while_another_leaves(membership: Membership, entry: Subscribed | Present) -> None:
        await listen(membership, entry)
        await there.broker.leave(APP, CHANNEL, "2.1", "bob")

    monkeypatch.setattr(here.broker, "_listen", listen_while_another_leaves)
    joined = await here.broker.join(APP, CHANNEL, "1.1", ADA, 100)
    assert joined == Joined(is_first, [ADA])
    assert here.delivery.names[: here.delivery.joins[0][1]] == ["member_removed"]
    assert [socket_id for socket_id, _ in here.delivery.joins] == ["1.1"]


async def test_all_nodes_have_a_channels_events_in_one_order(nodes: list[Node]) -> None:
    for node in nodes:
        await node.broker.subscribe(APP, "c")
    await asyncio.gather(
        *(
            node.broker.publish(APP, ("c",), Event(f"{place}/{number}", b"1"), "1.2")
            for number in range(50)
            for place, node in enumerate(nodes)
        )
    )
    for node in nodes:
        await node.delivery.until(150)
    assert nodes[0].delivery.delivered == nodes[1].delivery.delivered == nodes[2].delivery.delivered
    assert {excluded for *_, excluded in nodes[0].delivery.delivered} == {"1.2"}


async def test_a_node_hears_of_the_channels_it_has_subscribers_on_only(
    nodes: list[Node], redis_server: RedisServer
) -> None:
    await nodes[0].broker.subscribe(APP, "c")
    await nodes[1].broker.subscribe(APP, "d")
    with redis_server.client() as client:
        assert sorted(client.pubsub_channels("*channel*")) == [
            b"skubber:{4711}:channel:c",
            b"skubber:{4711}:channel:d",
        ]
        await nodes[0].broker.unsubscribe(APP, "c")
        await nodes[0].broker._membership().catch_up()
        assert client.pubsub_channels("*channel*") == [b"skubber:{4711}:channel:d"]


async def test_nodes_share_kept_events_requests_and_terminations(nodes: list[Node]) -> None:
    one, two, _ = nodes
    await one.broker.publish(APP, ("cache-c",), PublishedEvent("e", b"1"), None)
    kept = await two.broker.kept_event(APP, "cache-c")
    assert kept is not None
    assert kept.event.name == "e"
    assert await one.broker.claim_request(APP, "k", b"one") is None
    assert await two.broker.claim_request(APP, "k", b"two") == EarlierRequest(b"one", is_done=False)
    await one.broker.terminate_user(APP, "ada")
    for node in nodes:
        await node.delivery.until(1)
        assert node.delivery.terminated == [(APP, "ada")]


async def test_the_last_connection_an_app_may_have_is_taken_once(nodes: list[Node]) -> None:
    brokers = [node.broker for node in nodes]
    tries = brokers * 5
    outcomes = await asyncio.gather(*(broker.connect(APP, 10) for broker in tries))
    let_in = [broker for broker, is_in in zip(tries, outcomes, strict=True) if is_in]
    assert len(let_in) == 10
    assert await brokers[0].connect("other", 1)
    assert await brokers[0].channels(APP, "") == {}
    await let_in[0].disconnect(APP)
    assert [await broker.connect(APP, 10) for broker in (let_in[0], *brokers)] == [True, False, False, False]
    await asyncio.gather(*(broker.disconnect(APP) for broker in let_in))
    assert sum(await asyncio.gather(*(broker.connect(APP, 10) for broker in tries))) == 10


async def test_a_dead_nodes_connections_are_free_again_and_nobody_is_told_of_them(nodes: list[Node]) -> None:
    alive, dying, _ = nodes
    assert await dying.broker.connect(APP, 1)
    dying.die()
    assert not await alive.broker.connect(APP, 1)

    async def has_room() -> bool:
        return await alive.broker.connect(APP, 1)

    await until(has_room)
    assert [upheaval for _, upheaval in alive.delivery.upheavals if upheaval != Upheaval()] == []


async def test_what_an_app_may_do_in_a_second_it_may_do_on_all_nodes_together(
    nodes: list[Node], redis_server: RedisServer
) -> None:
    brokers = [node.broker for node in nodes]

    async def second() -> int:
        with redis_server.client() as client:
            return int(client.time()[0])

    while True:  # until it all fell into one second
        started = await second()
        taken = await asyncio.gather(*(broker.take(APP, Rate.PUBLISHES, 1, 7) for broker in brokers * 5))
        others = [await brokers[0].take(APP, Rate.READS, 1, 7), await brokers[0].take("other", Rate.PUBLISHES, 1, 7)]
        many = [await broker.take(APP, Rate.MESSAGES, 100, 7) for broker in brokers]
        if await second() == started:
            break
    assert sum(taken) == 7
    assert others == [True, True]
    assert many == [True, False, False]


async def test_a_dead_nodes_members_and_counts_go_within_its_lease_and_are_told_once(nodes: list[Node]) -> None:
    dying, watching, other = nodes
    await watching.broker.subscribe(APP, CHANNEL)
    await watching.broker.join(APP, CHANNEL, "2.1", BOB, 100)
    for channel in (CHANNEL, "c"):
        await dying.broker.subscribe(APP, channel)
    await dying.broker.join(APP, CHANNEL, "1.1", ADA, 100)
    await dying.broker.join(APP, CHANNEL, "1.2", BOB, 100)
    await dying.broker.sign_in(APP, "1.1", "ada")
    loop = asyncio.get_running_loop()
    died = loop.time()
    dying.die()

    async def is_gone() -> bool:
        return (await watching.broker.channels(APP, "")).keys() == {CHANNEL}

    await until(is_gone)
    assert loop.time() - died <= LEASE
    assert await watching.broker.occupancy(APP, CHANNEL) == Occupancy(1, 1)
    assert list(await other.broker.online(APP, ["ada"])) == []
    await watching.delivery.until(3)
    assert watching.delivery.names == ["member_added", "member_added", "member_removed"]
    assert watching.departed + other.departed == [(CHANNEL, "ada")]
    assert watching.vacated + other.vacated == ["c"]


async def test_when_redis_is_lost_local_delivery_goes_on_and_everything_is_entered_again(
    redis_server: RedisServer, nodes: list[Node]
) -> None:
    one, two, _ = nodes
    for node, socket, member in ((one, "1.1", ADA), (two, "2.1", BOB)):
        await node.broker.subscribe(APP, CHANNEL)
        await node.broker.join(APP, CHANNEL, socket, member, 100)
    await two.broker.sign_in(APP, "2.1", "bob")
    await one.delivery.until(2)
    redis_server.kill()
    try:

        async def all_have_noticed() -> bool:
            return not any(node.broker.is_available for node in nodes)

        await until(all_have_noticed)
        with pytest.raises(UnavailableError):
            await one.broker.publish(APP, (CHANNEL,), Event("local", b"1"), None)
        assert one.delivery.names[-1] == "local"
        with pytest.raises(UnavailableError):
            await one.broker.subscribe(APP, "c")
        with pytest.raises(UnavailableError):
            await two.broker.sign_out(APP, "2.1", "bob")
        with pytest.raises(UnavailableError):
            await two.broker.leave(APP, CHANNEL, "2.1", "bob")
    finally:
        redis_server.start()

    async def all_are_back() -> bool:
        return all(node.broker.is_available for node in nodes)

    await until(all_are_back)
    assert await two.broker.occupancy(APP, CHANNEL) == Occupancy(2, 2)

    async def is_told() -> bool:
        return one.delivery.names[-1] == "member_removed"

    await until(is_told)
    assert one.delivery.names == ["member_added", "local", "member_removed"] or one.delivery.names == [
        "member_added",
        "member_added",
        "local",
        "member_removed",
    ]
    assert list(await one.broker.members(APP, CHANNEL)) == [ADA]
    assert list(await one.broker.online(APP, ["bob"])) == []


async def test_a_node_that_was_cut_off_enters_again_what_it_has(nodes: list[Node], redis_server: RedisServer) -> None:
    one, two, _ = nodes
    for node, socket, member in ((one, "1.1", ADA), (two, "2.1", BOB)):
        await node.broker.subscribe(APP, CHANNEL)
        await node.broker.join(APP, CHANNEL, socket, member, 100)
    before = one.broker._membership()
    with redis_server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)

    async def is_back() -> bool:
        now = one.broker._attendance.membership
        return now not in {None, before} and two.broker.is_available

    assert one.broker.health.reconnects == 0
    await until(is_back)
    assert one.broker.health.reconnects == 1
    assert await one.broker.occupancy(APP, CHANNEL) == Occupancy(2, 2)
    assert one.departed == two.departed == []
    await one.broker.leave(APP, CHANNEL, "1.1", "ada")
    await two.delivery.until(2)
    assert two.delivery.names[-1] == "member_removed"


async def test_nodes_that_left_leave_nothing_in_redis(nodes: list[Node], redis_server: RedisServer) -> None:
    for node in nodes:
        await node.broker.subscribe(APP, CHANNEL)
        await node.broker.join(APP, CHANNEL, "1.1", ADA, 100)
        await node.broker.sign_in(APP, "1.1", "ada")
    for node in nodes:
        await node.broker.stop()
    with redis_server.client() as client:
        assert [key for key in client.scan_iter() if client.ttl(key) < 0] == [b"skubber:{nodes}:generation"]


async def test_with_every_heartbeat_it_is_seen_how_long_redis_takes(nodes: list[Node]) -> None:
    health = nodes[0].broker.health

    async def is_measured() -> bool:
        return health.round_trips.cumulative()[-1] >= 2

    await until(is_measured)
    assert 0 < health.round_trips.total < LEASE * health.round_trips.cumulative()[-1]
