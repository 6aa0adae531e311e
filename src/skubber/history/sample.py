"""What is known of one second of the server, or of one of its apps."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

import msgspec

from skubber.core.histogram import LATENCY_BOUNDS

SERVER = ""
"""Stands for the whole server where an app's id would: no app has it."""


class Sample(msgspec.Struct, array_like=True):
    """A second of one node, or of all of them; or an hour, with the peaks of its seconds.

    Packed as an array: a quiet second of an app takes about 12 bytes, a busy one 20.

    Attributes:
        connections: open connections.
        channels: occupied channels, those left out that come with a sign-in.
        published: messages taken in it.
        delivered: messages written to clients in it.
        delivered_bytes: bytes of those.
        slow_consumers: clients closed in it for leaving too much unread; of the whole server only.
        waiting: webhook events that wait, in the whole database; None: not known, or an app's.
        lag_ms: age of the oldest of them; likewise.
        durations: how many of the publishes that were measured fell into each bucket of ``LATENCY_BOUNDS``, the last is
            for what took longer; empty: none was measured, or an app's.
    """

    connections: int = 0
    channels: int = 0
    published: int = 0
    delivered: int = 0
    delivered_bytes: int = 0
    slow_consumers: int = 0
    waiting: int | None = None
    lag_ms: int | None = None
    durations: tuple[int, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.connections or self.channels or self.published or self.delivered)


def together(samples: Iterable[Sample]) -> Sample:
    """The same second of several nodes. A channel counts once for each node it is occupied on."""
    result = Sample()
    for each in samples:
        result.connections += each.connections
        result.channels += each.channels
        _add(result, each)
    return result


def in_a_row(samples: Iterable[Sample]) -> Sample:
    """Several seconds as one: what was done is added up, what there was is what there was at most."""
    result = Sample()
    for each in samples:
        result.connections = max(result.connections, each.connections)
        result.channels = max(result.channels, each.channels)
        _add(result, each)
    return result


def _add(result: Sample, sample: Sample) -> None:
    result.published += sample.published
    result.delivered += sample.delivered
    result.delivered_bytes += sample.delivered_bytes
    result.slow_consumers += sample.slow_consumers
    # All nodes look at the same database.
    result.waiting = _most(result.waiting, sample.waiting)
    result.lag_ms = _most(result.lag_ms, sample.lag_ms)
    if sample.durations:
        before = result.durations or (0,) * len(sample.durations)
        result.durations = tuple(a + b for a, b in zip(before, sample.durations, strict=True))


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else max(one, other)


def quantile_ms(durations: Sequence[int], part: float) -> float | None:
    """How long publishes take at most, of a part of them: interpolated within the bucket that it falls into.

    Args:
        durations: see ``Sample``.
        part: above 0, at most 1.

    Returns:
        Milliseconds, at most the last bound; None: nothing was measured.
    """
    total = sum(durations)
    if not total:
        return None
    rank = part * total
    bounds = pairwise((0.0, *LATENCY_BOUNDS))
    for (lower, upper), count, reached in zip(bounds, durations, accumulate(durations), strict=False):
        if count and reached >= rank:
            return round((upper - (upper - lower) * (reached - rank) / count) * 1000, 3)
    return LATENCY_BOUNDS[-1] * 1000
