"""The waiting events in the database, as one who delivers them sees them.

Several processes may share a database. One of them at a time has the lease of an endpoint, so that its events stay in
order; a lease that is not extended ends by itself, so that a process that was killed holds nothing up for long.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil

import msgspec
from sqlalchemy import ColumnElement, Update, and_, delete, exists, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from skubber.store import tables
from skubber.store.attempts import Attempt, note_attempt
from skubber.store.database import Database
from skubber.store.upsert import upsert

MAX_BACKOFF_SECONDS = 60
"""Most seconds between two attempts at an endpoint."""

MIN_ATTEMPTS = 3
"""An event is attempted so often at least: after an outage of both sides everything is old, and ours is up first."""

HOPELESS_FAILURES = 20
"""After so many failures in a row all that is too old is given up, not only what was just attempted.

By then the fault is the endpoint's, not the event's, and its queue must not grow without end.
"""

DEAD_LETTER_SECONDS = 30 * 86_400
"""How long dead letters are kept."""

BATCH_EVENTS = 100
"""Most events in a request."""

_events = tables.webhook_events
_endpoints = tables.webhook_endpoints


_random = random.SystemRandom()


class _Named(msgspec.Struct):
    """What of an event's JSON is of interest here."""

    name: str


_decode_named = msgspec.json.Decoder(_Named).decode


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """An event that waits for an endpoint.

    Attributes:
        id: its row.
        app_id: its app.
        body: its JSON.
    """

    id: int
    app_id: str
    body: str


class Outbox:
    """Leases endpoints with their waiting events, and notes how their delivery went.

    Args:
        database: the database.
        holder: who takes the leases: a name that no other process has.
        lease_seconds: how long a lease is; longer than a request can take.
        retry_period: seconds after which an event that fails becomes a dead letter.
        clock: seconds since the epoch. Those of processes that share a database should agree.
    """

    def __init__(
        self, database: Database, holder: str, lease_seconds: int, retry_period: int, clock: Callable[[], float]
    ) -> None:
        self._database = database
        self._holder = holder
        self._lease_seconds = lease_seconds
        self._retry_period = retry_period
        self._clock = clock

    async def due(self, limit: int) -> Sequence[str]:
        """The endpoints that nobody holds and that have something waiting, those that are due the longest first."""
        waiting = exists().where(_events.c.endpoint_id == _endpoints.c.endpoint_id, _events.c.dead_at.is_(None))
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(_endpoints.c.endpoint_id)
                .where(self._is_free(), waiting)
                .order_by(_endpoints.c.retry_at)
                .limit(limit)
            )
            return found.scalars().all()

    async def lease(self, endpoint_id: str) -> Sequence[WaitingEvent]:
        """Take the lease of an endpoint, if it is due and nobody has it.

        Returns:
            What waits for it, oldest first; nothing: there is no lease.
        """
        async with self._database.writing() as connection:
            leased = await connection.execute(
                update(_endpoints)
                .where(_endpoints.c.endpoint_id == endpoint_id, self._is_free())
                .values(holder=self._holder, held_until=self._lease_end())
            )
            if not leased.rowcount:
                return ()
            return await self._next(connection, endpoint_id)

    async def delivered(
        self,
        endpoint_id: str,
        events: Sequence[WaitingEvent],
        outcome: str,
        limit: int = BATCH_EVENTS,
        milliseconds: int = 0,
    ) -> Sequence[WaitingEvent]:
        """Note that a leased endpoint has taken events, in so many milliseconds.

        Returns:
            What waits for it next, at most ``limit``; nothing: the lease is over.
        """
        async with self._database.writing() as connection:
            noted = await connection.execute(
                self._count_attempt(endpoint_id).values(
                    held_until=self._lease_end(),
                    failures=0,
                    retry_at=0,
                    last_attempt_at=int(self._clock()),
                    last_outcome=outcome,
                )
            )
            number = noted.scalar_one_or_none()
            if number is None:
                return ()
            attempt = self._attempt(events, outcome, milliseconds, is_delivered=True)
            await note_attempt(connection, endpoint_id, number, attempt)
            await connection.execute(delete(_events).where(_events.c.id.in_([event.id for event in events])))
            return await self._next(connection, endpoint_id, limit)

    async def failed(self, endpoint_id: str, events: Sequence[WaitingEvent], error: str, milliseconds: int = 0) -> int:
        """Note that a leased endpoint has not taken events in so many milliseconds, and end the lease.

        Returns:
            When it is to be tried again, seconds since the epoch.
        """
        now = self._clock()
        async with self._database.writing() as connection:
            failures = 1 + await _failures(connection, endpoint_id)
            retry_at = ceil(now + _backoff(failures))
            noted = await connection.execute(
                self._count_attempt(endpoint_id).values(
                    holder=None, failures=failures, retry_at=retry_at, last_attempt_at=int(now), last_outcome=error
                )
            )
            number = noted.scalar_one_or_none()
            if number is None:
                return retry_at
            attempt = self._attempt(events, error, milliseconds, is_delivered=False)
            await note_attempt(connection, endpoint_id, number, attempt)
            await connection.execute(
                update(_events)
                .where(_events.c.id.in_([event.id for event in events]))
                .values(attempts=_events.c.attempts + 1)
            )
            await self._bury(connection, endpoint_id, events, error, is_hopeless=failures >= HOPELESS_FAILURES)
        return retry_at

    async def postpone(self, endpoint_id: str, seconds: int) -> int:
        """End the lease of an endpoint that is not to be told anything for now.

        Returns:
            When it will be looked at again, seconds since the epoch.
        """
        until = int(self._clock()) + seconds
        async with self._database.writing() as connection:
            await connection.execute(self._change_leased(endpoint_id).values(holder=None, retry_at=until))
        return until

    async def drop_old(self, endpoint_id: str) -> None:
        """Drop what has waited for an endpoint for longer than the retry period."""
        async with self._database.writing() as connection:
            await connection.execute(
                delete(_events).where(
                    _events.c.endpoint_id == endpoint_id, _events.c.dead_at.is_(None), self._is_too_old()
                )
            )

    async def release_all(self) -> None:
        """End all leases, whatever still waits."""
        async with self._database.writing() as connection:
            await connection.execute(update(_endpoints).where(_endpoints.c.holder == self._holder).values(holder=None))

    async def _next(
        self, connection: AsyncConnection, endpoint_id: str, limit: int = BATCH_EVENTS
    ) -> Sequence[WaitingEvent]:
        """What waits next; if nothing does, the lease ends."""
        found = await connection.execute(
            select(_events.c.id, _events.c.app_id, _events.c.body)
            .where(_events.c.endpoint_id == endpoint_id, _events.c.dead_at.is_(None))
            .order_by(_events.c.id)
            .limit(limit)
        )
        waiting = [WaitingEvent(row.id, row.app_id, row.body) for row in found]
        if not waiting:
            await connection.execute(self._change_leased(endpoint_id).values(holder=None))
        return waiting

    async def _bury(
        self,
        connection: AsyncConnection,
        endpoint_id: str,
        events: Sequence[WaitingEvent],
        error: str,
        *,
        is_hopeless: bool,
    ) -> None:
        attempted = and_(_events.c.id.in_([event.id for event in events]), _events.c.attempts >= MIN_ATTEMPTS)
        now = int(self._clock())
        await connection.execute(
            update(_events)
            .where(
                _events.c.endpoint_id == endpoint_id,
                _events.c.dead_at.is_(None),
                self._is_too_old(),
                true() if is_hopeless else attempted,
            )
            .values(dead_at=now, error=error)
        )
        await connection.execute(
            delete(_events).where(_events.c.endpoint_id == endpoint_id, _events.c.dead_at < now - DEAD_LETTER_SECONDS)
        )

    def _change_leased(self, endpoint_id: str) -> Update:
        """Who has lost a lease, because the process stood still, changes nothing: others have gone on meanwhile."""
        return update(_endpoints).where(_endpoints.c.endpoint_id == endpoint_id, _endpoints.c.holder == self._holder)

    def _count_attempt(self, endpoint_id: str) -> ReturningUpdate[int]:
        """A change of a leased endpoint that counts an attempt; it returns its number, if there is the lease still."""
        counted = self._change_leased(endpoint_id).values(attempts=_endpoints.c.attempts + 1)
        return counted.returning(_endpoints.c.attempts)

    def _attempt(
        self, events: Sequence[WaitingEvent], outcome: str, milliseconds: int, *, is_delivered: bool
    ) -> Attempt:
        names = dict.fromkeys(_decode_named(event.body).name for event in events)
        return Attempt(int(self._clock()), is_delivered, outcome, milliseconds, len(events), [*names])

    def _is_free(self) -> ColumnElement[bool]:
        now = int(self._clock())
        return and_(
            _endpoints.c.retry_at <= now,
            or_(_endpoints.c.holder.is_(None), _endpoints.c.holder == self._holder, _endpoints.c.held_until <= now),
        )

    def _is_too_old(self) -> ColumnElement[bool]:
        return _events.c.time_ms < (self._clock() - self._retry_period) * 1000

    def _lease_end(self) -> int:
        return ceil(self._clock()) + self._lease_seconds


async def note_endpoints(connection: AsyncConnection, endpoint_ids: Iterable[str]) -> None:
    """Have a row for each endpoint, by which its waiting events are found.

    Until the end of the transaction nobody else writes events for them: those who deliver see them in the order of
    their ids then, and none that is committed late is overtaken.
    """
    endpoint_ids = sorted(endpoint_ids)
    rows = [{"endpoint_id": each, "failures": 0, "retry_at": 0} for each in endpoint_ids]
    await connection.execute(upsert(connection, _endpoints).on_conflict_do_nothing(), rows)
    theirs = _endpoints.c.endpoint_id.in_(endpoint_ids)
    await connection.execute(
        select(_endpoints.c.endpoint_id).where(theirs).order_by(_endpoints.c.endpoint_id).with_for_update()
    )


async def _failures(connection: AsyncConnection, endpoint_id: str) -> int:
    found = await connection.execute(select(_endpoints.c.failures).where(_endpoints.c.endpoint_id == endpoint_id))
    return found.scalar_one_or_none() or 0


def _backoff(failures: int) -> float:
    """Seconds until the next attempt: exponential, with full jitter, so that nobody is met by all servers at once."""
    return _random.uniform(0, min(MAX_BACKOFF_SECONDS, 2 ** min(failures - 1, 10)))
