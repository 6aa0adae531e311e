"""The record of every change."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import select

from skubber.store import tables
from skubber.store.administration.ledger import Ledger
from skubber.store.administration.rules import Time


class AuditEntry(msgspec.Struct, rename="camel"):
    """A change."""

    id: int
    at: Time
    actor: Annotated[str, Meta(description="`token:` and an admin token's id, or `cli:` and a user's name.")]
    action: Annotated[str, Meta(description="Like `key.create`.")]
    subject: Annotated[str, Meta(description="What was changed, by id or name.")]
    details: dict[str, Any]


class AuditPage(msgspec.Struct, rename="camel"):
    """Some of the changes, the newest first."""

    entries: list[AuditEntry]
    next: Annotated[int | None, Meta(description="What to send as `before` for the next page; null on the last.")]


class AuditTrail:
    """Reads the record.

    Args:
        ledger: what all of the administration shares.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def note(self, actor: str, action: str, subject: str, details: dict[str, Any]) -> None:
        """Put on the record what is done to a running server, and changes nothing in the database."""
        async with self._ledger.noting(actor) as change:
            await change.record(action, subject, details)

    async def list(self, limit: int, before: int | None = None) -> AuditPage:
        """A page of the changes.

        Args:
            limit: most of them on the page.
            before: only those with smaller ids.
        """
        audit = tables.audit
        statement = select(audit).order_by(audit.c.id.desc()).limit(limit + 1)
        if before is not None:
            statement = statement.where(audit.c.id < before)
        async with self._ledger.database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        entries = [
            AuditEntry(
                row.id,
                datetime.fromtimestamp(row.at, UTC),
                row.actor,
                row.action,
                row.subject,
                msgspec.json.decode(row.details),
            )
            for row in rows[:limit]
        ]
        return AuditPage(entries, entries[-1].id if len(rows) > limit else None)
