"""Counting what an app uses, and holding it against its limits."""

import pytest

from skubber.core.errors import RateLimitedError
from skubber.core.limits import Limits
from skubber.core.meter import SECONDS_A_DAY, Meter

MIDNIGHT = 20_000 * SECONDS_A_DAY
NOON = MIDNIGHT + SECONDS_A_DAY / 2


def refusal(meter: Meter, count: int, limits: Limits, now: float = NOON) -> tuple[str, int] | None:
    """Why messages are not taken, if they are not: the code, and when to try again."""
    before = meter.published
    try:
        meter.take_messages(count, limits, now)
    except RateLimitedError as error:
        assert meter.published == before
        return error.code, error.retry_after
    assert meter.published == before + count
    return None


def test_without_limits_everything_is_taken_and_counted() -> None:
    meter = Meter()
    for _ in range(1000):
        meter.take_publish(Limits(), NOON)
        meter.take_read(Limits(), NOON)
        assert refusal(meter, 100, Limits()) is None
    assert meter.published == 100_000


@pytest.mark.parametrize(
    ("take", "limit", "code"),
    [
        (Meter.take_publish, Limits(publishes_per_second=3), "publish_rate"),
        (Meter.take_read, Limits(reads_per_second=3), "read_rate"),
    ],
)
def test_so_many_requests_are_taken_in_a_second(take: object, limit: Limits, code: str) -> None:
    assert callable(take)
    meter = Meter()
    for second in range(3):
        for _ in range(3):
            take(meter, limit, NOON + second)
        with pytest.raises(RateLimitedError) as error:
            take(meter, limit, NOON + second + 0.999)
        assert (error.value.code, error.value.retry_after) == (code, 1)


def test_requests_of_one_kind_do_not_count_as_the_other() -> None:
    meter, limits = Meter(), Limits(publishes_per_second=1, reads_per_second=1)
    meter.take_publish(limits, NOON)
    meter.take_read(limits, NOON)


class TestMessagesASecond:
    def test_a_publish_that_would_make_more_is_refused_whole(self) -> None:
        meter, limits = Meter(), Limits(messages_per_second=10)
        assert refusal(meter, 8, limits) is None
        assert refusal(meter, 3, limits) == ("message_rate", 1)
        assert refusal(meter, 2, limits) is None
        assert refusal(meter, 1, limits) == ("message_rate", 1)
        assert refusal(meter, 1, limits, NOON + 1) is None

    def test_the_first_one_of_a_second_gets_through_however_large(self) -> None:
        meter, limits = Meter(), Limits(messages_per_second=10)
        assert refusal(meter, 100, limits) is None
        assert refusal(meter, 1, limits) == ("message_rate", 1)


class TestMessagesADay:
    def test_published_and_delivered_ones_count_until_midnight(self) -> None:
        meter, limits = Meter(), Limits(messages_per_day=10)
        assert refusal(meter, 1, limits) is None
        meter.delivered += 8
        assert refusal(meter, 1, limits) is None
        assert refusal(meter, 1, limits) == ("message_quota", SECONDS_A_DAY // 2)
        assert refusal(meter, 1, limits, MIDNIGHT + SECONDS_A_DAY - 0.5) == ("message_quota", 1)
        assert refusal(meter, 1, limits, MIDNIGHT + SECONDS_A_DAY) is None
        assert meter.messages_today(MIDNIGHT + SECONDS_A_DAY) == 1

    def test_what_the_books_say_counts_with_what_came_since(self) -> None:
        meter, limits = Meter(), Limits(messages_per_day=100)
        meter.take_messages(5, limits, NOON)
        counted = meter.published + meter.delivered
        meter.take_messages(3, limits, NOON)  # while the books were written
        meter.book(int(NOON // SECONDS_A_DAY), 90, counted)
        assert meter.messages_today(NOON) == 93
        meter.delivered += 7
        assert refusal(meter, 1, limits) == ("message_quota", SECONDS_A_DAY // 2)

    def test_books_of_yesterday_do_not_count(self) -> None:
        meter = Meter()
        meter.book(int(NOON // SECONDS_A_DAY) - 1, 90, 0)
        assert meter.messages_today(NOON) == 0

    def test_a_clock_that_is_set_back_over_midnight_changes_nothing(self) -> None:
        meter, limits = Meter(), Limits(messages_per_day=10)
        meter.take_messages(5, limits, NOON)
        assert meter.messages_today(NOON) == 5
        assert meter.messages_today(NOON - SECONDS_A_DAY) == 5


def test_the_peak_is_the_most_connections_at_a_time() -> None:
    meter = Meter()
    for _ in range(3):
        meter.connected()
    meter.disconnected()
    meter.disconnected()
    assert (meter.connections, meter.connections_peak) == (1, 3)
    meter.forget_peak()
    assert meter.connections_peak == 1
    meter.connected()
    assert meter.connections_peak == 2
