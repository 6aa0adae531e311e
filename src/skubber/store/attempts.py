"""The log of attempts at webhook endpoints: of each the last ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.store import tables
from skubber.store.upsert import upsert

KEPT_ATTEMPTS = 200
"""So many of an endpoint's attempts are kept. Each has a slot, which the attempt after so many more takes over: the log
cannot grow, and nothing has to be looked for and deleted."""

_attempts = tables.webhook_attempts
_endpoints = tables.webhook_endpoints

_decode_names = msgspec.json.Decoder(list[str]).decode


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request to an endpoint, and how it went.

    Attributes:
        at: when, seconds since the epoch.
        delivered: whether the endpoint has taken it.
        outcome: how it went, a sentence.
        milliseconds: how long it took.
        event_count: how many events it held.
        events: their names, each once.
    """

    at: int
    delivered: bool
    outcome: str
    milliseconds: int
    event_count: int
    events: Sequence[str]


async def note_attempt(connection: AsyncConnection, endpoint_id: str, number: int, attempt: Attempt) -> None:
    """Write an attempt down.

    Args:
        connection: a transaction.
        endpoint_id: at what.
        number: its number among the endpoint's; ``webhook_endpoints`` counts them.
        attempt: the attempt.
    """
    values = {
        "number": number,
        "at": attempt.at,
        "delivered": attempt.delivered,
        "outcome": attempt.outcome,
        "milliseconds": attempt.milliseconds,
        "event_count": attempt.event_count,
        "events": msgspec.json.encode(attempt.events).decode(),
    }
    await connection.execute(
        upsert(connection, _attempts)
        .values(endpoint_id=endpoint_id, slot=number % KEPT_ATTEMPTS, **values)
        .on_conflict_do_update(index_elements=["endpoint_id", "slot"], set_=values)
    )


async def note_unqueued_attempt(connection: AsyncConnection, endpoint_id: str, attempt: Attempt) -> None:
    """Write down an attempt that nothing waited for: how delivery stands is not changed by it.

    Args:
        connection: a transaction.
        endpoint_id: at what.
        attempt: the attempt.
    """
    row = {"endpoint_id": endpoint_id, "failures": 0, "retry_at": 0, "attempts": 0}
    await connection.execute(upsert(connection, _endpoints).values(row).on_conflict_do_nothing())
    counted = await connection.execute(
        update(_endpoints)
        .where(_endpoints.c.endpoint_id == endpoint_id)
        .values(attempts=_endpoints.c.attempts + 1)
        .returning(_endpoints.c.attempts)
    )
    await note_attempt(connection, endpoint_id, counted.scalar_one(), attempt)


async def list_attempts(
    connection: AsyncConnection, endpoint_id: str, *, limit: int, before: int | None = None
) -> Sequence[tuple[int, Attempt]]:
    """Attempts with their numbers, the newest first, a page at a time.

    Args:
        connection: a transaction.
        endpoint_id: at what.
        limit: most of them.
        before: only those with smaller numbers.
    """
    statement = (
        select(_attempts).where(_attempts.c.endpoint_id == endpoint_id).order_by(_attempts.c.number.desc()).limit(limit)
    )
    if before is not None:
        statement = statement.where(_attempts.c.number < before)
    return [
        (
            row.number,
            Attempt(row.at, row.delivered, row.outcome, row.milliseconds, row.event_count, _decode_names(row.events)),
        )
        for row in await connection.execute(statement)
    ]


async def forget_attempts(connection: AsyncConnection, endpoint_id: str) -> None:
    """Drop the log of an endpoint that is gone."""
    await connection.execute(delete(_attempts).where(_attempts.c.endpoint_id == endpoint_id))
