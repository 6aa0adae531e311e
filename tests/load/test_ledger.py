from hypothesis import given
from hypothesis import strategies as st

from skubber.load.ledger import Ledger


def after(*numbers: int, lanes: int = 1) -> Ledger:
    ledger = Ledger(lanes)
    for number in numbers:
        ledger.received(0, number)
    return ledger


def outcome(ledger: Ledger, sent: int) -> tuple[int, int, int]:
    return ledger.lost([sent]), ledger.duplicated, ledger.reordered


def test_all_in_turn_is_all_well() -> None:
    assert outcome(after(0, 1, 2), 3) == (0, 0, 0)


def test_the_last_ones_can_be_lost() -> None:
    assert outcome(after(0, 1), 4) == (2, 0, 0)


def test_one_in_the_middle_can_be_lost() -> None:
    ledger = after(0, 2, 3)
    assert outcome(ledger, 4) == (1, 0, 0)
    assert ledger.gaps() == 1


def test_one_that_comes_late_is_not_lost() -> None:
    assert outcome(after(0, 2, 1, 3), 4) == (0, 0, 1)


def test_one_that_comes_again_is_counted_each_time() -> None:
    assert outcome(after(0, 1, 1, 0), 2) == (0, 2, 0)


def test_one_that_comes_late_can_come_again() -> None:
    assert outcome(after(1, 0, 0), 2) == (0, 1, 1)


def test_one_whose_answer_never_came_is_not_amiss() -> None:
    assert outcome(after(0, 1, 2), 2) == (0, 0, 0)


def test_lanes_are_counted_by_themselves() -> None:
    ledger = Ledger(2)
    ledger.received(0, 0)
    ledger.received(1, 0)
    ledger.received(1, 2)
    assert (ledger.lost([1, 3]), ledger.duplicated, ledger.reordered) == (1, 0, 0)


@given(st.lists(st.integers(0, 20)))
def test_every_arrival_is_accounted_for(numbers: list[int]) -> None:
    ledger = after(*numbers)
    assert ledger.lost([21]) == 21 - len(set(numbers))
    assert ledger.duplicated == len(numbers) - len(set(numbers))
