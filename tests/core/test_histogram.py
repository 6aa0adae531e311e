"""Durations in buckets."""

from skubber.core.histogram import Histogram


def test_a_duration_counts_in_every_bucket_that_is_as_long_or_longer() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(seconds)
    assert histogram.cumulative() == [2, 3, 4]
    assert round(histogram.total, 6) == 7.65
