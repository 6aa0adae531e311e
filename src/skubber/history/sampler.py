"""Taking samples: each second the differences of what is counted anyway."""

from collections.abc import Callable, Mapping
from itertools import pairwise

from skubber.core.app import App
from skubber.core.hub import Hub
from skubber.core.meter import Meter
from skubber.core.publish_watch import PublishWatch
from skubber.history.sample import SERVER, Sample
from skubber.store.apps import AppStore

_Counts = tuple[Meter, int, int, int]
"""An app's meter and what it showed; of an app that was deleted and made anew there is another meter."""


class Sampler:
    """Reads this node's counters. It never looks at single channels or connections: a thousand apps take a millisecond.

    Args:
        apps: the apps.
        hub: their hub.
        watch: measures publishes.
        slow_clients: how many clients were closed for leaving too much unread.
    """

    def __init__(self, apps: AppStore, hub: Hub, watch: PublishWatch, slow_clients: Callable[[], int]) -> None:
        self._apps = apps
        self._hub = hub
        self._watch = watch
        self._slow_clients = slow_clients
        self._counts: dict[str, _Counts] = {}
        self._slow = slow_clients()
        self._durations = watch.durations.cumulative()

    def take(self) -> Mapping[str, Sample]:
        """What has happened since the last time, by app id: the server's, and those of apps that have clients or do
        something."""
        server = Sample()
        samples = {SERVER: server}
        counts: dict[str, _Counts] = {}
        for app in self._apps.all():
            sample = self._of(app, counts)
            if sample.is_quiet:
                continue
            samples[app.id] = sample
            server.channels += sample.channels
            server.published += sample.published
            server.delivered += sample.delivered
            server.delivered_bytes += sample.delivered_bytes
        self._counts = counts
        server.connections = self._hub.connection_count
        slow, durations = self._slow_clients(), self._watch.durations.cumulative()
        server.slow_consumers = slow - self._slow
        if durations[-1] > self._durations[-1]:
            measured = [now - before for now, before in zip(durations, self._durations, strict=True)]
            server.durations = tuple(upper - lower for lower, upper in pairwise((0, *measured)))
        self._slow, self._durations = slow, durations
        return samples

    def _of(self, app: App, counts: dict[str, _Counts]) -> Sample:
        meter = app.meter
        published, delivered, delivered_bytes = meter.published, meter.delivered, meter.delivered_bytes
        counts[app.id] = (meter, published, delivered, delivered_bytes)
        before = self._counts.get(app.id)
        if before is not None and before[0] is meter:
            published, delivered, delivered_bytes = (
                published - before[1],
                delivered - before[2],
                delivered_bytes - before[3],
            )
        return Sample(meter.connections, self._hub.channel_count(app.id), published, delivered, delivered_bytes)
