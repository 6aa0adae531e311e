"""How long something takes, each time: counted by size, for a monitoring system to make quantiles of."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

LATENCY_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds: from a publish that meets an idle server to one that has waited for a broker until it gave up."""


class Histogram:
    """Counts durations in buckets.

    Args:
        bounds: the buckets' upper bounds, seconds, ascending; what is longer than the last is counted, too.

    Attributes:
        bounds: these.
        total: the sum of all durations, seconds.
    """

    __slots__ = ("_counts", "bounds", "total")

    def __init__(self, bounds: Sequence[float] = LATENCY_BOUNDS) -> None:
        self.bounds = tuple(bounds)
        self.total = 0.0
        self._counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> list[int]:
        """How many were as long as each bound or shorter; at the end, how many there were at all."""
        return list(accumulate(self._counts))
