"""What a node's clients are told of members who came and went while it was cut off."""

from collections.abc import AsyncIterator

import pytest

from brokers.modelled_node import ModelledNode, let_lease_end
from skubber.core.presence import PresenceMember
from support.redis import RedisServer

APP, CHANNEL = "4711", "presence-c"
ADA, BOB, EVE = PresenceMember("ada"), PresenceMember("bob"), PresenceMember("eve")


@pytest.fixture
async def nodes(redis_server: RedisServer) -> AsyncIterator[tuple[ModelledNode, ModelledNode]]:
    """Two nodes, with Ada on the first and Bob on the second."""
    here, there = ModelledNode(redis_server), ModelledNode(redis_server)
    for node in (here, there):
        await node.broker.start()
    await here.broker.join(APP, CHANNEL, "1.1", ADA, 10)
    await there.broker.join(APP, CHANNEL, "2.1", BOB, 10)
    yield here, there
    for node in (here, there):
        await node.broker.stop()


async def told(node: ModelledNode) -> list[str]:
    """What a node's clients have been told since this was last asked."""
    await node.settle()
    news = [each for channel, each in node.record.delivered if channel == CHANNEL]
    node.record.delivered.clear()
    return news


async def test_clients_are_told_who_came_and_went_while_their_node_was_cut_off(
    nodes: tuple[ModelledNode, ModelledNode],
) -> None:
    here, there = nodes
    assert await told(here) == ["member_added ada", "member_added bob"]
    await here.cut()
    await there.broker.join(APP, CHANNEL, "2.2", EVE, 10)
    await there.broker.leave(APP, CHANNEL, "2.1", "bob")
    await here.heal()
    assert sorted(await told(here)) == ["member_added eve", "member_removed bob"]
    await there.broker.leave(APP, CHANNEL, "2.2", "eve")
    assert await told(here) == ["member_removed eve"]


async def test_who_has_been_there_all_the_time_is_not_told_of_again(
    nodes: tuple[ModelledNode, ModelledNode], redis_server: RedisServer
) -> None:
    here, there = nodes
    for node in nodes:
        await told(node)
    former = here.former_id
    await here.cut()
    with redis_server.client() as client:
        let_lease_end(client, former)
    await there.beat()
    assert await told(there) == ["member_removed ada"]
    await here.heal()
    assert await told(there) == ["member_added ada"]
    assert await told(here) == []


async def test_a_roster_shown_later_is_one_to_be_kept_up_as_well(nodes: tuple[ModelledNode, ModelledNode]) -> None:
    here, there = nodes
    await here.broker.join(APP, CHANNEL, "1.2", EVE, 10)
    await here.broker.leave(APP, CHANNEL, "1.1", "ada")
    await told(here)
    await here.cut()
    await there.broker.leave(APP, CHANNEL, "2.1", "bob")
    await here.heal()
    assert await told(here) == ["member_removed bob"]


async def test_nothing_is_kept_of_channels_on_which_nobody_is_left(nodes: tuple[ModelledNode, ModelledNode]) -> None:
    here, _ = nodes
    await here.broker.leave(APP, CHANNEL, "1.1", "ada")
    assert (here.rosters._known, here.rosters._since) == ({}, {})
