"""The tables of the history: what is written of each second, and what is kept of each hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.store import tables
from skubber.store.upsert import upsert

HOUR = 3600
"""Seconds."""

_seconds = tables.history_seconds
_hours = tables.history_hours


@dataclass(frozen=True, slots=True)
class StoredMinute:
    """A minute of an app on a node.

    Attributes:
        minute: when it begins, seconds since the epoch.
        node: the node.
        samples: what was written of it.
    """

    minute: int
    node: str
    samples: bytes


async def write_minutes(connection: AsyncConnection, node: str, minutes: Mapping[int, Mapping[str, bytes]]) -> None:
    """Write a node's minutes, in place of what there was of them.

    Args:
        connection: a transaction.
        node: the node, by a name that no other process has had.
        minutes: by when they begin, and by app.
    """
    rows = [
        {"app_id": app_id, "minute": minute, "node": node, "samples": samples}
        for minute, apps in minutes.items()
        for app_id, samples in apps.items()
    ]
    if not rows:
        return
    insert = upsert(connection, _seconds)
    await connection.execute(
        insert.on_conflict_do_update(
            index_elements=["app_id", "minute", "node"], set_={"samples": insert.excluded.samples}
        ),
        rows,
    )


async def read_minutes(
    connection: AsyncConnection, app_id: str, since: int, until: int | None = None
) -> Sequence[StoredMinute]:
    """An app's minutes of all nodes that begin in a time, its end left out."""
    statement = select(_seconds.c.minute, _seconds.c.node, _seconds.c.samples).where(
        _seconds.c.app_id == app_id, _seconds.c.minute >= since
    )
    if until is not None:
        statement = statement.where(_seconds.c.minute < until)
    return [StoredMinute(row.minute, row.node, row.samples) for row in await connection.execute(statement)]


async def unkept_hours(connection: AsyncConnection, until: int) -> Sequence[tuple[int, str]]:
    """The hours before a time of which there are minutes and which are not kept yet, with the apps they are of."""
    hour = (_seconds.c.minute - _seconds.c.minute % HOUR).label("hour")
    kept = exists().where(_hours.c.app_id == _seconds.c.app_id, _hours.c.hour == hour)
    found = await connection.execute(
        select(hour, _seconds.c.app_id).where(_seconds.c.minute < until, ~kept).distinct().order_by(hour)
    )
    return [(row.hour, row.app_id) for row in found]


async def keep_hours(connection: AsyncConnection, hours: Sequence[tuple[int, str, bytes]]) -> None:
    """Keep hours, with their apps and what there is to keep; what another node has kept stays."""
    if not hours:
        return
    rows = [{"hour": hour, "app_id": app_id, "sample": sample} for hour, app_id, sample in hours]
    await connection.execute(upsert(connection, _hours).on_conflict_do_nothing(), rows)


async def read_hours(connection: AsyncConnection, app_id: str, since: int) -> Mapping[int, bytes]:
    """An app's hours that are kept, from a time on, by when they begin."""
    found = await connection.execute(
        select(_hours.c.hour, _hours.c.sample).where(_hours.c.app_id == app_id, _hours.c.hour >= since)
    )
    return {row.hour: row.sample for row in found}


async def forget_history(connection: AsyncConnection, *, minutes_before: int, hours_before: int) -> None:
    """Delete what begins before certain times."""
    await connection.execute(delete(_seconds).where(_seconds.c.minute < minutes_before))
    await connection.execute(delete(_hours).where(_hours.c.hour < hours_before))
