"""Waiting in a way that a stopping server can cut short."""

import asyncio
from contextlib import suppress


async def pause(is_stopping: asyncio.Event, seconds: float) -> None:
    """Wait for some time, or until the server stops."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await is_stopping.wait()
