"""Counting what nobody keeps count of: subscriptions, and connections by protocol."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from skubber.core.hub import Hub
from skubber.metrics.unhurried import unhurried


@dataclass(slots=True)
class Census:
    """How many there are on this node.

    Attributes:
        connections: by protocol and transport.
        channels: by the app's label; those that come with a sign-in are left out.
        subscriptions: of these channels, likewise.
    """

    connections: Counter[tuple[str, str]] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    subscriptions: Counter[str] = field(default_factory=Counter)


async def take_census(hub: Hub, label: Callable[[str], str]) -> Census:
    """Count, without keeping anybody waiting for long.

    Args:
        hub: the hub.
        label: an app's label.
    """
    census = Census()
    async for connection in unhurried(hub.connected()):
        census.connections[connection.kind] += 1
    async for app_id, channel in unhurried(hub.channels()):
        if not channel.kind.comes_with_sign_in:
            census.channels[label(app_id)] += 1
            census.subscriptions[label(app_id)] += len(channel)
    return census
