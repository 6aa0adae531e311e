"""What apps are doing right now."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from msgspec import Meta

from skubber.core.hub import Hub
from skubber.core.limits import Limits
from skubber.store.apps import AppStore


class AppStats(msgspec.Struct, rename="camel"):
    """An app right now, beside what its plan allows."""

    app_id: str
    plan: str
    enabled: bool
    connections: Annotated[int, Meta(description="Open connections on this node.")]
    channels: Annotated[int, Meta(description="Occupied channels.")]
    messages_today: Annotated[int, Meta(description="What counts against `messages_per_day`.")]
    limits: Limits


class Stats(msgspec.Struct, rename="camel"):
    """All apps right now."""

    apps: list[AppStats]


TakeStats = Callable[[], Awaitable[Stats]]
"""Looks at all apps."""


async def take_stats(apps: AppStore, hub: Hub, now: float) -> Stats:
    """Look at all apps of this node.

    Args:
        apps: the apps.
        hub: their hub.
        now: seconds since the epoch.
    """
    return Stats(
        [
            AppStats(
                app.id,
                app.plan,
                app.enabled,
                app.meter.connections,
                len(await hub.broker.channels(app.id, "")),
                app.meter.messages_today(now),
                app.limits,
            )
            for app in list(apps.all())
        ]
    )
