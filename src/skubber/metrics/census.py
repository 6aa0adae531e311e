"""Counting what nobody keeps count of: subscriptions, and connections by protocol."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from skubber.core.hub import Hub

_AT_ONCE = 250
"""Connections or channels that are looked at before others have their turn: half a millisecond's worth."""


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
    for number, connection in enumerate(hub.connected(), 1):
        census.connections[connection.kind] += 1
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    for number, (app_id, channel) in enumerate(hub.channels(), 1):
        if not channel.kind.comes_with_sign_in:
            census.channels[label(app_id)] += 1
            census.subscriptions[label(app_id)] += len(channel)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return census
