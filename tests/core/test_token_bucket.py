from collections import OrderedDict
from collections.abc import Hashable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from skubber.core.token_bucket import TokenBuckets

CAPACITY, PER_SECOND, MAX_KEYS = 3, 0.25, 3
KEYS = st.sampled_from("abcde")
# Binary fractions, so that the model's exact numbers and the floats are the same.
SECONDS = st.integers(0, 200).map(lambda eighths: eighths / 8)


def taken(buckets: TokenBuckets, key: Hashable, now: float) -> bool:
    """Take a token as callers do: only when there is one."""
    if buckets.wait(key, now) > 0:
        return False
    buckets.take(key, now)
    return True


def test_a_bucket_that_nobody_has_used_is_full() -> None:
    buckets = TokenBuckets(3, 0.25)
    assert [taken(buckets, "a", 100) for _ in range(5)] == [True, True, True, False, False]


def test_asking_takes_nothing() -> None:
    buckets = TokenBuckets(1, 0.25)
    for _ in range(10):
        assert buckets.wait("a", 100) == 0
    assert taken(buckets, "a", 100)


def test_tokens_come_back_one_by_one() -> None:
    buckets = TokenBuckets(3, 0.25)
    for _ in range(3):
        buckets.take("a", 100)
    assert buckets.wait("a", 100) == 4
    assert buckets.wait("a", 103) == 1
    assert [taken(buckets, "a", now) for now in (103.9, 104, 104, 107.9, 108)] == [False, True, False, False, True]


def test_a_bucket_never_holds_more_than_it_can() -> None:
    buckets = TokenBuckets(3, 0.25)
    buckets.take("a", 0)
    assert [taken(buckets, "a", 1_000_000) for _ in range(4)] == [True, True, True, False]


def test_a_bucket_goes_into_debt_by_one_token_at_most() -> None:
    buckets = TokenBuckets(2, 0.5)
    for _ in range(50):
        buckets.take("a", 100)
    assert buckets.wait("a", 100) == 4
    assert buckets.wait("a", 104) == 0


def test_keys_do_not_share_their_buckets() -> None:
    buckets = TokenBuckets(1, 0.25)
    assert taken(buckets, ("10.0.0.1", "a"), 100)
    assert taken(buckets, ("10.0.0.1", "b"), 100)
    assert taken(buckets, ("10.0.0.2", "a"), 100)
    assert not taken(buckets, ("10.0.0.1", "a"), 100)


def test_a_clock_that_is_set_back_gives_nothing_and_takes_nothing() -> None:
    buckets = TokenBuckets(2, 1)
    buckets.take("a", 100)
    buckets.take("a", 100)
    assert buckets.wait("a", 50) == 1
    buckets.take("a", 50)
    assert buckets.wait("a", 52) == 0


def test_no_more_than_so_many_buckets_are_kept() -> None:
    buckets = TokenBuckets(1, 0.25, max_keys=100)
    for number in range(10_000):
        buckets.take(number, number / 1000)
    assert len(buckets._buckets) == 100


def test_whoever_took_a_token_least_recently_is_forgotten_first() -> None:
    buckets = TokenBuckets(1, 0.25, max_keys=2)
    for key in ("a", "b", "a", "c"):
        buckets.take(key, 100)
    assert [buckets.wait(key, 100) > 0 for key in "abc"] == [True, False, True]


def test_asking_makes_nobody_remembered() -> None:
    buckets = TokenBuckets(1, 0.25, max_keys=2)
    buckets.take("a", 100)
    for key in range(100):
        assert buckets.wait(key, 100) == 0
    assert buckets.wait("a", 100) > 0


@pytest.mark.parametrize(("capacity", "per_second"), [(1, 0.1), (10, 0.2), (50, 0.2), (3, 1 / 3), (1000, 7.0)])
def test_after_the_time_it_says_to_wait_there_is_a_token(capacity: float, per_second: float) -> None:
    buckets = TokenBuckets(capacity, per_second)
    now = 1_764_000_000.123
    for _ in range(3 * int(capacity)):
        now += buckets.wait("a", now)
        assert buckets.wait("a", now) < 1e-6
        buckets.take("a", now)


@given(st.lists(st.tuples(SECONDS, st.integers(1, 5)), min_size=1))
def test_in_the_long_run_no_more_is_taken_than_comes_back(attempts: list[tuple[float, int]]) -> None:
    buckets, now, count = TokenBuckets(CAPACITY, PER_SECOND), 0.0, 0
    for seconds, tries in attempts:
        now += seconds
        count += sum(taken(buckets, "a", now) for _ in range(tries))
    assert count <= CAPACITY + now * PER_SECOND


class BucketsAgainstModel(RuleBasedStateMachine):
    """The buckets beside exact arithmetic."""

    def __init__(self) -> None:
        super().__init__()
        self.buckets = TokenBuckets(CAPACITY, PER_SECOND, MAX_KEYS)
        self.model: OrderedDict[str, tuple[Fraction, Fraction]] = OrderedDict()
        self.now = Fraction(0)

    def tokens(self, key: str) -> Fraction:
        tokens, since = self.model.get(key, (Fraction(CAPACITY), self.now))
        return min(Fraction(CAPACITY), tokens + (self.now - since) * Fraction(PER_SECOND))

    @rule(seconds=SECONDS)
    def let_time_pass(self, seconds: float) -> None:
        self.now += Fraction(seconds)

    @rule(key=KEYS)
    def ask(self, key: str) -> None:
        missing = max(Fraction(0), 1 - self.tokens(key))
        assert self.buckets.wait(key, float(self.now)) == float(missing / Fraction(PER_SECOND))

    @rule(key=KEYS)
    def take(self, key: str) -> None:
        self.model[key] = (max(self.tokens(key) - 1, Fraction(-1)), self.now)
        self.model.move_to_end(key)
        if len(self.model) > MAX_KEYS:
            self.model.popitem(last=False)
        self.buckets.take(key, float(self.now))


TestBucketsAgainstModel = BucketsAgainstModel.TestCase
