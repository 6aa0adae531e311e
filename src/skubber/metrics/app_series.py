"""Counters by app, for a bounded number of apps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest

from skubber.core.app import App
from skubber.core.meter import Meter

OTHER = "other"
"""The label of all apps that have none of their own. An app with this id never has."""


@dataclass(slots=True)
class Totals:
    """What apps have used since the server started; see ``Meter``."""

    published: int = 0
    delivered: int = 0
    delivered_bytes: int = 0
    webhooks: int = 0

    def add(self, now: "Totals", before: "Totals") -> None:
        """Add what was counted between two readings. A meter that has less than before is another: a new app's."""
        if now.published < before.published or now.delivered < before.delivered or now.webhooks < before.webhooks:
            before = Totals()
        self.published += now.published - before.published
        self.delivered += now.delivered - before.delivered
        self.delivered_bytes += now.delivered_bytes - before.delivered_bytes
        self.webhooks += now.webhooks - before.webhooks


class AppSeries:
    """Says under which label an app is counted, and keeps each label's totals.

    An app has a label of its own from when it is first seen to have done something until it is deleted, as long as
    there are labels left; then those with the most connections come first. Which app is counted where never changes but
    for that, and what was counted stays: no total ever shrinks, as Prometheus expects of counters.

    Args:
        most: most labels besides ``OTHER``.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._named: set[str] = set()
        self._read: dict[str, Totals] = {}
        self._totals: dict[str, Totals] = {OTHER: Totals()}

    def label(self, app_id: str) -> str:
        """The label an app is counted under."""
        return app_id if app_id in self._named else OTHER

    def read(self, apps: Iterable[App]) -> Mapping[str, Totals]:
        """Read all meters anew; returns the totals by label.

        Args:
            apps: all apps there are.
        """
        meters = {app.id: app.meter for app in apps if app.id in self._read or _has_done_something(app.meter)}
        self._name(meters)
        for app_id, meter in meters.items():
            now = Totals(meter.published, meter.delivered, meter.delivered_bytes, meter.webhooks)
            self._totals.setdefault(self.label(app_id), Totals()).add(now, self._read.get(app_id, Totals()))
            self._read[app_id] = now
        return self._totals

    def _name(self, meters: Mapping[str, Meter]) -> None:
        for gone in self._read.keys() - meters.keys():
            del self._read[gone]
            if gone in self._named:
                self._named.discard(gone)
                del self._totals[gone]
        nameless = (app_id for app_id in meters if app_id not in self._named and app_id != OTHER)
        free = self._most - len(self._named)
        self._named.update(nsmallest(free, nameless, key=lambda app_id: (-meters[app_id].connections, app_id)))


def _has_done_something(meter: Meter) -> bool:
    return bool(meter.connections or meter.connections_peak or meter.published or meter.delivered or meter.webhooks)
