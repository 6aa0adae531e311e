"""Sending clients to reconnect, so that the servers that take them over have time for each."""

import asyncio

from skubber.core.connection import EndReason
from skubber.core.hub import Hub

_STEP_SECONDS = 0.05
"""How often the loop looks who is next, or whether anybody is left."""


async def drain(hub: Hub, seconds: float) -> None:
    """End all connections, one after another and evenly; returns when the last one is told.

    Who goes by itself takes none of the time: it is over sooner then.

    Args:
        hub: the hub.
        seconds: how long it may take; 0: all at once.
    """
    loop = asyncio.get_running_loop()
    interval = seconds / max(1, hub.connection_count)
    due = loop.time()
    for connection in hub.connected():
        while loop.time() < due and hub.connection_count:  # noqa: ASYNC110 - their number is all there is to look at
            await asyncio.sleep(min(_STEP_SECONDS, due - loop.time()))
        connection.end(EndReason.DRAINING)
        due += interval
