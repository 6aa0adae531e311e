"""A server that a command starts for itself, for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from skubber.server.workers.addresses import addresses_of, reserve
from skubber.server.workers.assignment import Assignment
from skubber.server.workers.process import WorkerProcess
from skubber.settings import Settings, SettingsError

_PATIENCE = 20
"""Seconds that it has to start, and to end, on a machine that is busy."""


class TrialServer(NamedTuple):
    """It.

    Attributes:
        url: where it listens.
        pid: its process id.
    """

    url: str
    pid: int


@asynccontextmanager
async def trial_server(settings: Settings) -> AsyncIterator[TrialServer]:
    """A server with these settings as a child process, on a free port whatever they say.

    Raises:
        SettingsError, OSError: it does not start.
    """
    sockets = reserve(settings.host, 0)
    try:
        addresses = addresses_of(sockets)
        process = await WorkerProcess.start(Assignment(1, addresses, settings))
        try:
            async with asyncio.timeout(_PATIENCE):
                if not await process.serves():
                    raise SettingsError(f"it ended with status {await process.ended()}")
            scheme = "https" if settings.tls_certificate else "http"
            yield TrialServer(f"{scheme}://{settings.host}:{addresses[0].parts[1]}", process.pid)
        finally:
            process.stop()
            await _end(process)
    finally:
        for each in sockets:
            each.close()


async def _end(process: WorkerProcess) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.ended()
    except TimeoutError:
        process.kill()
        await process.ended()
