"""Letting go of connections to Redis."""

import asyncio
from contextlib import suppress

from redis.asyncio.connection import AbstractConnection

_PATIENCE = 0.5
"""Seconds the other side has to close a connection over TLS, which takes two: it may be what is dead."""


async def disconnect(*connections: AbstractConnection) -> None:
    """Close connections, those included that were never open."""
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await asyncio.gather(*(connection.disconnect() for connection in connections), return_exceptions=True)
