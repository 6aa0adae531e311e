"""The results as a table in Markdown, made for a terminal as much as for a document."""

from collections.abc import Sequence
from statistics import median

from benchmarks.harness.row import Row

_HEAD = ("row", "measured", "baseline", "ratio", "target", "reached")


def render_table(rows: Sequence[Row]) -> str:
    """The table, one line a row."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"


def _cells(row: Row) -> tuple[str, ...]:
    baseline = f"{_figure(median(row.comparison.baseline))} ({row.baseline})" if row.comparison.baseline else "-"
    measured = "not measured" if row.measured is None else f"{_figure(row.measured)} {row.unit}"
    ratio = "-" if row.comparison.ratio is None else f"{row.comparison.ratio:.2f}x"
    target = "-" if row.target is None else str(row.target)
    reached = {None: "-", True: "yes", False: "no"}[row.is_reached]
    return row.name, measured, baseline, ratio, target, reached


def _figure(value: float) -> str:
    """Three digits, or all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
