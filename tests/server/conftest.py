"""Servers in the test's own process, on both event loops that they run on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from server.live import LiveServer


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """uvloop is what the server runs on where it can be had; its transports differ in details from asyncio's."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def live() -> AsyncIterator[LiveServer]:
    """A server with the settings that are the default."""
    async with LiveServer() as server:
        yield server
