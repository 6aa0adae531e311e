"""Queue and delivery on a real database, with the clock in the test's hands."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, text

from skubber.brokers.memory import MemoryBroker
from skubber.core.app import App
from skubber.core.webhook import WebhookEndpoint, WebhookEvent, WebhookEventName
from skubber.store import tables
from skubber.store.apps import AppRegistry
from skubber.store.database import Database
from skubber.webhooks.client import WebhookClient
from skubber.webhooks.delivery import Delivery
from skubber.webhooks.departures import Departures
from skubber.webhooks.outbox import Outbox
from skubber.webhooks.queue import WebhookQueue
from support.apps import make_app

LEASE_SECONDS = 6
RETRY_PERIOD = 300


class PostOffice:
    """One app, and what its back end is told. Time passes only where a test lets it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = float(int(time.time()))
        self.app: App = make_app()
        self.apps = AppRegistry([self.app])
        self.broker = MemoryBroker()
        self.queue = WebhookQueue(self.apps, self.clock)
        self.departures = Departures(database, self.apps, self.broker, self.clock)
        self.client = WebhookClient(["127.0.0.0/8"], 1)
        self.delivery = Delivery(self.outbox("one"), self.apps, self.client, self.clock)
        self._writer: asyncio.Task[None] | None = None

    def clock(self) -> float:
        return self.now

    def outbox(self, holder: str) -> Outbox:
        """What waits, as one process sees it."""
        return Outbox(self.database, holder, LEASE_SECONDS, RETRY_PERIOD, self.clock)

    def endpoint(self, url: str, endpoint_id: str = "hook", **options: Any) -> WebhookEndpoint:
        """Give the app one more endpoint."""
        endpoint = WebhookEndpoint(endpoint_id, url, **options)
        self.app.webhooks = (*self.app.webhooks, endpoint)
        return endpoint

    def happens(self, *channels: str) -> None:
        for channel in channels:
            self.queue(self.app.id, WebhookEvent(WebhookEventName.CHANNEL_OCCUPIED, channel))

    async def written(self, *channels: str) -> None:
        """Let something happen on channels and be written; nothing is sent."""
        self.happens(*channels)
        await self.queue._write_all(self.database, lambda _: None)

    async def attempt(self, endpoint_id: str = "hook") -> None:
        """Have delivery see to an endpoint, and wait until it has done what it can."""
        self.delivery.wake([endpoint_id])
        sender = self.delivery._senders.get(endpoint_id)
        if sender is not None:
            await asyncio.wait_for(asyncio.shield(sender), 20)

    def start(self) -> None:
        """Write and send whatever happens, as a server does."""
        self._writer = asyncio.create_task(self.queue.write(self.database, self.delivery.wake))

    async def waiting(self, endpoint_id: str = "hook") -> list[str]:
        """The channels of what waits for an endpoint."""
        events = tables.webhook_events
        async with self.database.reading() as connection:
            found = await connection.execute(
                select(events.c.body)
                .where(events.c.endpoint_id == endpoint_id, events.c.dead_at.is_(None))
                .order_by(events.c.id)
            )
            return [json.loads(body)["channel"] for body in found.scalars()]

    async def state(self, endpoint_id: str = "hook") -> Any:
        """How an endpoint stands, as the database has it."""
        endpoints = tables.webhook_endpoints
        async with self.database.reading() as connection:
            found = await connection.execute(select(endpoints).where(endpoints.c.endpoint_id == endpoint_id))
            return found.one()

    async def close(self) -> None:
        self.queue.close()
        if self._writer is not None:
            await self._writer
        await self.delivery.stop(5)
        await self.client.close()


class BrokenDatabase:
    """Takes the table of events away for as long as it is entered."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    async def __aenter__(self) -> None:
        await self._rename("webhook_events", "away")

    async def __aexit__(self, *_: object) -> None:
        await self._rename("away", "webhook_events")

    async def _rename(self, old: str, new: str) -> None:
        async with self._office.database.writing() as connection:
            await connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def channels(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["channel"] for event in events]
