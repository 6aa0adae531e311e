import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.load.latencies import Latencies, bucket_of, upper_bound

DURATIONS = st.integers(0, 10**13)


def recorded(*nanoseconds: int) -> Latencies:
    latencies = Latencies()
    for each in nanoseconds:
        latencies.record(each)
    return latencies


@given(DURATIONS)
def test_a_bucket_ends_at_most_two_percent_above_what_is_in_it(nanoseconds: int) -> None:
    end = upper_bound(bucket_of(nanoseconds)) * 1e6
    assert nanoseconds < end <= max(nanoseconds * 1.0157, nanoseconds + 1000) + 1000


@given(DURATIONS, DURATIONS)
def test_longer_durations_are_in_later_buckets(one: int, other: int) -> None:
    assert (bucket_of(min(one, other))) <= bucket_of(max(one, other))


@given(st.integers(0, 3000))
def test_each_bucket_begins_where_the_one_before_ends(bucket: int) -> None:
    end = round(upper_bound(bucket) * 1e6)
    assert bucket_of(end - 1) == bucket
    assert bucket_of(end) == bucket + 1


def test_percentiles_are_those_of_nearest_rank() -> None:
    latencies = recorded(*(milliseconds * 1_000_000 for milliseconds in range(1, 101)))
    found = [latencies.percentile(share) for share in (0.5, 0.9, 0.99, 1)]
    assert found == pytest.approx([50, 90, 99, 100], rel=0.02)


def test_there_is_no_percentile_of_nothing() -> None:
    assert Latencies().percentile(0.5) is None


def test_what_seems_to_have_arrived_before_it_was_due_took_no_time() -> None:
    assert recorded(-5000).counts == {0: 1}


def test_histograms_add_up() -> None:
    one, other = recorded(1000, 2000), recorded(2000)
    one.add(other.take())
    assert (one.total, one.counts[bucket_of(2000)], other.total) == (3, 2, 0)
