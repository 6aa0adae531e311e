import pytest
from benchmarks.harness.row import Comparison, Row, Target

AT_MOST = Target(1.3, "at most", "ratio")
AT_LEAST = Target(5000, "at least", "measured")


def row(comparison: Comparison, target: Target | None) -> Row:
    return Row("workload", "name", "unit", comparison, target=target)


def test_the_ratio_is_the_median_of_the_rounds_not_a_ratio_of_medians() -> None:
    # The machine was three times as slow during the second and third round.
    assert Comparison([10, 33, 36], [10, 30, 30]).ratio == 1.1


def test_without_a_baseline_there_is_no_ratio() -> None:
    assert Comparison([1, 2]).ratio is None


@pytest.mark.parametrize(("measured", "reached"), [(1.3, True), (1.31, False)])
def test_an_upper_bound_on_the_ratio(measured: float, reached: bool) -> None:
    assert row(Comparison([measured], [1]), AT_MOST).is_reached is reached


@pytest.mark.parametrize(("measured", "reached"), [(5000, True), (4999, False)])
def test_a_lower_bound_on_the_figure_itself(measured: float, reached: bool) -> None:
    assert row(Comparison([measured], [1]), AT_LEAST).is_reached is reached


def test_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    unmeasured = row(Comparison(()), AT_LEAST)
    assert unmeasured.measured is None
    assert unmeasured.is_reached is None


def test_a_row_without_a_target_is_neither_reached_nor_missed() -> None:
    assert row(Comparison([1]), None).is_reached is None


def test_a_target_is_written_with_its_direction() -> None:
    assert str(AT_MOST) == "≤ 1.3x"
    assert str(AT_LEAST) == "≥ 5,000"
