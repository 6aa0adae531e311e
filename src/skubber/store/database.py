"""The database: SQLite or PostgreSQL, by way of SQLAlchemy.

Sources: SQLAlchemy 2 documentation, "Asynchronous I/O" and "SQLite: Serializable isolation / Savepoints / Transactional
DDL"; SQLite documentation, "Write-Ahead Logging".
"""

import os
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from skubber.settings import SettingsError
from skubber.store.reason import reason

_MIGRATIONS = Path(__file__).parent / "migrations"

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}

# Any number, as long as it is always the same: who holds this lock brings the tables up to date.
_MIGRATION_LOCK = 5187_0001

_BUSY_TIMEOUT_MS = 10_000


class Database:
    """A database.

    Args:
        url: the path of a SQLite file, or ``postgresql://user:password@host:port/name``.

    Raises:
        SettingsError: the URL cannot be understood, or the library for it is missing.
    """

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = self._engine()

    def _engine(self) -> AsyncEngine:
        if not self.is_sqlite:
            return self._postgresql_engine()
        engine = create_async_engine(self.url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine

    def _postgresql_engine(self) -> AsyncEngine:
        try:
            return create_async_engine(self.url, pool_pre_ping=True)
        except ModuleNotFoundError:
            raise SettingsError("PostgreSQL needs one library more: pip install 'skubber[postgresql]'.") from None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: all that is written in it is there in the end, or nothing when it is left by an error."""
        async with self.engine.connect() as connection:
            await connection.execution_options(skubber_is_writing=True)
            async with connection.begin():
                yield connection

    async def upgrade(self) -> None:
        """Make the tables, or bring them up to date. Of several servers that start together one does it.

        Raises:
            SettingsError: the database cannot be reached, or a newer version of this program made it.
        """
        try:
            if self.is_sqlite and self.url.database:
                _make_sqlite_file(Path(self.url.database))
            async with self.writing() as connection:
                if not self.is_sqlite:
                    await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
                await connection.run_sync(_upgrade)
        except (OSError, SQLAlchemyError, sqlite3.Error) as error:
            cause = getattr(error, "orig", None) or error  # without SQLAlchemy's words around it
            raise SettingsError(f"Cannot use the database {self.url.render_as_string()}: {reason(cause)}.") from None

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
    except ArgumentError:
        raise SettingsError("Setting `database` is a file, or looks like postgresql://user@host/name.") from None
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise SettingsError(f"Setting `database`: there is no {parsed.drivername}, only SQLite and postgresql://.")
    return parsed.set(drivername=driver)


def _make_sqlite_file(file: Path) -> None:
    """Make the file, if it is not there, so that nobody but its owner may read it."""
    if file.exists():
        return  # and is not to be opened: closing it would end the locks that SQLite has on it in this process
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        # SQLite does not wait for its turn to set this. So it is set before any other server sees the file.
        with closing(sqlite3.connect(new)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        with suppress(FileExistsError):
            os.link(new, file)  # of two servers that start together one wins, and both take its file
    finally:
        new.unlink(missing_ok=True)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that begins by reading cannot wait for its turn to write: it would fail at once.
    is_writing = connection.get_execution_options().get("skubber_is_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:  # it does not know the version of the tables, as far as it has come here
        raise SettingsError(
            "The database was made by a newer version of this program: start that one, or restore a backup."
        ) from error
