"""Webhooks of one server process, put together."""

import asyncio
import secrets
import time

from skubber.core.timer_wheel import TimerWheel
from skubber.core.webhook import WebhookEvent
from skubber.settings import Settings
from skubber.store.apps import AppStore
from skubber.store.database import Database
from skubber.webhooks.client import WebhookClient
from skubber.webhooks.delivery import Delivery
from skubber.webhooks.grace import Grace
from skubber.webhooks.outbox import Outbox
from skubber.webhooks.queue import WebhookQueue

_LEASE_MARGIN = 3
"""Seconds that a lease lasts beyond the longest request, for the database to be told how it went."""


class Webhooks:
    """Tells back ends what happens, from ``start`` to ``stop``. What happens before ``start`` waits.

    Args:
        settings: the settings.
        apps: the apps, and with them the endpoints.
        wheel: the timer wheel.
    """

    def __init__(self, settings: Settings, apps: AppStore, wheel: TimerWheel) -> None:
        self._settings = settings
        self._apps = apps
        self._queue = WebhookQueue(apps, time.time)
        self._grace = Grace(wheel, self._queue)
        self._client = WebhookClient(settings.webhook_allowed_networks, settings.webhook_timeout)
        self._delivery: Delivery
        self._writer: asyncio.Task[None]
        self._look: asyncio.Task[None]

    def announce(self, app_id: str, event: WebhookEvent) -> None:
        """Tell an app's back end of an event. Never blocks, never raises; see ``Announcer``."""
        self._grace(app_id, event)

    def start(self, database: Database) -> None:
        """Begin to write what happens, and to deliver what waits. Call it in the event loop."""
        settings = self._settings
        outbox = Outbox(
            database,
            secrets.token_hex(8),
            settings.webhook_timeout + _LEASE_MARGIN,
            settings.webhook_retry_period,
            time.time,
        )
        self._delivery = Delivery(outbox, self._apps, self._client, time.time)
        self._writer = asyncio.create_task(self._queue.write(database, self._delivery.wake))
        self._look = asyncio.create_task(self._delivery.look())

    async def stop(self) -> None:
        """Write everything that has happened, and finish the requests under way. The others wait in the database."""
        self._grace.end()
        self._queue.close()
        await self._writer
        await self._delivery.stop(self._settings.shutdown_timeout)
        await self._look
        await self._client.close()
