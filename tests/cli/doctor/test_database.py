"""Databases that a server could not use, of both kinds, and the key that they are encrypted with."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from skubber.cli.doctor.database import check_database
from skubber.cli.doctor.finding import Finding, Status
from skubber.settings import Settings
from skubber.store.database import Database
from skubber.store.open import open_database
from skubber.store.vault import new_encryption_key
from support.postgresql import PostgreSQL


async def findings(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding async for finding in check_database(settings)}


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def key_file(settings: Settings) -> Path:
    return Path(settings.encryption_key_file)


async def run_sql(settings: Settings, *statements: str) -> None:
    database = Database(settings.database)
    async with database.writing() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await database.close()


@pytest.fixture
async def used(empty_database_url: str, tmp_path: Path) -> Settings:
    """Settings of a database that a server has used: one of the test's own, which may spoil it."""
    settings = Settings(database=empty_database_url, encryption_key_file=str(tmp_path / "skubber.key"))
    database, _ = await open_database(settings)
    await database.close()
    return settings


async def test_a_database_in_use_is_well(used: Settings) -> None:
    found = await findings(used)
    assert set(found) == {"database", "database tables", "database writable", "encryption key"}
    assert {finding.status for finding in found.values()} == {Status.OK}


async def test_no_database_is_well_too() -> None:
    assert (await findings(Settings(database="")))["database"].status is Status.OK


async def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    settings = Settings(database=str(tmp_path / "new.db"), encryption_key_file=str(tmp_path / "new.key"))
    assert (await findings(settings))["database"].status is Status.OK
    assert names_in(tmp_path) == []


async def test_an_empty_database_is_left_empty(empty_database_url: str, tmp_path: Path) -> None:
    if "://" not in empty_database_url:
        with closing(sqlite3.connect(empty_database_url)) as connection:
            connection.execute("PRAGMA user_version = 1")
    settings = Settings(database=empty_database_url, encryption_key_file=str(tmp_path / "new.key"))
    for _ in "12":
        assert (await findings(settings))["database tables"].message == "none yet: the server will make them"


async def test_a_folder_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    finding = (await findings(Settings(database=str(tmp_path / "none" / "skubber.db"))))["database"]
    assert finding.status is Status.FAILED
    assert str(tmp_path / "none") in finding.advice


@pytest.mark.parametrize("url", ["mysql://host/name", "postgresql://user:hunter2@127.0.0.1:1/name"])
async def test_a_database_that_cannot_be_reached_is_a_failure_without_its_password(url: str) -> None:
    (finding,) = (await findings(Settings(database=url))).values()
    assert finding.status is Status.FAILED
    assert "hunter2" not in str(finding)


async def test_a_file_that_is_no_database_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "skubber.db").write_text("This is no database. " * 100)
    (finding,) = (await findings(Settings(database=str(tmp_path / "skubber.db")))).values()
    assert (finding.check, finding.status) == ("database", Status.FAILED)


async def test_older_tables_are_worth_a_warning_and_stay(used: Settings) -> None:
    await run_sql(used, "UPDATE alembic_version SET version_num = '0001'")
    for _ in "12":
        assert (await findings(used))["database tables"].status is Status.WARNING


async def test_newer_tables_are_a_failure(used: Settings) -> None:
    await run_sql(used, "UPDATE alembic_version SET version_num = 'of tomorrow'")
    finding = (await findings(used))["database tables"]
    assert finding.status is Status.FAILED
    assert "newer version" in finding.advice


async def test_a_database_that_is_read_only_is_a_failure(postgresql: PostgreSQL, tmp_path: Path) -> None:
    settings = Settings(database=postgresql.new_database(), encryption_key_file=str(tmp_path / "skubber.key"))
    database, _ = await open_database(settings)
    name = database.url.database
    await database.close()
    await run_sql(settings, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    found = await findings(settings)
    assert found["database"].status is Status.OK
    assert found["database writable"].status is Status.FAILED
    assert "read-only" in found["database writable"].message


async def test_a_file_that_somebody_keeps_locked_is_a_failure(sqlite_template: Path, tmp_path: Path) -> None:
    file = shutil.copyfile(sqlite_template, tmp_path / "skubber.db")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        found = await findings(Settings(database=str(file), encryption_key_file=str(tmp_path / "k")))
    assert found["database writable"].status is Status.FAILED
    assert "locked" in found["database writable"].message


async def test_tables_that_are_gone_are_a_failure(used: Settings) -> None:
    await run_sql(used, "DROP TABLE facts")
    (finding,) = (await findings(used)).values()
    assert (finding.check, finding.status) == ("database", Status.FAILED)
    assert "facts" in finding.message


async def test_a_lost_encryption_key_is_a_failure_and_no_other_is_made(used: Settings) -> None:
    key_file(used).unlink()
    finding = (await findings(used))["encryption key"]
    assert finding.status is Status.FAILED
    assert "skubber.key" not in names_in(key_file(used).parent)


async def test_another_encryption_key_is_a_failure(used: Settings) -> None:
    key = new_encryption_key()
    finding = (await findings(msgspec.structs.replace(used, encryption_key=key)))["encryption key"]
    assert finding.status is Status.FAILED
    assert "encrypted with another key" in finding.message
    assert key not in str(finding)


async def test_a_key_file_that_others_may_read_is_a_failure(used: Settings) -> None:
    key_file(used).chmod(0o644)
    finding = (await findings(used))["encryption key"]
    assert finding.status is Status.FAILED
    assert "chmod 600" in finding.message
