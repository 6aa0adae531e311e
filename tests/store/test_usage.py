"""The books: what apps use, day by day, on all nodes together."""

from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from skubber.core.app import ApiKey, App
from skubber.core.limits import Limits
from skubber.core.meter import SECONDS_A_DAY
from skubber.store import tables
from skubber.store.apps import AppRegistry
from skubber.store.database import Database
from skubber.store.usage import UsageBooks
from skubber.store.vault import Vault

DAY = 20_000
NOON = (DAY + 0.5) * SECONDS_A_DAY
LIMITS = Limits(messages_per_day=1000)


class Office:
    """One node's books of an app."""

    def __init__(self, database: Database) -> None:
        self.app = App.with_keys("a", [ApiKey("k", "s")], limits=LIMITS)
        self.apps = AppRegistry([self.app])
        self.books = UsageBooks(database, self.apps)
        self._database = database

    async def rows(self) -> list[dict[str, Any]]:
        """Everything in the books, by day."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(tables.usage).order_by(tables.usage.c.day))
            return [dict(row) for row in rows.mappings()]


@pytest.fixture
def office(store: tuple[Database, Vault]) -> Office:
    """Books with nothing in them."""
    return Office(store[0])


def row(day: int = DAY, peak: int = 0, **counts: int) -> dict[str, Any]:
    """A row of the books."""
    nothing = {"published": 0, "delivered": 0, "delivered_bytes": 0, "webhooks": 0}
    return {"app_id": "a", "day": day, "connections_peak": peak, **nothing, **counts}


async def test_an_app_that_used_nothing_has_no_row(office: Office) -> None:
    await office.books.write(NOON)
    assert await office.rows() == []


async def test_what_was_used_is_added_up_over_the_day(office: Office) -> None:
    meter = office.app.meter
    for _ in range(3):
        meter.published += 1
        meter.delivered += 10
        meter.delivered_bytes += 100
        meter.webhooks += 2
        await office.books.write(NOON)
    await office.books.write(NOON)
    assert await office.rows() == [row(published=3, delivered=30, delivered_bytes=300, webhooks=6)]


async def test_each_day_has_a_row_of_its_own(office: Office) -> None:
    office.app.meter.published += 1
    await office.books.write(NOON)
    office.app.meter.published += 2
    await office.books.write(NOON + SECONDS_A_DAY)
    assert await office.rows() == [row(published=1), row(DAY + 1, published=2)]


async def test_the_peak_of_a_day_is_that_of_the_node_with_the_most_connections(office: Office) -> None:
    other = Office(office._database)
    for _ in range(3):
        office.app.meter.connected()
    office.app.meter.disconnected()
    other.app.meter.connected()
    for books in (office.books, other.books, office.books):
        await books.write(NOON)
    assert await office.rows() == [row(peak=3)]
    await office.books.write(NOON + SECONDS_A_DAY)
    assert await office.rows() == [row(peak=3), row(DAY + 1, peak=2)]


async def test_the_quota_is_held_against_what_all_nodes_have_used(office: Office) -> None:
    other = Office(office._database)
    office.app.meter.take_messages(400, LIMITS, NOON)
    other.app.meter.take_messages(300, LIMITS, NOON)
    await office.books.write(NOON)
    await other.books.write(NOON)
    assert other.app.meter.messages_today(NOON) == 700
    assert office.app.meter.messages_today(NOON) == 400
    office.app.meter.delivered += 5
    await office.books.write(NOON)
    assert office.app.meter.messages_today(NOON) == 705


async def test_a_node_that_starts_anew_knows_what_was_used_before(office: Office) -> None:
    office.app.meter.take_messages(400, LIMITS, NOON)
    await office.books.write(NOON)
    anew = Office(office._database)
    await anew.books.write(NOON)
    assert anew.app.meter.messages_today(NOON) == 400


async def test_what_could_not_be_written_is_written_the_next_time(office: Office) -> None:
    office.app.meter.published += 5
    office.apps.used_keys["k"] = NOON
    await rename(office, "usage", "elsewhere")
    with pytest.raises(SQLAlchemyError):
        await office.books.write(NOON)
    await rename(office, "elsewhere", "usage")
    assert office.apps.used_keys == {"k": NOON}
    office.app.meter.published += 1
    await office.books.write(NOON)
    assert await office.rows() == [row(published=6)]


async def rename(office: Office, table: str, name: str) -> None:
    async with office._database.writing() as connection:
        await connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


async def test_an_app_that_was_made_anew_starts_from_nothing(office: Office) -> None:
    office.app.meter.published += 5
    await office.books.write(NOON)
    anew = App.with_keys("a", [ApiKey("k", "s")])
    office.apps._by_id["a"] = anew
    anew.meter.published += 2
    await office.books.write(NOON)
    assert await office.rows() == [row(published=7)]


class TestKeys:
    async def last_used(self, office: Office) -> list[int | None]:
        async with office._database.reading() as connection:
            return list((await connection.execute(select(tables.keys.c.last_used_at))).scalars())

    async def test_when_one_was_last_used_is_noted_once(self, office: Office, store: tuple[Database, Vault]) -> None:
        async with office._database.writing() as connection:
            await connection.execute(insert(tables.apps).values(**stored_app()))
            await connection.execute(insert(tables.keys).values(**stored_key()))
        assert await self.last_used(office) == [None]
        office.apps.used_keys |= {"k": NOON + 0.7, "configured": NOON}
        await office.books.write(NOON)
        assert await self.last_used(office) == [int(NOON)]
        assert office.apps.used_keys == {}
        office.apps.used_keys["k"] = NOON - 100  # another node's is later
        await office.books.write(NOON)
        assert await self.last_used(office) == [int(NOON)]


def stored_app() -> dict[str, Any]:
    options = ("client_events", "enabled", "subscription_counts", "requires_sign_in", "tls_only")
    return {"id": "stored", "plan": "unlimited", "limits": "{}", "created_at": 1, **dict.fromkeys(options, True)}


def stored_key() -> dict[str, Any]:
    return {"key": "k", "app_id": "stored", "name": "", "secret": "s", "scopes": "[]", "created_at": 1}
