"""Latencies in the course of time, in little memory however long it takes."""

from collections.abc import Mapping

from skubber.load.latencies import Latencies

_MOST = 240
"""Parts that there are at most. More than a plot has columns."""


class Timeline:
    """Histograms of parts of the time, all of the same length: that doubles when there are too many of them.

    Args:
        interval: how long a part is at first, seconds.

    Attributes:
        interval: how long a part is now, seconds.
        parts: the histograms, from the first on.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.parts: list[Latencies] = []
        self._begin: float | None = None

    def add(self, at: float, counts: Mapping[int, int]) -> None:
        """Count durations.

        Args:
            at: when they ended, seconds of any clock that goes forward.
            counts: how many, by bucket.
        """
        if self._begin is None:
            # What is reported once in an interval is to be in the middle of a part, and not now in this, now in that.
            self._begin = at - self.interval / 2
        index = max(0, int((at - self._begin) / self.interval))
        while index >= _MOST:
            self.parts = [_sum(*self.parts[number : number + 2]) for number in range(0, len(self.parts), 2)]
            self.interval *= 2
            index //= 2
        while len(self.parts) <= index:
            self.parts.append(Latencies())
        self.parts[index].add(counts)


def _sum(first: Latencies, second: Latencies | None = None) -> Latencies:
    if second is not None:
        first.add(second.counts)
    return first
