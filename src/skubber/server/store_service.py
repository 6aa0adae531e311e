"""The database behind a running server: its apps are served as they are now, and what they use is written down."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from skubber.core.app import ApiKey, App
from skubber.core.connection import EndReason
from skubber.core.hub import Hub
from skubber.settings import Settings
from skubber.store.apps import AppRegistry
from skubber.store.database import Database
from skubber.store.open import open_database
from skubber.store.reason import reason
from skubber.store.stored_apps import StoredApps
from skubber.store.usage import UsageBooks
from skubber.store.vault import Vault, WrongKeyError, open_vault

LOOK_INTERVAL = 0.5
"""Seconds between two looks for changes: with a load in between they are effective within one."""

BOOK_INTERVAL = 10
"""Seconds between two entries in the books."""

_log = structlog.stdlib.get_logger("skubber.server")


async def has_stored_apps(settings: Settings) -> bool:
    """Open the database, if there is one, to see that it can be used and whether it has apps.

    Raises:
        SettingsError: it cannot be used.
    """
    if not settings.database:
        return False
    database, vault = await open_database(settings)
    try:
        return await StoredApps(database, vault, settings.all_plans()).has_any()
    finally:
        await database.close()


class ConnectionEnder:
    """Ends the connections of keys and apps that are not good any more. Implements ``AppObserver``.

    Args:
        hub: the hub.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def keys_gone(self, app: App, keys: Sequence[ApiKey]) -> None:
        """End the connections that were made with these keys."""
        self._hub.end_connections(app.id, EndReason.KEY_REVOKED, {key.key for key in keys})

    def disabled(self, app: App) -> None:
        """End all connections of an app."""
        self._hub.end_connections(app.id, EndReason.APP_DISABLED)

    def deleted(self, app: App) -> None:
        """End all connections of an app."""
        self._hub.end_connections(app.id, EndReason.APP_DELETED)


class StoreService:
    """The database of one server process, from start to stop.

    Args:
        settings: the settings; they name a database.
        apps: the registry.
        hub: the hub.

    Attributes:
        database: the database, once started.
        vault: what its secrets are encrypted with, likewise.
    """

    def __init__(self, settings: Settings, apps: AppRegistry, hub: Hub) -> None:
        self._settings = settings
        self._apps = apps
        self._observer = ConnectionEnder(hub)
        self._revision = -1
        self._tasks: list[asyncio.Task[None]] = []
        self.database: Database
        self.vault: Vault
        self._stored: StoredApps
        self._books: UsageBooks

    async def start(self) -> None:
        """Open the database and take its apps over; changes are followed from then on.

        Raises:
            SettingsError: the database cannot be used.
        """
        self.database, self.vault = await open_database(self._settings)
        self._stored = StoredApps(self.database, self.vault, self._settings.all_plans())
        self._books = UsageBooks(self.database, self._apps)
        await self.look()
        await self.book()
        self._tasks = [
            asyncio.create_task(_repeatedly(LOOK_INTERVAL, self.look, "cannot look for changes to apps")),
            asyncio.create_task(_repeatedly(BOOK_INTERVAL, self.book, "cannot write down what apps use")),
        ]

    async def stop(self) -> None:
        """Write down what has been used, and close the database."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self.book()
        except Exception:
            _log.exception("cannot write down what apps use")
        await self.database.close()

    async def look(self) -> None:
        """Take over what has changed since the last look."""
        if await self._stored.revision() != self._revision:
            try:
                self._revision, stored = await self._stored.load()
            except WrongKeyError:  # somebody has just changed the key, and the file has the new one
                self.vault.become(open_vault(self._settings))
                self._revision, stored = await self._stored.load()
            self._apps.replace_stored(stored, time.time(), self._observer)
        self._apps.expire(time.time(), self._observer)

    async def book(self) -> None:
        """Write down what apps have used since the last time."""
        await self._books.write(time.time())


async def _repeatedly(interval: float, act: Callable[[], Awaitable[None]], failure: str) -> None:
    """Do something over and over. While it fails the log says so once, and once when it succeeds again."""
    is_failing = False
    while True:
        await asyncio.sleep(interval)
        try:
            await act()
        except Exception as error:
            if not is_failing:
                _log.error(failure, reason=reason(error))
            is_failing = True
        else:
            if is_failing:
                _log.info("the database can be used again")
            is_failing = False
