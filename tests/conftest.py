"""What every test may use."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from skubber.settings import Settings
from skubber.store import tables
from skubber.store.database import Database
from skubber.store.open import open_database
from skubber.store.vault import Vault
from support.office import Office
from support.postgresql import PostgreSQL, find_programs
from support.redis import RedisServer
from support.redis_cluster import RedisCluster

# The same examples in every run: a failure is somebody's change, not chance.
settings.register_profile("skubber", derandomize=True, deadline=None)
settings.load_profile("skubber")


def require(component: str, *commands: str) -> None:
    """Skip the test when a command it needs is missing; on CI, fail."""
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        go_without(component, ", ".join(missing))


def go_without(component: str, missing: str) -> NoReturn:
    """Skip the test for want of something; on CI, fail."""
    message = f"{component} needs {missing}, which this machine lacks"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def node() -> None:
    """Node.js with the packages of ``tests/clients``."""
    require("A JavaScript client", "node", "npm")


@pytest.fixture(scope="session")
def chromium(node: None) -> str:
    """The path of a Chromium."""
    require("A browser test", "chromium")
    path = shutil.which("chromium")
    assert path is not None
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server."""
    programs = find_programs()
    if programs is None:
        require("A test with PostgreSQL", "initdb")
        raise AssertionError
    server = PostgreSQL(programs)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared_redis_server() -> Iterator[RedisServer]:
    require("A test with Redis", "redis-server")
    server = RedisServer()
    yield server
    server.kill()


@pytest.fixture
def redis_server(shared_redis_server: RedisServer) -> RedisServer:
    """A Redis server that knows nothing."""
    shared_redis_server.empty()
    return shared_redis_server


@pytest.fixture(scope="session")
def shared_redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    require("A test with a cluster", "redis-server")
    cluster = RedisCluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.kill()


@pytest.fixture
def redis_cluster(shared_redis_cluster: RedisCluster) -> RedisCluster:
    """A cluster that knows nothing."""
    shared_redis_cluster.empty()
    return shared_redis_cluster


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and nothing in them."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    asyncio.run(_make_tables(str(file)))
    return file


@pytest.fixture(scope="session")
def postgresql_tables(postgresql: PostgreSQL) -> str:
    """A database with all tables, one for all tests."""
    url = postgresql.new_database()
    asyncio.run(_make_tables(url))
    return url


async def _make_tables(url: str) -> None:
    database = Database(url)
    await database.upgrade()
    await database.close()


async def _empty_tables(url: str) -> None:
    names = ", ".join(table.name for table in tables.metadata.sorted_tables)
    database = Database(url)
    try:
        async with database.writing() as connection:
            await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
            await connection.execute(tables.facts.insert().values(name="revision", value="0"))
    except ProgrammingError:  # a test has taken a table away, to see what comes of it
        async with database.writing() as connection:
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
        await database.upgrade()
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, of each kind in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "empty.db")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with tables and nothing in them, of each kind in turn. It is not made anew: that takes its time."""
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "skubber.db")
        return str(tmp_path / "skubber.db")
    url: str = request.getfixturevalue("postgresql_tables")
    asyncio.run(_empty_tables(url))
    return url


@pytest.fixture
def store_settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings that name the database."""
    return Settings(database=database_url, encryption_key_file=str(tmp_path / "skubber.key"))


@pytest.fixture
async def store(store_settings: Settings) -> AsyncIterator[tuple[Database, Vault]]:
    """The database with its tables, and what its secrets are encrypted with."""
    database, vault = await open_database(store_settings)
    yield database, vault
    await database.close()


@pytest.fixture
def office(store: tuple[Database, Vault]) -> Office:
    """The administration of an empty database."""
    return Office(*store)
