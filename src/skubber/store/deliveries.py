"""How webhooks fare: what waits for an endpoint, and the dead letters, which could not be delivered."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.store import tables
from skubber.store.attempts import forget_attempts

_events = tables.webhook_events
_endpoints = tables.webhook_endpoints


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up.

    Attributes:
        id: what it is replayed or deleted by.
        app_id: its app.
        event: its JSON.
        time_ms: when it happened, or was replayed last, milliseconds since the epoch.
        dead_at: when it was given up, seconds since the epoch.
        attempts: how often it was sent.
        error: how the last attempt went.
    """

    id: int
    app_id: str
    event: str
    time_ms: int
    dead_at: int
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """How delivery to an endpoint stands.

    Attributes:
        waiting: events that wait.
        dead: dead letters.
        failures: attempts that failed since one succeeded.
        retry_at: not before then it is tried again, seconds since the epoch; 0: at once.
        last_attempt_at: when it was tried last, likewise.
        last_outcome: how that went.
    """

    waiting: int
    dead: int
    failures: int
    retry_at: int
    last_attempt_at: int | None
    last_outcome: str | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """All endpoints together.

    Attributes:
        waiting: events that wait.
        dead: dead letters.
        oldest_ms: when the oldest of those that wait happened, milliseconds since the epoch; None: nothing waits.
    """

    waiting: int
    dead: int
    oldest_ms: int | None


async def backlog(connection: AsyncConnection) -> Backlog:
    """What waits for all endpoints together."""
    waiting = _events.c.dead_at.is_(None)
    found = await connection.execute(
        select(
            func.count().filter(waiting),
            func.count(_events.c.dead_at),
            func.min(_events.c.time_ms).filter(waiting),
        )
    )
    return Backlog(*found.one())


async def endpoint_status(connection: AsyncConnection, endpoint_id: str) -> EndpointStatus:
    """How delivery to an endpoint stands; also of one that nothing was ever sent to."""
    counted = await connection.execute(
        select(func.count(), func.count(_events.c.dead_at)).where(_events.c.endpoint_id == endpoint_id)
    )
    total, dead = counted.one()
    found = await connection.execute(select(_endpoints).where(_endpoints.c.endpoint_id == endpoint_id))
    state = found.one_or_none()
    if state is None:
        return EndpointStatus(total - dead, dead, 0, 0, None, None)
    return EndpointStatus(total - dead, dead, state.failures, state.retry_at, state.last_attempt_at, state.last_outcome)


async def list_dead_letters(
    connection: AsyncConnection, endpoint_id: str, *, after: int = 0, limit: int = 100
) -> Sequence[DeadLetter]:
    """Dead letters, oldest first, a page at a time.

    Args:
        connection: a transaction.
        endpoint_id: whose.
        after: the id of the last one of the page before.
        limit: most of them.
    """
    found = await connection.execute(
        select(_events).where(_are_dead(endpoint_id), _events.c.id > after).order_by(_events.c.id).limit(limit)
    )
    return [
        DeadLetter(row.id, row.app_id, row.body, row.time_ms, row.dead_at, row.attempts, row.error) for row in found
    ]


async def replay_dead_letters(
    connection: AsyncConnection, endpoint_id: str, now: float, ids: Sequence[int] | None = None
) -> int:
    """Have dead letters delivered again, at once and in the order in which they happened.

    Args:
        connection: a transaction.
        endpoint_id: whose.
        now: seconds since the epoch; the period in which they are tried again begins here.
        ids: which; None: all. Those that are no dead letters of the endpoint do not count.

    Returns:
        How many there are.
    """
    # First the endpoint, as those who deliver do: two that wait for each other would wait in vain.
    await connection.execute(
        update(_endpoints).where(_endpoints.c.endpoint_id == endpoint_id).values(failures=0, retry_at=0)
    )
    replayed = await connection.execute(
        update(_events)
        .where(_are_dead(endpoint_id, ids))
        .values(dead_at=None, error=None, attempts=0, time_ms=int(now * 1000))
    )
    return replayed.rowcount


async def delete_dead_letters(connection: AsyncConnection, endpoint_id: str, ids: Sequence[int] | None = None) -> int:
    """Delete dead letters.

    Args:
        connection: a transaction.
        endpoint_id: whose.
        ids: which; None: all. Those that are no dead letters of the endpoint do not count.

    Returns:
        How many there were.
    """
    deleted = await connection.execute(delete(_events).where(_are_dead(endpoint_id, ids)))
    return deleted.rowcount


async def forget_endpoint(connection: AsyncConnection, endpoint_id: str) -> None:
    """Drop everything about an endpoint that is gone: what waits for it, its dead letters, how it stands, the log."""
    await forget_attempts(connection, endpoint_id)
    await connection.execute(delete(_endpoints).where(_endpoints.c.endpoint_id == endpoint_id))
    await connection.execute(delete(_events).where(_events.c.endpoint_id == endpoint_id))


def _are_dead(endpoint_id: str, ids: Sequence[int] | None = None) -> ColumnElement[bool]:
    dead = and_(_events.c.endpoint_id == endpoint_id, _events.c.dead_at.is_not(None))
    return dead if ids is None else and_(dead, _events.c.id.in_(ids))
