"""Making the tables, and telling what is wrong with a database."""

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError

from skubber.settings import Settings, SettingsError
from skubber.store import tables
from skubber.store.database import Database
from skubber.store.open import open_database
from skubber.store.vault import Vault, WrongKeyError, new_encryption_key

Store = tuple[Database, Vault]


async def test_the_migrations_make_the_tables_that_the_program_has(store: Store) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, tables.metadata))

    database, _ = store
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_servers_that_start_together_make_one_set_of_tables_and_one_key(
    empty_database_url: str, tmp_path: Path
) -> None:
    settings = Settings(database=empty_database_url, encryption_key_file=str(tmp_path / "key"))
    opened = await asyncio.gather(*(open_database(settings) for _ in range(5)))
    encrypted = opened[0][1].encrypt("secret")
    assert [vault.decrypt(encrypted) for _, vault in opened] == ["secret"] * 5
    for database, _ in opened:
        await database.close()


async def test_a_transaction_is_there_whole_or_not_at_all(store: Store) -> None:
    database, _ = store
    plan = insert(tables.plans)
    async with database.writing() as connection:
        await connection.execute(plan.values(name="kept", limits="{}"))

    async def fail() -> None:
        async with database.writing() as connection:
            for _ in range(2):
                await connection.execute(plan.values(name="lost", limits="{}"))

    with pytest.raises(IntegrityError):
        await fail()
    async with database.reading() as connection:
        assert (await connection.execute(select(tables.plans.c.name))).scalars().all() == ["kept"]


async def test_writers_take_turns(store: Store) -> None:
    database, _ = store

    async def write(number: int) -> None:
        async with database.writing() as connection:
            await connection.execute(select(tables.plans))
            await connection.execute(insert(tables.plans).values(name=str(number), limits="{}"))

    await asyncio.gather(*(write(number) for number in range(20)))
    async with database.reading() as connection:
        assert len((await connection.execute(select(tables.plans))).all()) == 20


async def test_a_database_of_a_newer_version_is_left_alone(store: Store) -> None:
    async def mark(version: str) -> str:
        async with database.writing() as connection:
            before: str = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one()
            await connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        return before

    database, _ = store
    own = await mark("9999")
    with pytest.raises(SettingsError, match="newer version of this program"):
        await database.upgrade()
    await mark(own)  # the tables are used again


async def test_another_key_is_noticed_at_once(store: Store, store_settings: Settings) -> None:
    other = Settings(database=store_settings.database, encryption_key=new_encryption_key())
    with pytest.raises(WrongKeyError, match="encrypted with another key"):
        await open_database(other)


async def test_only_its_owner_may_read_a_sqlite_file_and_the_key(tmp_path: Path) -> None:
    settings = Settings(database=str(tmp_path / "new.db"), encryption_key_file=str(tmp_path / "new.key"))
    database, _ = await open_database(settings)
    await database.close()
    for name in ("new.db", "new.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert set(os.listdir(tmp_path)) == {"new.db", "new.key"}  # noqa: PTH208 - pathlib is not for async functions


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://user@host/name", "there is no mysql"),
        ("postgresql://127.0.0.1:1/name", "Cannot use the database"),
        ("/nowhere/at/all/skubber.db", "Cannot use the database"),
        ("://", "looks like postgresql://"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as error:
        await open_database(Settings(database=url, encryption_key_file=str(tmp_path / "key")))
    assert str(error.value).endswith(".")


async def test_a_password_is_not_repeated(tmp_path: Path) -> None:
    url = "postgresql://user:hunter2@127.0.0.1:1/name"
    with pytest.raises(SettingsError) as error:
        await open_database(Settings(database=url, encryption_key_file=str(tmp_path / "key")))
    assert "hunter2" not in str(error.value)


def test_where_the_library_for_postgresql_is_missing_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(SettingsError, match=r"skubber\[postgresql\]"):
        Database("postgresql://skubber@127.0.0.1/skubber")
