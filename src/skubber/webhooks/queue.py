"""From what happens to the database: events wait in memory only while those before them are being written."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from skubber.core.app import App
from skubber.core.webhook import WebhookEvent
from skubber.store.apps import AppStore
from skubber.store.database import Database
from skubber.store.reason import reason
from skubber.webhooks.departures import write
from skubber.webhooks.happening import Happening, happening, opposite
from skubber.webhooks.pause import pause

MAX_BUFFERED_BYTES = 64 * 1024 * 1024
"""Most bytes of events that wait in memory while the database cannot be written; beyond them the oldest are lost."""

_MAX_RETRY_SECONDS = 5.0

_log = structlog.stdlib.get_logger("skubber.webhooks")


class WebhookQueue:
    """Takes events and writes them into the database, for the endpoints that want them.

    Everything that gathers while a transaction is under way is written in the next. Implements ``Announcer``.

    Args:
        apps: the apps, and with them the endpoints.
        clock: seconds since the epoch.
        max_bytes: see ``MAX_BUFFERED_BYTES``.

    Attributes:
        lost: how many events were lost because the database could not be written.
    """

    def __init__(self, apps: AppStore, clock: Callable[[], float], max_bytes: int = MAX_BUFFERED_BYTES) -> None:
        self._apps = apps
        self._clock = clock
        self._max_bytes = max_bytes
        self._buffer: deque[Happening] = deque()
        self._bytes = 0
        self._untold = 0
        self.lost = 0
        self._has_more = asyncio.Event()
        self._is_closing = asyncio.Event()

    def __call__(self, app_id: str, event: WebhookEvent) -> None:
        """Have an event told to the endpoints that want it. Never blocks, never raises."""
        app = self._apps.find(app_id)
        if app is None or not _concerns(app, event):
            return
        endpoint_ids = tuple(each.id for each in app.webhooks if each.wants(event))
        self._buffer.append(happening(app_id, int(self._clock() * 1000), event, endpoint_ids))
        self._bytes += self._buffer[-1].size
        self._drop_oldest()
        self._has_more.set()

    async def write(self, database: Database, written: Callable[[Sequence[str]], None]) -> None:
        """Write what comes, until the queue is closed and everything has been written.

        While the database cannot be written it is tried again; after ``close`` no more, and then what is left is lost.

        Args:
            database: where to.
            written: is told the endpoints that have something new to be told.
        """
        while not self._is_closing.is_set() or self._buffer:
            await self._has_more.wait()
            self._has_more.clear()
            if not await self._write_all(database, written):
                return

    def close(self) -> None:
        """Have ``write`` come to an end. Nothing may be announced any more."""
        self._is_closing.set()
        self._has_more.set()

    async def _write_all(self, database: Database, written: Callable[[Sequence[str]], None]) -> bool:
        delay = 0.1
        while self._buffer:
            happenings, self._buffer = self._buffer, deque()
            self._bytes = 0
            try:
                async with database.writing() as connection:
                    endpoint_ids = await write(connection, happenings)
            except Exception as error:  # asyncpg has some that SQLAlchemy does not wrap
                self._take_back(happenings)
                if self._is_closing.is_set():
                    _log.error("webhook events lost", events=len(self._buffer), reason="the server stops")
                    return False
                _log.error("cannot write webhook events", events=len(self._buffer), reason=reason(error))
                await pause(self._is_closing, delay)
                delay = min(2 * delay, _MAX_RETRY_SECONDS)
                continue
            written(endpoint_ids)
            self._say_what_was_lost()
        return True

    def _take_back(self, happenings: deque[Happening]) -> None:
        happenings.extend(self._buffer)
        self._buffer = happenings
        self._bytes = sum(each.size for each in happenings)
        self._drop_oldest()

    def _drop_oldest(self) -> None:
        while self._bytes > self._max_bytes:
            self._bytes -= self._buffer.popleft().size
            self._untold += 1
            self.lost += 1
            if self._untold == 1:
                _log.error("webhook events lost", reason="too many wait for the database")

    def _say_what_was_lost(self) -> None:
        """A line for each lost event would fill the disk of a server that is in trouble already."""
        if self._untold:
            _log.error("webhook events lost", events=self._untold, reason="too many waited for the database")
            self._untold = 0


def _concerns(app: App, event: WebhookEvent) -> bool:
    """Whether an endpoint is to be told of an event, or of what it makes untold: who is back was never gone."""
    other = opposite(event)
    return any(each.wants(event) or (other is not None and each.wants(other)) for each in app.webhooks)
