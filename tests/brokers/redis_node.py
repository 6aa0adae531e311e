"""A node above a Redis of any kind."""

import asyncio
from collections.abc import Awaitable, Callable

from brokers.recording_delivery import RecordingDelivery
from skubber.brokers.redis.broker import RedisBroker
from skubber.core.broker import Broker


class Node:
    """A broker, and what it hands over.

    Args:
        url: where Redis is.
        lease: its lease.
    """

    def __init__(self, url: str, lease: float) -> None:
        self.broker = RedisBroker(url, lease)
        self.delivery = RecordingDelivery()
        self.broker.attach(self.delivery)

    def die(self) -> None:
        """Stop without a word, as with kill -9."""
        self.broker._attendance._task.cancel()

    @property
    def departed(self) -> list[tuple[str, str]]:
        """The members this node reported as gone, as channel and user id."""
        return [each for _, upheaval in self.delivery.upheavals for each in upheaval.departed]

    @property
    def arrived(self) -> list[tuple[str, str]]:
        """The members this node reported as new, likewise."""
        return [each for _, upheaval in self.delivery.upheavals for each in upheaval.arrived]

    @property
    def vacated(self) -> list[str]:
        """The channels this node reported as vacated."""
        return [
            channel
            for _, upheaval in self.delivery.upheavals
            for channel, count in upheaval.counts.items()
            if count == 0
        ]


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Wait for something that takes part of a lease."""
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110 - what is waited for is in Redis, which does not tell
            await asyncio.sleep(0.01)


async def until_broker_is(broker: Broker, *, is_available: bool) -> None:
    """Wait until a broker is connected, or is not."""

    async def holds() -> bool:
        return broker.is_available is is_available

    await until(holds)


async def until_available(*nodes: Node, is_available: bool = True) -> None:
    """Wait until all nodes are there, or none is."""

    async def holds() -> bool:
        return all(node.broker.is_available is is_available for node in nodes)

    await until(holds, 30)


async def until_back(nodes: dict[Node, object]) -> None:
    """Wait until all nodes have another membership than they had."""

    async def holds() -> bool:
        return all(node.broker._attendance.membership not in {None, former} for node, former in nodes.items())

    await until(holds, 30)


async def until_delivered(node: Node, name: str) -> None:
    """Wait until a node has handed over an event."""

    async def holds() -> bool:
        return name in node.delivery.names

    await until(holds)
