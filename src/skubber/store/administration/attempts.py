"""The log of attempts at a webhook, as an operator reads it, and tests, which an operator asks for."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from skubber.store import attempts
from skubber.store.administration.deliveries import see_webhook
from skubber.store.administration.ledger import Ledger
from skubber.store.administration.rules import Time
from skubber.store.attempts import KEPT_ATTEMPTS


class WebhookAttempt(msgspec.Struct, rename="camel"):
    """A request to a webhook, and how it went."""

    id: Annotated[int, Meta(description="Its number among the webhook's.")]
    at: Time
    delivered: Annotated[bool, Meta(description="Whether it was answered with 2xx.")]
    outcome: Annotated[str, Meta(description="How it went, a sentence.")]
    milliseconds: Annotated[int, Meta(description="How long it took.")]
    event_count: Annotated[int, Meta(description="How many events it held.")]
    events: Annotated[list[str], Meta(description="Their names, each once.")]


class AttemptPage(msgspec.Struct, rename="camel"):
    """Some of the attempts, the newest first."""

    attempts: Annotated[list[WebhookAttempt], Meta(description=f"The last {KEPT_ATTEMPTS} are kept.")]
    next: Annotated[int | None, Meta(description="What to send as `before` for the next page; null on the last.")]


class AttemptAdministration:
    """Operations on the log of attempts.

    Args:
        ledger: what all of the administration shares.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def list(self, app_id: str, webhook_id: str, limit: int, before: int | None = None) -> AttemptPage:
        """A page of a webhook's attempts.

        Args:
            app_id: the app.
            webhook_id: the webhook.
            limit: most of them on the page.
            before: only those with smaller ids.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_webhook``.
        """
        async with self._ledger.database.reading() as connection:
            await self._see(connection, app_id, webhook_id)
            found = await attempts.list_attempts(connection, webhook_id, limit=limit + 1, before=before)
        page = [
            WebhookAttempt(
                number,
                datetime.fromtimestamp(each.at, UTC),
                each.delivered,
                each.outcome,
                each.milliseconds,
                each.event_count,
                [*each.events],
            )
            for number, each in found[:limit]
        ]
        return AttemptPage(page, page[-1].id if len(found) > limit else None)

    async def see(self, app_id: str, webhook_id: str) -> None:
        """See that a webhook is there to be tested.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_webhook``.
        """
        async with self._ledger.database.reading() as connection:
            await self._see(connection, app_id, webhook_id)

    async def note_test(self, actor: str, app_id: str, webhook_id: str, attempt: attempts.Attempt) -> None:
        """Write down that a webhook was tested, among the attempts and on the record.

        Raises:
            NotFoundError: ``no_such_app`` or ``no_such_webhook``: it has been deleted meanwhile.
        """
        async with self._ledger.noting(actor) as change:
            await self._see(change.connection, app_id, webhook_id)
            await attempts.note_unqueued_attempt(change.connection, webhook_id, attempt)
            await change.record("webhook.test", webhook_id, {"app": app_id, "delivered": attempt.delivered})

    async def _see(self, connection: AsyncConnection, app_id: str, webhook_id: str) -> None:
        await see_webhook(self._ledger, connection, app_id, webhook_id)
