"""Clocks that differ."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from skubber.cli.doctor.clock import check_date, compare_clocks
from skubber.cli.doctor.finding import Status


@pytest.mark.parametrize(
    ("difference", "status"),
    [(0.2, Status.OK), (-29, Status.OK), (31, Status.WARNING), (-599, Status.WARNING), (-601, Status.FAILED)],
)
def test_what_a_difference_means(difference: float, status: Status) -> None:
    finding = compare_clocks("clock", "Redis", difference)
    assert finding.status is status
    assert ("behind" if difference < 0 else "ahead of") in finding.message


@pytest.mark.parametrize(("minutes", "status"), [(0, Status.OK), (-3, Status.WARNING), (15, Status.FAILED)])
def test_the_date_of_an_answer_tells_the_time(minutes: int, status: Status) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    assert check_date(date).status is status


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_an_answer_without_a_date_tells_nothing(date: str | None) -> None:
    assert check_date(date).status is Status.WARNING
