"""Going through many things."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

_AT_ONCE = 250
"""Things that are looked at before others have their turn: half a millisecond's worth."""

Item = TypeVar("Item")


async def unhurried(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Go through many things without keeping anybody waiting for long."""
    for number, item in enumerate(items, 1):
        yield item
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
