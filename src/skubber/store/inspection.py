"""Looking at a database without changing anything in it."""

import asyncio
from enum import Enum, auto
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select, update

from skubber.settings import Settings
from skubber.store import migrations, tables
from skubber.store.database import Database


class TablesState(Enum):
    """How a database's tables are to this version of the program."""

    MISSING = auto()
    OLDER = auto()
    CURRENT = auto()
    NEWER = auto()


def is_there(database: Database) -> bool:
    """Whether there is anything to look at: a SQLite file is made by the first who opens it."""
    return not database.is_sqlite or Path(database.url.database or "").exists()


def has_key(settings: Settings) -> bool:
    """Whether there is an encryption key already: ``open_vault`` would make one."""
    return bool(settings.encryption_key) or Path(settings.encryption_key_file).exists()


async def tables_state(database: Database) -> TablesState:
    """How the tables are.

    Raises:
        OSError, SQLAlchemyError: the database cannot be reached, or read.
    """
    async with database.reading() as connection:
        revision = await connection.run_sync(_revision)
    if revision is None:
        return TablesState.MISSING
    scripts = await asyncio.to_thread(_scripts)
    if revision == scripts.get_current_head():
        return TablesState.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    return TablesState.OLDER if revision in known else TablesState.NEWER


async def try_to_write(database: Database) -> None:
    """Write something, and take it back.

    Raises:
        OSError, SQLAlchemyError: it cannot be written to.
    """
    facts = tables.facts
    async with database.engine.connect() as connection:
        await connection.execution_options(skubber_is_writing=True)
        await connection.execute(update(facts).where(facts.c.name == "revision").values(value=facts.c.value))
        await connection.rollback()


async def vault_check(database: Database) -> str | None:
    """Something that is encrypted with the database's key; None while nothing is.

    Raises:
        OSError, SQLAlchemyError: the database cannot be read.
    """
    facts = tables.facts
    async with database.reading() as connection:
        return (await connection.execute(select(facts.c.value).where(facts.c.name == "vault"))).scalar_one_or_none()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return ScriptDirectory.from_config(config)
