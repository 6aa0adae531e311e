"""The books: what apps use, day by day, and when keys were last used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, bindparam, case, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.core.app import App
from skubber.core.meter import SECONDS_A_DAY, Meter
from skubber.store import tables
from skubber.store.apps import AppStore
from skubber.store.database import Database
from skubber.store.upsert import upsert

_COUNTED = ("published", "delivered", "delivered_bytes", "webhooks")


@dataclass(slots=True)
class _Booked:
    """What of an app's counters is in the books.

    Attributes:
        meter: the counters; of an app that was deleted and made anew there are others.
        counts: their values, in the order of ``_COUNTED``.
    """

    meter: Meter
    counts: tuple[int, ...] = (0,) * len(_COUNTED)


class UsageBooks:
    """Writes into the database what apps have used on this node since the last time, and reads what all nodes have.

    Args:
        database: the database.
        apps: the apps.
    """

    def __init__(self, database: Database, apps: AppStore) -> None:
        self._database = database
        self._apps = apps
        self._booked: dict[str, _Booked] = {}
        self._day: int | None = None

    async def write(self, now: float) -> None:
        """Write it all; call it every few seconds, one call at a time. When it fails the next one makes up for it.

        Args:
            now: seconds since the epoch; what has gathered counts for the day (in UTC) that this falls into.
        """
        day = int(now // SECONDS_A_DAY)
        apps = list(self._apps.all())
        if self._day not in {None, day}:
            for app in apps:
                app.meter.forget_peak()
        self._day = day
        counts = {app.id: _counts(app.meter) for app in apps}
        rows = [row for app in apps if (row := self._row(app, counts[app.id], day)) is not None]
        used_keys = dict(self._apps.used_keys)
        async with self._database.writing() as connection:
            if rows:
                await connection.execute(_adding(connection), rows)
            await _note_used(connection, used_keys)
            totals = await _messages(connection, day)
        self._booked = {app.id: _Booked(app.meter, counts[app.id]) for app in apps}
        for app in apps:
            published, delivered, *_ = counts[app.id]
            app.meter.book(day, totals.get(app.id, 0), published + delivered)
        for key, used_at in used_keys.items():
            if self._apps.used_keys.get(key) == used_at:
                del self._apps.used_keys[key]

    def _row(self, app: App, counts: tuple[int, ...], day: int) -> dict[str, Any] | None:
        """What is to be added to an app's row of a day; None when that is nothing."""
        booked = self._booked.get(app.id)
        before = booked.counts if booked is not None and booked.meter is app.meter else (0,) * len(_COUNTED)
        used = [now - then for now, then in zip(counts, before, strict=True)]
        if not any(used) and not app.meter.connections_peak:
            return None
        return {
            "app_id": app.id,
            "day": day,
            "connections_peak": app.meter.connections_peak,
            **dict(zip(_COUNTED, used, strict=True)),
        }


def _adding(connection: AsyncConnection) -> Executable:
    """What adds to the books: to an app's row of a day, if there is one."""
    usage = tables.usage
    insert = upsert(connection, usage)
    sums = {name: usage.c[name] + insert.excluded[name] for name in _COUNTED}
    peak, new_peak = usage.c.connections_peak, insert.excluded.connections_peak
    return insert.on_conflict_do_update(
        index_elements=["app_id", "day"],
        set_={**sums, "connections_peak": case((peak < new_peak, new_peak), else_=peak)},
    )


def _counts(meter: Meter) -> tuple[int, ...]:
    return tuple(getattr(meter, name) for name in _COUNTED)


async def _note_used(connection: AsyncConnection, used_keys: Mapping[str, float]) -> None:
    if not used_keys:
        return
    keys = tables.keys
    earlier = or_(keys.c.last_used_at.is_(None), keys.c.last_used_at < bindparam("used_at"))
    statement = (
        update(keys).where(keys.c.key == bindparam("used_key"), earlier).values(last_used_at=bindparam("used_at"))
    )
    await connection.execute(
        statement, [{"used_key": key, "used_at": int(used_at)} for key, used_at in used_keys.items()]
    )


async def _messages(connection: AsyncConnection, day: int) -> dict[str, int]:
    """What counts against the day's quota of each app, on all nodes."""
    usage = tables.usage
    rows = await connection.execute(
        select(usage.c.app_id, usage.c.published + usage.c.delivered).where(usage.c.day == day)
    )
    return {row[0]: row[1] for row in rows}
