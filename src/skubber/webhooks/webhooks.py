"""Webhooks of one server process, put together."""

import asyncio
import secrets
import time
from collections.abc import Callable

import structlog

from skubber.core.broker import Broker
from skubber.core.observers import Observers
from skubber.core.webhook import WebhookEvent
from skubber.settings import Settings
from skubber.store.apps import AppStore
from skubber.store.database import Database
from skubber.store.reason import reason
from skubber.webhooks.client import Sender, WebhookClient
from skubber.webhooks.delivery import Delivery
from skubber.webhooks.departures import Departures
from skubber.webhooks.outbox import Outbox
from skubber.webhooks.queue import WebhookQueue
from skubber.webhooks.trial import Trial, try_endpoint

_LEASE_MARGIN = 3
"""Seconds that a lease lasts beyond the longest request, for the database to be told how it went."""

_log = structlog.stdlib.get_logger("skubber.webhooks")


class Webhooks:
    """Tells back ends what happens, from ``start`` to ``stop``. What happens before ``start`` waits.

    Args:
        settings: the settings.
        apps: the apps, and with them the endpoints.
        traced: has what sends requests traced; None: nobody does.
        observers: who watches what happens in apps.
    """

    def __init__(
        self,
        settings: Settings,
        apps: AppStore,
        traced: Callable[[Sender], Sender] | None = None,
        observers: Observers | None = None,
    ) -> None:
        self._observers = observers
        self._settings = settings
        self._apps = apps
        self._queue = WebhookQueue(apps, time.time)
        self._client = WebhookClient(settings.webhook_allowed_networks, settings.webhook_timeout)
        self._sender: Sender = self._client if traced is None else traced(self._client)
        self._delivery: Delivery
        self._departures: Departures
        self._writer: asyncio.Task[None]
        self._looks: list[asyncio.Task[None]] = []

    def announce(self, app_id: str, event: WebhookEvent) -> None:
        """Tell an app's back end of an event. Never blocks, never raises; see ``Announcer``."""
        self._queue(app_id, event)

    async def test(self, app_id: str, endpoint_id: str) -> Trial | None:
        """Send an endpoint a request to try it out, whatever waits for it. None: there is none such in the apps."""
        app = self._apps.find(app_id)
        endpoint = next((each for each in app.webhooks if each.id == endpoint_id), None) if app is not None else None
        if app is None or endpoint is None:
            return None
        return await try_endpoint(app, endpoint, self._client, time.time())

    @property
    def failed_requests(self) -> int:
        """How many requests have failed."""
        return self._delivery.failed_requests

    @property
    def lost(self) -> int:
        """How many events were lost because the database could not be written."""
        return self._queue.lost

    def start(self, database: Database, broker: Broker) -> None:
        """Begin to write what happens, and to deliver what waits. Call it in the event loop.

        Args:
            database: where it waits.
            broker: knows who is there.
        """
        settings = self._settings
        outbox = Outbox(
            database,
            secrets.token_hex(8),
            settings.webhook_timeout + _LEASE_MARGIN,
            settings.webhook_retry_period,
            time.time,
        )
        self._delivery = Delivery(outbox, self._apps, self._sender, time.time, self._observers)
        self._writer = asyncio.create_task(self._queue.write(database, self._delivery.wake))
        self._departures = Departures(database, self._apps, broker, time.time)
        self._looks = [
            asyncio.create_task(self._delivery.look()),
            asyncio.create_task(self._departures.look(self._delivery.wake)),
        ]

    async def stop(self) -> None:
        """Write everything that has happened, and finish the requests under way. The others wait in the database."""
        self._departures.stop()
        self._queue.close()
        await self._writer
        if not self._settings.broker:
            await self._tell_all()
        await self._delivery.stop(self._settings.shutdown_timeout)
        await asyncio.gather(*self._looks)
        await self._client.close()

    async def _tell_all(self) -> None:
        try:
            await self._departures.tell_all()
        except Exception as error:
            _log.error("cannot tell back ends who is gone", reason=reason(error))
