"""How webhooks fare: what this process knows, and what the database does."""

import asyncio
import time
from collections.abc import Iterator

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from skubber.metrics.sources import Sources
from skubber.store.database import Database
from skubber.store.deliveries import Backlog, backlog
from skubber.store.reason import reason

_PATIENCE = 3
"""Seconds that the database has to answer: a scrape must be over before Prometheus gives it up."""

_log = structlog.stdlib.get_logger("skubber.metrics")


async def read_backlog(database: Database) -> Backlog | None:
    """Ask what waits; None, and the log says why: the database does not say."""
    try:
        async with asyncio.timeout(_PATIENCE), database.reading() as connection:
            return await backlog(connection)
    except Exception as error:  # asyncpg has some that SQLAlchemy does not wrap
        _log.warning("cannot look for waiting webhook events", reason=reason(error))
        return None


def webhook_families(sources: Sources, waiting: Backlog | None) -> Iterator[Metric]:
    """The families of a server with a database; what it does not say is left out.

    Args:
        sources: where the other numbers come from.
        waiting: what the database says, if it does.
    """
    yield GaugeMetricFamily("skubber_database_available", "1: the database answers.", value=float(waiting is not None))
    if sources.webhooks is not None:
        yield CounterMetricFamily(
            "skubber_webhook_failed_requests",
            "Requests to endpoints that failed; they are repeated.",
            value=sources.webhooks.failed_requests,
        )
        yield CounterMetricFamily(
            "skubber_webhook_events_lost",
            "Events that were lost because the database could not be written.",
            value=sources.webhooks.lost,
        )
    if waiting is None:
        return
    yield GaugeMetricFamily(
        "skubber_webhook_events_waiting",
        "Events in the database that wait for their endpoints. All that share it say the same.",
        value=waiting.waiting,
    )
    yield GaugeMetricFamily(
        "skubber_webhook_oldest_waiting_seconds",
        "Age of the oldest of these; 0: nothing waits.",
        value=0 if waiting.oldest_ms is None else max(0.0, time.time() - waiting.oldest_ms / 1000),
    )
    yield GaugeMetricFamily(
        "skubber_webhook_dead_letters",
        "Events in the database that were given up. All that share it say the same.",
        value=waiting.dead,
    )
