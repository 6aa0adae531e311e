"""Plots of block characters."""

import math
from collections.abc import Sequence

from rich.text import Text

from skubber.cli.bench.result import Bar, Moment

_BLOCKS = " ▁▂▃▄▅▆▇█"
_BAR = " ▏▎▍▌▋▊▉█"
_ROWS = 8
_STEPS = 12
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
    """The median and the 99th percentile as they went, one column or more for each moment.

    Args:
        moments: what was measured, two at least.
        width: columns.
    """
    columns = _columns(moments, width - 12)
    top = _round_up(max(p99 for _, p99 in columns))
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
    """Median and 99th percentile for each column; where several moments share one, the worst of them."""
    count = min(width, len(moments) * max(1, width // len(moments)))
    columns = []
    for column in range(count):
        first = column * len(moments) // count
        end = max(first + 1, (column + 1) * len(moments) // count)
        part = moments[first:end]
        columns.append((max(each.p50 or 0 for each in part), max(each.p99 or 0 for each in part)))
    return columns


def _bounds(bars: Sequence[Bar]) -> list[float]:
    """Upper bounds of steps, 1, 2 or 5 times a power of ten; the last holds the longest, and there are at most 12."""
    longest = bars[-1].up_to
    bounds = [_round_up(longest)]
    while len(bounds) < _STEPS and bounds[0] > bars[0].up_to:
        bounds.insert(0, _step_below(bounds[0]))
    if bounds[0] < bars[0].up_to:
        del bounds[0]
    return bounds


def _round_up(value: float) -> float:
    """The next number that is 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step for step in (power, 2 * power, 5 * power, 10 * power) if step * (1 + 1e-9) >= value)


def _step_below(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step) + 1e-9)
    mantissa = round(step / power)
    return {1: power / 2, 2: power, 5: power * 2}[mantissa]


def _milliseconds(value: float) -> str:
    if value >= 1000:
        return f"{value / 1000:g} s"
    return f"{value:.3g} ms" if value >= 1 else f"{value * 1000:.3g} µs"
