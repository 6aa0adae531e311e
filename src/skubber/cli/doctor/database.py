"""The database and its encryption key. Nothing is changed: not even the tables are brought up to date."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from skubber.cli.doctor.finding import Finding, failure, warning, well
from skubber.settings import Settings, SettingsError
from skubber.store.database import Database
from skubber.store.inspection import TablesState, has_key, is_there, tables_state, try_to_write, vault_check
from skubber.store.reason import reason
from skubber.store.vault import open_vault

_PATIENCE = 10
"""Seconds that a database has for its first answer."""

_WRITING_PATIENCE = 15
"""Seconds until it can be written to: more than those in which SQLite says itself that it is locked."""


async def check_database(settings: Settings) -> AsyncIterator[Finding]:
    """Look at the database that the settings name."""
    if not settings.database:
        yield well("database", "none: apps are those of the configuration, and there are no webhooks")
        return
    try:
        database = Database(settings.database)
    except SettingsError as error:
        yield failure("database", str(error).rstrip("."), "Mend the setting database, or install what it needs.")
        return
    try:
        async for finding in _check(database, settings):
            yield finding
    finally:
        await database.close()


async def _check(database: Database, settings: Settings) -> AsyncIterator[Finding]:
    if not is_there(database):
        yield _check_folder(Path(database.url.database or ""))
        return
    name = database.url.render_as_string()
    try:
        async with asyncio.timeout(_PATIENCE):
            state = await tables_state(database)
            encrypted = None if state is TablesState.MISSING else await vault_check(database)
    except (OSError, SQLAlchemyError) as error:  # TimeoutError is an OSError
        yield failure(
            "database",
            f"{name} cannot be read: {_cause(error)}",
            "See that it runs and can be reached from here, and that the setting database has the right name, user and "
            "password.",
        )
        return
    yield well("database", f"{name} can be reached")
    yield _tables_finding(state)
    if state is TablesState.MISSING:
        return
    try:
        async with asyncio.timeout(_WRITING_PATIENCE):
            await try_to_write(database)
    except (OSError, SQLAlchemyError) as error:
        yield failure(
            "database writable",
            _cause(error),
            "Let the server's user write to the file and its folder."
            if database.is_sqlite
            else "Let the setting database name the primary, and a user who may write.",
        )
    else:
        yield well("database writable", "it can be written to")
    yield _check_key(settings, encrypted)


def _check_folder(file: Path) -> Finding:
    folder = file.parent
    if folder.is_dir() and os.access(folder, os.W_OK):
        return well("database", f"{file} will be made")
    return failure(
        "database",
        f"{file} is not there and cannot be made",
        f"Make the folder {folder.absolute()}, or let the server's user write there; or set database to another file.",
    )


def _tables_finding(state: TablesState) -> Finding:
    match state:
        case TablesState.CURRENT:
            return well("database tables", "those of this version")
        case TablesState.MISSING:
            return well("database tables", "none yet: the server will make them")
        case TablesState.OLDER:
            return warning(
                "database tables",
                "made by an older version of this program",
                "Back up the database: this version brings its tables up to date when it starts, and older ones then "
                "refuse it.",
            )
        case TablesState.NEWER:
            return failure(
                "database tables",
                "made by a newer version of this program",
                "Start the newer version, or restore the backup that was made before it.",
            )


def _check_key(settings: Settings, encrypted: str | None) -> Finding:
    check = "encryption key"
    if not has_key(settings):
        if encrypted is None:
            return well(check, f"{settings.encryption_key_file} will be made")
        return failure(
            check,
            f"{settings.encryption_key_file} is not there, and the database is encrypted already",
            "Bring the file with its key back, or set encryption_key: without it the secrets in the database are lost.",
        )
    try:
        vault = open_vault(settings)
        if encrypted is not None:
            vault.decrypt(encrypted)
    except SettingsError as error:
        return failure(
            check,
            str(error).rstrip("."),
            "The server needs the key that the database was encrypted with, and nobody else may read it: see "
            "encryption_key and encryption_key_file.",
        )
    return well(check, "fits the database")


def _cause(error: Exception) -> str:
    """Why, without SQLAlchemy's words around it."""
    cause = getattr(error, "orig", None) or error
    return "no answer in time" if isinstance(cause, TimeoutError) else reason(cause)
