"""What apps have used, by app and day."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import select

from skubber.core.errors import InvalidRequestError
from skubber.store import tables
from skubber.store.administration.ledger import Ledger
from skubber.store.administration.rules import day_number, is_storable

MAX_DAYS = 366
"""Most days that may be asked for at once."""

_DEFAULT_DAYS = 30


class UsageDay(msgspec.Struct, rename="camel"):
    """What an app used on a day, which is that of UTC. Written down every ten seconds."""

    app_id: str
    day: date
    messages: Annotated[int, Meta(description="What counts against `messages_per_day`: published and delivered.")]
    published: int
    delivered: int
    delivered_bytes: int
    connections_peak: Annotated[int, Meta(description="Most connections at a time on one node.")]
    webhooks: Annotated[int, Meta(description="Events told to the app's back end.")]


class UsageReport(msgspec.Struct, rename="camel"):
    """Days by app, the newest first; a day on which an app used nothing is not there."""

    usage: list[UsageDay]


class UsageReports:
    """Reads the books.

    Args:
        ledger: what all of the administration shares.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def today(self) -> date:
        """The day it is, in UTC."""
        return datetime.fromtimestamp(self._ledger.clock(), UTC).date()

    async def report(
        self, app_id: str | None = None, first: date | None = None, last: date | None = None
    ) -> UsageReport:
        """What was used.

        Args:
            app_id: by this app only; it need not be there any more.
            first: the first day; 30 days up to the last unless given.
            last: the last day; today unless given.

        Raises:
            InvalidRequestError: ``invalid_range``: more than 366 days, or less than one.
        """
        last = last or self.today()
        last_number = day_number(last)
        first_number = last_number - _DEFAULT_DAYS + 1 if first is None else day_number(first)
        if not 0 <= last_number - first_number < MAX_DAYS:
            raise InvalidRequestError("invalid_range", f"Ask for 1 to {MAX_DAYS} days, from the first to the last.")
        usage = tables.usage
        statement = select(usage).where(usage.c.day.between(first_number, last_number))
        if app_id is not None:
            if not is_storable(app_id):
                return UsageReport([])
            statement = statement.where(usage.c.app_id == app_id)
        async with self._ledger.database.reading() as connection:
            rows = (await connection.execute(statement.order_by(usage.c.day.desc(), usage.c.app_id))).all()
        return UsageReport(
            [
                UsageDay(
                    row.app_id,
                    date(1970, 1, 1) + timedelta(row.day),
                    row.published + row.delivered,
                    row.published,
                    row.delivered,
                    row.delivered_bytes,
                    row.connections_peak,
                    row.webhooks,
                )
                for row in rows
            ]
        )
