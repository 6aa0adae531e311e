"""All metrics of a process, as a monitoring system reads them.

Source: Prometheus documentation, "Exposition formats"; OpenMetrics 1.0.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence

from prometheus_client.core import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from skubber.metrics.app_series import AppSeries
from skubber.metrics.census import take_census
from skubber.metrics.families import app_families, broker_families, request_families, server_families
from skubber.metrics.sources import Sources
from skubber.metrics.webhook_families import read_backlog, webhook_families


class Metrics:
    """Reads the server's counters when it is asked to; between two readings it costs nothing.

    Args:
        sources: where the numbers come from.
        most_apps: most apps that have numbers of their own.
    """

    def __init__(self, sources: Sources, most_apps: int) -> None:
        self._sources = sources
        self._series = AppSeries(most_apps)
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        PlatformCollector(registry=self._process)
        GCCollector(registry=self._process)

    async def expose(self, accept: str) -> tuple[bytes, str]:
        """Read everything.

        Args:
            accept: the request's ``Accept``, by which the format is chosen.

        Returns:
            The text and its content type.
        """
        families = await self._families()
        encode, content_type = choose_encoder(accept)
        # Looking at this process means listing its open files, and with many apps the text is long.
        return await asyncio.to_thread(lambda: encode(_Read([*families, *self._process.collect()]))), content_type

    async def _families(self) -> list[Metric]:
        sources = self._sources
        totals = self._series.read(sources.apps.all())
        census = await take_census(sources.hub, self._series.label)
        connections: Counter[str] = Counter()
        for app in sources.apps.all():
            connections[self._series.label(app.id)] += app.meter.connections
        database = sources.database()
        backlog = None if database is None else await read_backlog(database)
        return [
            *server_families(sources),
            *app_families(totals, connections, census),
            *request_families(sources),
            *broker_families(sources),
            *(() if database is None else webhook_families(sources, backlog)),
        ]


class _Read(Collector):
    """What has been read already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
