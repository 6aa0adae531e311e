"""Delivery: for each endpoint that has something waiting one task that sends it, in order."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, takewhile

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from skubber.core.app import App
from skubber.core.observers import NAMES_SEPARATOR, Kind, Observers
from skubber.core.webhook import WebhookEndpoint, WebhookEvent
from skubber.store.apps import AppStore
from skubber.store.reason import reason
from skubber.webhooks.client import MAX_CONNECTIONS, DeliveryError, Sender
from skubber.webhooks.outbox import BATCH_EVENTS, Outbox, WaitingEvent
from skubber.webhooks.pause import pause
from skubber.webhooks.request import webhook_body, webhook_headers

LOOK_SECONDS = 1.0
"""How often the database is looked at for what this process has not written itself, and for what is to be retried."""

BATCH_BYTES = 262_144
"""Most bytes of events in a request, unless a single one has more."""

_ASIDE_SECONDS = 5
"""For how long an endpoint that is disabled, or unknown here, is left alone."""

_log = structlog.stdlib.get_logger("skubber.webhooks")

_decode_event = msgspec.json.Decoder(WebhookEvent).decode


class Delivery:
    """Sends what waits.

    Args:
        outbox: what waits.
        apps: the apps, and with them the endpoints.
        sender: sends requests.
        clock: seconds since the epoch.
        observers: who watches what happens in apps.

    Attributes:
        failed_requests: how many requests have failed.
    """

    def __init__(
        self,
        outbox: Outbox,
        apps: AppStore,
        sender: Sender,
        clock: Callable[[], float],
        observers: Observers | None = None,
    ) -> None:
        self._observers = observers or Observers()
        self._outbox = outbox
        self._apps = apps
        self._sender = sender
        self._clock = clock
        self.failed_requests = 0
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._has_more: set[str] = set()
        # What the database says, too; from here it is known without asking, for every event that comes.
        self._not_before: dict[str, int] = {}
        self._is_stopping = asyncio.Event()

    def wake(self, endpoint_ids: Iterable[str]) -> None:
        """Send what waits for endpoints, unless they have just failed."""
        for endpoint_id in endpoint_ids:
            if endpoint_id in self._senders:
                self._has_more.add(endpoint_id)
            elif self._not_before.get(endpoint_id, 0) <= self._clock():
                self._start(endpoint_id)

    async def look(self) -> None:
        """Look again and again for what waits, until ``stop``."""
        is_failing = False
        while not self._is_stopping.is_set():
            try:
                due = await self._outbox.due(MAX_CONNECTIONS)
            except Exception as error:  # asyncpg has some that SQLAlchemy does not wrap
                if not is_failing:
                    _log.error("cannot look for waiting webhook events", reason=reason(error))
                is_failing = True
            else:
                is_failing = False
                for endpoint_id in due:  # somebody else may have seen to it that they are
                    self._not_before.pop(endpoint_id, None)
                self.wake(due)
            await pause(self._is_stopping, LOOK_SECONDS)

    async def stop(self, seconds: float) -> None:
        """Finish the requests that are under way, in so many seconds at most; all the rest waits in the database."""
        self._is_stopping.set()
        if self._senders:
            _, late = await asyncio.wait(self._senders.values(), timeout=seconds)
            for sender in late:
                sender.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        try:
            await self._outbox.release_all()
        except Exception as error:
            _log.error("cannot note that webhooks have stopped", reason=reason(error))

    def _start(self, endpoint_id: str) -> None:
        # What finds no place now is found by a later look.
        if len(self._senders) < MAX_CONNECTIONS and not self._is_stopping.is_set():
            self._not_before.pop(endpoint_id, None)
            self._senders[endpoint_id] = asyncio.create_task(self._send(endpoint_id))

    async def _send(self, endpoint_id: str) -> None:
        try:
            has_more = True
            while has_more and not self._is_stopping.is_set():
                self._has_more.discard(endpoint_id)
                await self._send_waiting(endpoint_id)
                has_more = endpoint_id in self._has_more and endpoint_id not in self._not_before
        except (SQLAlchemyError, OSError) as error:
            _log.error("cannot see to waiting webhook events", endpoint=endpoint_id, reason=reason(error))
        except Exception:
            _log.exception("webhook delivery failed", endpoint=endpoint_id)
        finally:
            self._has_more.discard(endpoint_id)
            del self._senders[endpoint_id]

    async def _send_waiting(self, endpoint_id: str) -> None:
        waiting = await self._outbox.lease(endpoint_id)
        while waiting and not self._is_stopping.is_set():
            app, endpoint = self._find(endpoint_id, waiting[0].app_id)
            if app is None or endpoint is None:
                # Perhaps it is only new: other processes sharing the database may know it already.
                await self._outbox.drop_old(endpoint_id)
            if app is None or endpoint is None or not (app.enabled and endpoint.enabled):
                self._not_before[endpoint_id] = await self._outbox.postpone(endpoint_id, _ASIDE_SECONDS)
                return
            waiting = await self._send_batch(app, endpoint, waiting)

    async def _send_batch(
        self, app: App, endpoint: WebhookEndpoint, waiting: Sequence[WaitingEvent]
    ) -> Sequence[WaitingEvent]:
        """Send the first of what waits; returns what waits next, if the endpoint has taken it."""
        batch = _batch(waiting) if endpoint.is_batched else waiting[:1]
        began = time.perf_counter()
        try:
            status = await self._post(app, endpoint, batch)
        except DeliveryError as error:
            self.failed_requests += 1
            _log.warning("webhook failed", app=app.id, endpoint=endpoint.id, events=len(batch), reason=str(error))
            self._observe(app, batch, str(error), "failed")
            self._not_before[endpoint.id] = await self._outbox.failed(
                endpoint.id, batch, str(error), _milliseconds_since(began)
            )
            return ()
        app.meter.webhooks += len(batch)
        limit = BATCH_EVENTS if endpoint.is_batched else 1
        outcome = f"The answer was {status}."
        self._observe(app, batch, outcome)
        return await self._outbox.delivered(endpoint.id, batch, outcome, limit, _milliseconds_since(began))

    def _observe(self, app: App, batch: Sequence[WaitingEvent], outcome: str, code: str | None = None) -> None:
        if app.id not in self._observers.by_app:
            return
        events = [_decode_event(event.body) for event in batch]
        self._observers.tell(
            app.id,
            Kind.WEBHOOK,
            list(dict.fromkeys(event.channel for event in events)),
            name=NAMES_SEPARATOR.join(dict.fromkeys(event.name for event in events)),
            detail=outcome,
            code=code,
        )

    async def _post(self, app: App, endpoint: WebhookEndpoint, batch: Sequence[WaitingEvent]) -> int:
        key = next(iter(app.keys.values()), None)
        if key is None:
            raise DeliveryError("The app has no good key to sign with.")
        body = webhook_body(int(self._clock() * 1000), (event.body for event in batch))
        return await self._sender.post(endpoint.url, webhook_headers(key, body, endpoint.headers), body)

    def _find(self, endpoint_id: str, app_id: str) -> tuple[App | None, WebhookEndpoint | None]:
        app = self._apps.find(app_id)
        if app is None:
            return None, None
        return app, next((each for each in app.webhooks if each.id == endpoint_id), None)


def _milliseconds_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _batch(waiting: Sequence[WaitingEvent]) -> Sequence[WaitingEvent]:
    sizes = accumulate(len(event.body.encode()) for event in waiting)
    return waiting[: max(1, sum(1 for _ in takewhile(lambda size: size <= BATCH_BYTES, sizes)))]
