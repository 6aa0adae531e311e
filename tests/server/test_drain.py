"""The loop that sends clients to reconnect, over a real hub."""

import asyncio

import pytest

from server.http_client import PATIENCE
from skubber.core.connection import EndReason
from skubber.server.drain import drain
from support.apps import make_app, other_app
from support.node import Node
from support.recording import RecordingConnection

LONG = 3600


@pytest.fixture
def node() -> Node:
    return Node()


async def told(connection: RecordingConnection) -> None:
    """Wait until a connection has been ended."""
    async with asyncio.timeout(PATIENCE):
        while not connection.ends:  # noqa: ASYNC110 - it says nothing
            await asyncio.sleep(0)


async def test_nobody_is_waited_for_where_nobody_is(node: Node) -> None:
    async with asyncio.timeout(PATIENCE):
        await drain(node.hub, LONG)


async def test_all_are_told_once_and_at_once_when_there_is_no_time(node: Node) -> None:
    connections = [node.connect(app, f"1.{n}") for n in range(3) for app in (make_app(), other_app())]
    await drain(node.hub, 0)
    assert [connection.ends for connection in connections] == [[EndReason.DRAINING]] * 6


async def test_one_after_another_over_the_time_there_is(node: Node) -> None:
    app, loop = make_app(), asyncio.get_running_loop()
    started, times = loop.time(), list[float]()
    connections = [node.connect(app, f"1.{n}") for n in range(5)]
    for connection in connections:
        connection.end = lambda reason: times.append(loop.time() - started)  # type: ignore[method-assign]
    await drain(node.hub, 0.5)
    assert len(times) == 5
    assert all(time > 0.1 * number - 0.001 for number, time in enumerate(times))  # clocks tick in milliseconds


async def test_who_goes_by_itself_takes_no_time(node: Node) -> None:
    app = make_app()
    first, second, third = (node.connect(app, f"1.{n}") for n in range(3))
    draining = asyncio.create_task(drain(node.hub, LONG))
    await told(first)
    for connection in (first, third, second):
        await node.hub.disconnect(app, connection, [])
    async with asyncio.timeout(PATIENCE):
        await draining
    assert third.ends == []


async def test_those_of_a_large_number_get_their_turn_in_the_same_time(node: Node) -> None:
    app = make_app()
    connections = [node.connect(app, f"1.{n}") for n in range(5000)]
    async with asyncio.timeout(PATIENCE):
        await drain(node.hub, 0.2)
    assert all(connection.ends == [EndReason.DRAINING] for connection in connections)
