"""Plots of block characters."""

import math
from collections.abc import Sequence

from rich.text import Text

from skubber.cli.bench.result import Bar, Moment

_BLOCKS = " ▁▂▃▄▅▆▇█"
_BAR = " ▏▎▍▌▋▊▉█"
_ROWS = 8
_STEPS = 12
_MANTISSAS = ((1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,))
"""Steps in each power of ten: the finest that need no more than so many rows."""

_LABEL = 17


def histogram(bars: Sequence[Bar], width: int) -> Text:
    """How many deliveries took how long; the steps grow, as latencies do.

    Args:
        bars: the deliveries, one at least.
        width: columns.
    """
    bounds = _bounds(bars)
    counts = [0] * len(bounds)
    for bar in bars:
        counts[next(number for number, bound in enumerate(bounds) if bar.up_to <= bound)] += bar.count
    total, longest = sum(counts), max(counts)
    room = width - _LABEL - 8
    text = Text()
    for number, (bound, count) in enumerate(zip(bounds, counts, strict=True)):
        label = f"to {_milliseconds(bound)}"
        text.append(f"{label:>{_LABEL - 2}}  ", "dim")
        text.append(_horizontal(count / longest * room).ljust(room), "cyan")
        text.append(f" {count / total:6.1%}" + ("" if number == len(bounds) - 1 else "\n"))
    return text


def over_time(moments: Sequence[Moment], width: int) -> Text:
    """The median and the 99th percentile as they went, the worst of what a column holds.

    Args:
        moments: what was measured, two at least.
        width: columns.
    """
    columns = _columns(moments, width - 12)
    top = max(p99 for _, p99 in columns)
    top = _steps(_MANTISSAS[-1], top, top)[0]
    text = Text()
    for row in range(_ROWS - 1, -1, -1):
        label = _milliseconds(top * (row + 1) / _ROWS) if row in {_ROWS - 1, _ROWS // 2 - 1} else ""
        text.append(f"{label:>10} ", "dim")
        for p50, p99 in columns:
            _cell(text, p50 / top * _ROWS - row, p99 / top * _ROWS - row)
        text.append("\n")
    seconds = moments[-1].second + moments[1].second - moments[0].second
    end = f"{seconds:.1f} s"
    text.append(f"{'':11}0 s{end:>{len(columns) - 3}}\n", "dim")
    text.append(f"{'':11}")
    text.append("█", "cyan").append(" p50   ").append("█", "magenta").append(" p99")
    return text


def _cell(text: Text, p50: float, p99: float) -> None:
    """One character: how far median and 99th percentile fill it, from 0 to 1, and what is above or below that."""
    if p50 >= 1:
        text.append("█", "cyan")
    elif p50 > 0 and p99 >= 1:
        text.append(_block(p50), "cyan on magenta")
    elif p50 > 0:
        text.append(_block(p50), "cyan")
    elif p99 > 0:
        text.append(_block(min(p99, 1)), "magenta")
    else:
        text.append(" ")


def _block(share: float) -> str:
    return _BLOCKS[max(1, min(8, round(share * 8)))]


def _horizontal(length: float) -> str:
    whole, part = divmod(round(length * 8), 8)
    return "█" * whole + (_BAR[part] if part else "")


def _columns(moments: Sequence[Moment], width: int) -> list[tuple[float, float]]:
    """Median and 99th percentile for each column."""
    columns = []
    for column in range(width):
        first = column * len(moments) // width
        end = max(first + 1, (column + 1) * len(moments) // width)
        part = moments[first:end]
        columns.append((max(each.p50 or 0 for each in part), max(each.p99 or 0 for each in part)))
    return columns


def _bounds(bars: Sequence[Bar]) -> list[float]:
    """Upper bounds of steps, ascending; as fine as there are rows for."""
    shortest, longest = bars[0].up_to, bars[-1].up_to
    for mantissas in _MANTISSAS:
        bounds = _steps(mantissas, shortest, longest)
        if len(bounds) <= _STEPS:
            break
    return bounds[-_STEPS:]


def _steps(mantissas: Sequence[float], shortest: float, longest: float) -> list[float]:
    """From the first step that holds the shortest to the first that holds the longest."""
    powers = range(math.floor(math.log10(shortest)), math.floor(math.log10(longest)) + 2)
    steps = [mantissa * 10.0**power for power in powers for mantissa in mantissas]
    first = next(number for number, step in enumerate(steps) if step >= shortest)
    last = next(number for number, step in enumerate(steps) if step >= longest)
    return steps[first : last + 1]


def _milliseconds(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:g} s"
    return f"{value:.3g} ms" if value >= 1 else f"{value * 1000:.3g} µs"
