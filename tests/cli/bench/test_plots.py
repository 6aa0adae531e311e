import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.cli.bench.plots import histogram, over_time
from skubber.cli.bench.result import Bar, Moment

WIDTH = 90
LATENCIES = st.floats(0.001, 600_000)


@given(st.dictionaries(LATENCIES, st.integers(1, 10**9), min_size=1))
def test_a_histogram_has_all_deliveries_in_a_few_lines_that_fit(counts: dict[float, int]) -> None:
    lines = histogram([Bar(bound, counts[bound]) for bound in sorted(counts)], WIDTH).plain.split("\n")
    assert 1 <= len(lines) <= 12
    assert max(map(len, lines)) <= WIDTH
    shares = [float(line.split()[-1].rstrip("%")) for line in lines]
    assert sum(shares) == pytest.approx(100, abs=1)


def test_the_longest_bar_is_that_of_the_most() -> None:
    lines = histogram([Bar(1, 10), Bar(2, 40), Bar(3, 20)], WIDTH).plain.split("\n")
    longest = max(lines, key=lambda line: line.count("█"))
    assert longest.lstrip().startswith("to 2 ms ")
    assert lines[0].count("█") * 4 == pytest.approx(longest.count("█"), abs=4)


@given(st.lists(st.tuples(LATENCIES, LATENCIES), min_size=2, max_size=300))
def test_a_curve_fits_whatever_it_shows(values: list[tuple[float, float]]) -> None:
    moments = [Moment(number * 0.2, 1, *sorted(pair)) for number, pair in enumerate(values)]
    lines = over_time(moments, WIDTH).plain.split("\n")
    assert len(lines) == 10
    assert max(map(len, lines)) <= WIDTH


def test_a_moment_without_deliveries_is_a_gap() -> None:
    moments = [Moment(0, 1, 5, 5), Moment(0.2, 0, None, None), Moment(0.4, 1, 5, 5)]
    bottom = over_time(moments, WIDTH).plain.split("\n")[7]
    assert "█ " in bottom
    assert " █" in bottom.strip()


def test_a_stall_stands_out_of_the_curve() -> None:
    moments = [Moment(number * 0.2, 1, 1, 900 if number == 20 else 2) for number in range(40)]
    lines = over_time(moments, WIDTH).plain.split("\n")
    assert "1 s" in lines[0]
    high = lines[2][11:].rstrip()
    assert "█" in high
    assert len(high.lstrip()) <= 3
