"""What grows by how much in a second."""

from collections.abc import Sequence

import msgspec
import pytest
from rich.console import Console

from skubber.cli.watching import Reading, Row, drawn, with_rates


class Nothing(msgspec.Struct):
    """What these figures come from."""


def reading(at: float, **counters: Sequence[int]) -> Reading:
    rows = [Row(app_id, ("plan",), numbers) for app_id, numbers in counters.items()]
    return Reading(Nothing(), ("APP", "PLAN"), ("A/S", "B/S"), rows, at)


def test_a_rate_is_what_was_added_by_the_time_that_passed() -> None:
    assert with_rates(reading(12, shop=(30, 7)), reading(10, shop=(10, 7))) == [["shop", "plan", "10.0", "0.0"]]


@pytest.mark.parametrize("earlier", [None, reading(10, other=(1, 1)), reading(12, shop=(1, 1))])
def test_without_a_moment_to_compare_with_there_is_no_rate(earlier: Reading | None) -> None:
    assert with_rates(reading(12, shop=(30, 7)), earlier) == [["shop", "plan", "-", "-"]]


def test_a_counter_that_began_anew_at_midnight_has_no_negative_rate() -> None:
    assert with_rates(reading(12, shop=(4, 7)), reading(10, shop=(1000, 7)))[0][2:] == ["2.0", "0.0"]


def test_names_and_reasons_are_shown_as_they_are_whatever_they_look_like() -> None:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(drawn(reading(12, **{"[/bold]": (1, 2)}), None, "no [answer]"))
    assert "[/bold]" in capture.get()
    assert "no [answer]" in capture.get()
