"""Samples of nodes and seconds, put together."""

import pytest

from skubber.core.histogram import LATENCY_BOUNDS, Histogram
from skubber.history.sample import Sample, in_a_row, quantile_ms, together

NO_DURATIONS = (0,) * (len(LATENCY_BOUNDS) + 1)


def durations(**buckets: int) -> tuple[int, ...]:
    """So many in each bucket, named by ``b`` and its number."""
    return tuple(buckets.get(f"b{number}", 0) for number in range(len(NO_DURATIONS)))


ONE = Sample(10, 4, 5, 50, 500, 1, 3, 100, durations(b0=2))
OTHER = Sample(20, 2, 1, 20, 200, 0, 7, 50, durations(b0=1, b3=4))


def test_what_nodes_have_is_added_up_and_what_the_database_has_is_not() -> None:
    assert together([ONE, OTHER]) == Sample(30, 6, 6, 70, 700, 1, 7, 100, durations(b0=3, b3=4))


def test_of_seconds_in_a_row_what_was_done_is_added_up_and_what_there_was_is_a_peak() -> None:
    assert in_a_row([ONE, OTHER]) == Sample(20, 4, 6, 70, 700, 1, 7, 100, durations(b0=3, b3=4))


def test_what_one_does_not_know_the_other_may() -> None:
    assert together([Sample(), ONE]).waiting == 3
    assert together([ONE, Sample()]).lag_ms == 100
    assert together([Sample(), Sample()]).waiting is None
    assert together([]) == Sample()


@pytest.mark.parametrize(
    ("counts", "part", "expected"),
    [
        (NO_DURATIONS, 0.5, None),
        ((), 0.5, None),
        (durations(b0=10), 0.5, 0.25),
        (durations(b0=10), 1, 0.5),
        (durations(b0=5, b1=5), 0.5, 0.5),
        (durations(b0=5, b1=5), 0.75, 0.75),
        (durations(b2=100), 0.99, 2.485),
        (durations(b0=98, b12=2), 0.99, 3750),
        (durations(b13=1), 0.5, 5000),
    ],
)
def test_a_quantile_is_interpolated_within_its_bucket(
    counts: tuple[int, ...], part: float, expected: float | None
) -> None:
    assert quantile_ms(counts, part) == expected


def test_buckets_are_those_of_the_histogram_of_publishes() -> None:
    assert len(Histogram().cumulative()) == len(NO_DURATIONS)
