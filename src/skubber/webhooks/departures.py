"""The grace period: who is back before long was never gone, as far as back ends are told.

That somebody is gone waits in the database, whichever server they were on: they may come back to any, and that one
finds it there and takes it away.

Source: Pusher Channels documentation, "Webhooks": channels vacated and members removed wait for up to three seconds.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import structlog
from sqlalchemy import ColumnElement, Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.core.broker import Broker
from skubber.core.errors import UnavailableError
from skubber.core.webhook import WebhookEvent, WebhookEventName
from skubber.store import tables
from skubber.store.apps import AppStore
from skubber.store.database import Database
from skubber.store.reason import reason
from skubber.webhooks.happening import Happening, happening
from skubber.webhooks.outbox import note_endpoints
from skubber.webhooks.pause import pause

GRACE_SECONDS = 3

LOOK_SECONDS = 0.5
"""How often the database is looked at for those that are due."""

_MOST_AT_A_TIME = 500

_departures = tables.webhook_departures

_decode = msgspec.json.Decoder(WebhookEvent).decode

_log = structlog.stdlib.get_logger("skubber.webhooks")


class Departures:
    """Tells of those that nobody has come back from.

    Args:
        database: where they wait.
        apps: the apps, and with them the endpoints.
        broker: knows who is there.
        clock: seconds since the epoch. Those of processes that share a database should agree.
    """

    def __init__(self, database: Database, apps: AppStore, broker: Broker, clock: Callable[[], float]) -> None:
        self._database = database
        self._apps = apps
        self._broker = broker
        self._clock = clock
        self._is_stopping = asyncio.Event()

    async def look(self, told: Callable[[Sequence[str]], None]) -> None:
        """Look again and again for what is due, until ``stop``.

        Args:
            told: is told the endpoints that have something new to be told.
        """
        is_failing = False
        while not self._is_stopping.is_set():
            try:
                told(await self.tell_due())
            except UnavailableError:
                pass  # the broker says so itself
            except Exception as error:  # asyncpg has some that SQLAlchemy does not wrap
                if not is_failing:
                    _log.error("cannot tell back ends who is gone", reason=reason(error))
                is_failing = True
            else:
                is_failing = False
            await pause(self._is_stopping, LOOK_SECONDS)

    def stop(self) -> None:
        """Have ``look`` come to an end."""
        self._is_stopping.set()

    async def tell_due(self) -> Sequence[str]:
        """Have back ends told of those that have been gone for ``GRACE_SECONDS``.

        Returns:
            The endpoints that have something new to be told.

        Raises:
            UnavailableError: the broker cannot say who is there; what is due waits.
        """
        now_ms = int(self._clock() * 1000)
        async with self._database.reading() as connection:
            due = await connection.execute(
                select(_departures)
                .where(_departures.c.due_ms <= now_ms)
                .order_by(_departures.c.id)
                .limit(_MOST_AT_A_TIME)
            )
            rows = due.all()
        back = await self._back(rows)
        # Their arrival is about to be written, and takes the departure away. Where it was written before, there is
        # nothing to wait for: the two have passed each other on the way.
        waiting = {row.id for row in rows if row.id in back and now_ms < row.due_ms + GRACE_SECONDS * 1000}
        return await self._tell([row for row in rows if row.id not in waiting], back)

    async def tell_all(self) -> Sequence[str]:
        """Have back ends told of all who are gone: this server was the only one, and nobody will be back here.

        Returns:
            The endpoints that have something new to be told.
        """
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(_departures).order_by(_departures.c.id))).all()
        return await self._tell(rows, set())

    async def _back(self, rows: Iterable[Row[Any]]) -> set[int]:
        """Those of whom it is not true any more, by their ids."""
        rosters: dict[tuple[str, str], set[str | None]] = {}
        back = set()
        for row in rows:
            event = _decode(row.body)
            if event.name is WebhookEventName.CHANNEL_VACATED:
                if (await self._broker.occupancy(row.app_id, event.channel)).subscriptions:
                    back.add(row.id)
                continue
            channel = (row.app_id, event.channel)
            if channel not in rosters:
                rosters[channel] = {member.user_id for member in await self._broker.members(*channel)}
            if event.user_id in rosters[channel]:
                back.add(row.id)
        return back

    async def _tell(self, rows: Sequence[Row[Any]], back: set[int]) -> Sequence[str]:
        if not rows:
            return ()
        async with self._database.writing() as connection:
            left = await _taken(connection, _departures.c.id, [row.id for row in rows])
            gone = [row for row in rows if row.id in left - back]
            told = [self._happening(row.app_id, row.time_ms, _decode(row.body)) for row in gone]
            return await write_rows(connection, told)

    def _happening(self, app_id: str, time_ms: int, event: WebhookEvent) -> Happening:
        app = self._apps.find(app_id)
        endpoints = () if app is None else tuple(each.id for each in app.webhooks if each.wants(event))
        return happening(app_id, time_ms, event, endpoints)


async def write(connection: AsyncConnection, happenings: Iterable[Happening]) -> Sequence[str]:
    """Write what happened, in order: departures to wait, the rest for its endpoints, as far as it is news.

    Returns:
        The endpoints that have something new to be told.
    """
    gone: dict[str, Happening] = {}
    told: list[Happening] = []
    for each in happenings:
        if each.place is None:
            told.append(each)
        elif each.is_departure:
            gone.pop(each.place, None)
            gone[each.place] = each
        elif gone.pop(each.place, None) is None:
            told.append(each)
    back = await _taken(connection, _departures.c.place, [each.place for each in told if each.place is not None])
    await _taken(connection, _departures.c.place, list(gone))
    if gone:
        await connection.execute(insert(_departures), [_row(place, each) for place, each in gone.items()])
    return await write_rows(connection, [each for each in told if each.place not in back])


async def write_rows(connection: AsyncConnection, happenings: Iterable[Happening]) -> Sequence[str]:
    """Write what is to be told for its endpoints, in order.

    Returns:
        The endpoints that have something new to be told.
    """
    rows = [row for each in happenings for row in each.rows()]
    endpoint_ids = sorted({row["endpoint_id"] for row in rows})
    if rows:
        await note_endpoints(connection, endpoint_ids)
        await connection.execute(insert(tables.webhook_events), rows)
    return endpoint_ids


def _row(place: str, departure: Happening) -> dict[str, Any]:
    return {
        "place": place,
        "app_id": departure.app_id,
        "time_ms": departure.time_ms,
        "due_ms": departure.time_ms + GRACE_SECONDS * 1000,
        "body": departure.body,
    }


async def _taken(connection: AsyncConnection, column: ColumnElement[Any], values: Sequence[Any]) -> set[Any]:
    """Take departures away, found by a column; returns the values that were there, and that nobody else has taken."""
    taken: set[Any] = set()
    for start in range(0, len(values), _MOST_AT_A_TIME):
        here = column.in_(values[start : start + _MOST_AT_A_TIME])
        # Locked in one order by all, lest two wait for each other.
        found = await connection.execute(select(column).where(here).order_by(_departures.c.id).with_for_update())
        taken.update(found.scalars())
        if taken:
            await connection.execute(delete(_departures).where(here))
    return taken
