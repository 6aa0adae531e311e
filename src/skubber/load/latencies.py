"""Durations, counted by size: any number of them in little memory, with percentiles that are good to 2 %.

Buckets are as HdrHistogram has them: exact below 128 microseconds, above that 64 to each doubling. Histograms of
different processes and moments are added up by adding their counts.
"""

from collections.abc import Mapping

_EXACT_BITS = 7
_HALF = 1 << (_EXACT_BITS - 1)


class Latencies:
    """Counts durations.

    Attributes:
        counts: how many there were, by bucket.
    """

    __slots__ = ("counts",)

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.counts: dict[int, int] = dict(counts or {})

    def record(self, nanoseconds: int) -> None:
        """Count one duration; what is below 0 counts as 0."""
        bucket = bucket_of(nanoseconds)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def add(self, counts: Mapping[int, int]) -> None:
        """Count all that somebody else has counted."""
        for bucket, count in counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count

    def take(self) -> dict[int, int]:
        """The counts; from now on it begins anew."""
        taken, self.counts = self.counts, {}
        return taken

    @property
    def total(self) -> int:
        """How many durations were counted."""
        return sum(self.counts.values())

    def percentile(self, share: float) -> float | None:
        """Milliseconds that at least this share (0 to 1) of all durations do not exceed; None where there are none."""
        wanted = max(1, share * self.total)
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= wanted:
                return upper_bound(bucket)
        return None


def bucket_of(nanoseconds: int) -> int:
    """The bucket of a duration."""
    microseconds = nanoseconds // 1000
    if microseconds < 1 << _EXACT_BITS:
        return max(0, microseconds)
    shift = microseconds.bit_length() - _EXACT_BITS
    return (shift << (_EXACT_BITS - 1)) + (microseconds >> shift)


def upper_bound(bucket: int) -> float:
    """The end of a bucket, milliseconds."""
    if bucket < 1 << _EXACT_BITS:
        return (bucket + 1) / 1000
    shift = (bucket >> (_EXACT_BITS - 1)) - 1
    mantissa = (bucket & (_HALF - 1)) + _HALF
    return ((mantissa + 1) << shift) / 1000
