"""The apps that a server with these settings has."""

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from skubber.cli.doctor.finding import Finding, warning, well
from skubber.core.app import App, Scope
from skubber.settings import Settings, SettingsError
from skubber.store.database import Database
from skubber.store.inspection import TablesState, has_key, is_there, tables_state
from skubber.store.stored_apps import StoredApps
from skubber.store.vault import open_vault

_NEEDED_SCOPES = frozenset({Scope.CONNECT, Scope.PUBLISH})

_PATIENCE = 10
"""Seconds that the database has."""


async def known_apps(settings: Settings) -> list[App]:
    """The apps of the configuration, and those of the database as far as it can be read."""
    apps = settings.configured_apps()
    try:
        async with asyncio.timeout(_PATIENCE):
            return [*apps, *(await _stored_apps(settings))]
    except (SettingsError, OSError, SQLAlchemyError):  # which the look at the database has told of
        return apps


def check_apps(apps: Sequence[App]) -> Finding:
    """Whether there is anything to serve."""
    if not apps:
        return warning(
            "apps",
            "none: the server makes up a demo app, with another key each time",
            "Make one with `skubber apps create`, or put [[apps]] into the configuration file.",
        )
    return well("apps", f"{len(apps)}, {sum(app.enabled for app in apps)} of them enabled")


def usable_app(apps: Sequence[App]) -> App | None:
    """An app to try publishing with, with one key that may; None where no app has one."""
    for app in apps:
        for key in app.keys.values():
            if app.enabled and key.scopes >= _NEEDED_SCOPES:
                return App.with_keys(app.id, [key])
    return None


async def _stored_apps(settings: Settings) -> list[App]:
    if not settings.database or not has_key(settings):
        return []
    database = Database(settings.database)
    try:
        if not is_there(database) or await tables_state(database) is not TablesState.CURRENT:
            return []
        now = time.time()
        _, stored = await StoredApps(database, open_vault(settings), settings.all_plans()).load()
        return [each.at(now) for each in stored]
    finally:
        await database.close()
