"""What every test may use."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from skubber.settings import Settings
from skubber.store.database import Database
from skubber.store.open import open_database
from skubber.store.vault import Vault
from support.office import Office
from support.postgresql import PostgreSQL, find_programs

# The same examples in every run: a failure is somebody's change, not chance.
settings.register_profile("skubber", derandomize=True, deadline=None)
settings.load_profile("skubber")


def require(component: str, *commands: str) -> None:
    """Skip the test when a command it needs is missing; on CI, fail."""
    missing = [command for command in commands if shutil.which(command) is None]
    if not missing:
        return
    message = f"{component} needs {', '.join(missing)}, which this machine lacks"
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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        return str(tmp_path / "skubber.db")
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.new_database()


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
