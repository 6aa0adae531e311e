"""How an app's webhooks fare, and what becomes of events that could not be delivered."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.core.errors import NotFoundError
from skubber.store import deliveries, tables
from skubber.store.administration.ledger import Ledger
from skubber.store.administration.rules import Time, is_storable, moment

MAX_IDS = 1000
"""Most dead letters that may be named at once."""

LetterId = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class DeliveryStatus(msgspec.Struct, rename="camel"):
    """How delivery to a webhook stands."""

    waiting: Annotated[int, Meta(description="Events that wait.")]
    dead_letters: Annotated[int, Meta(description="Events that were given up; kept for 30 days.")]
    failures: Annotated[int, Meta(description="Attempts that failed since one succeeded.")]
    retry_at: Annotated[Time | None, Meta(description="Not before then it is tried again.")]
    last_attempt_at: Time | None
    last_outcome: str | None


class DeadLetter(msgspec.Struct, rename="camel"):
    """An event that was given up."""

    id: int
    event: Annotated[dict[str, Any], Meta(description="As it stands in a webhook's body.")]
    happened_at: Annotated[Time, Meta(description="When it happened, or was replayed last.")]
    dead_at: Time | None
    attempts: int
    error: Annotated[str, Meta(description="How the last attempt went.")]


class DeadLetterPage(msgspec.Struct, rename="camel"):
    """Some of the dead letters, the oldest first."""

    dead_letters: list[DeadLetter]
    next: Annotated[int | None, Meta(description="What to send as `after` for the next page; null on the last.")]


class Replay(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """Which dead letters to deliver again."""

    ids: (
        Annotated[
            tuple[LetterId, ...], Meta(max_length=MAX_IDS, description=f"At most {MAX_IDS}; all of them unless given.")
        ]
        | None
    ) = None


class Replayed(msgspec.Struct, rename="camel"):
    """How many dead letters it was about."""

    count: int


class DeliveryAdministration:
    """Operations on deliveries.

    Args:
        ledger: what all of the administration shares.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def status(self, app_id: str, webhook_id: str) -> DeliveryStatus:
        """How delivery to a webhook stands.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_webhook``.
        """
        async with self._ledger.database.reading() as connection:
            await see_webhook(self._ledger, connection, app_id, webhook_id)
            status = await deliveries.endpoint_status(connection, webhook_id)
        return DeliveryStatus(
            status.waiting,
            status.dead,
            status.failures,
            moment(status.retry_at) if status.retry_at else None,
            moment(status.last_attempt_at),
            status.last_outcome,
        )

    async def list(self, app_id: str, webhook_id: str, limit: int, after: int = 0) -> DeadLetterPage:
        """A page of a webhook's dead letters.

        Args:
            app_id: the app.
            webhook_id: the webhook.
            limit: most of them on the page.
            after: only those with larger ids.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_webhook``.
        """
        async with self._ledger.database.reading() as connection:
            await see_webhook(self._ledger, connection, app_id, webhook_id)
            found = await deliveries.list_dead_letters(connection, webhook_id, after=after, limit=limit + 1)
        letters = [
            DeadLetter(
                each.id,
                msgspec.json.decode(each.event),
                datetime.fromtimestamp(each.time_ms / 1000, UTC),
                moment(each.dead_at),
                each.attempts,
                each.error,
            )
            for each in found[:limit]
        ]
        return DeadLetterPage(letters, letters[-1].id if len(found) > limit else None)

    async def replay(self, actor: str, app_id: str, webhook_id: str, request: Replay) -> Replayed:
        """Have dead letters delivered again, in the order in which they happened.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_webhook``.
        """
        async with self._ledger.changing(actor) as change:
            await see_webhook(self._ledger, change.connection, app_id, webhook_id)
            count = await deliveries.replay_dead_letters(change.connection, webhook_id, change.now, request.ids)
            await change.record("webhook.replay", webhook_id, {"app": app_id, "deadLetters": count})
        return Replayed(count)

    async def delete(self, actor: str, app_id: str, webhook_id: str) -> Replayed:
        """Delete all dead letters of a webhook.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_webhook``.
        """
        async with self._ledger.changing(actor) as change:
            await see_webhook(self._ledger, change.connection, app_id, webhook_id)
            count = await deliveries.delete_dead_letters(change.connection, webhook_id)
            await change.record("webhook.forget", webhook_id, {"app": app_id, "deadLetters": count})
        return Replayed(count)


async def see_webhook(ledger: Ledger, connection: AsyncConnection, app_id: str, webhook_id: str) -> None:
    """See that a webhook is there, in the configuration or in the database.

    Raises:
        NotFoundError: ``no_such_app`` or ``no_such_webhook``.
    """
    configured = ledger.configured.get(app_id)
    if configured is not None:
        is_there = any(endpoint.id == webhook_id for endpoint in configured.webhooks)
    else:
        await ledger.see_app(connection, app_id)
        is_there = is_storable(webhook_id) and await _has_webhook(connection, app_id, webhook_id)
    if not is_there:
        raise NotFoundError("no_such_webhook", "This app has no such webhook.")


async def _has_webhook(connection: AsyncConnection, app_id: str, webhook_id: str) -> bool:
    webhooks = tables.webhooks
    found = exists().where(webhooks.c.id == webhook_id, webhooks.c.app_id == app_id)
    return bool((await connection.execute(select(found))).scalar())
