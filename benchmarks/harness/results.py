"""Keeping the results: all raw figures as JSON, a plot of them, and the table in the documentation."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from benchmarks.harness.build import BENCHMARKS
from benchmarks.harness.page import PAGE, with_figures
from benchmarks.harness.plot import draw
from benchmarks.harness.row import Row
from benchmarks.harness.table import render_table

RESULTS = BENCHMARKS / "results"


class Results(msgspec.Struct):
    """What ``latest.json`` holds.

    Attributes:
        date: when the run ended.
        machine: what it ran on.
        others: the share of the machine, 0 to 1, that other processes took meanwhile.
        rows: the rows with the figures of every round.
    """

    date: str
    machine: Mapping[str, str]
    others: float
    rows: Sequence[Row]


def save(rows: Sequence[Row], machine: Mapping[str, str], others: float, is_complete: bool) -> None:
    """Write the figures and the plot.

    Args:
        rows: the rows.
        machine: what they were measured on.
        others: the share of the machine that other processes took.
        is_complete: whether all workloads were run on our own server; their figures go to ``latest`` and into the
            documentation, any others to ``partial``.
    """
    stem = RESULTS / ("latest" if is_complete else "partial")
    RESULTS.mkdir(exist_ok=True)
    results = Results(datetime.now(UTC).date().isoformat(), machine, round(others, 3), rows)
    text = msgspec.json.format(msgspec.json.encode(results), indent=1)
    stem.with_suffix(".json").write_bytes(text + b"\n")
    draw(rows, stem.with_suffix(".svg"))
    if is_complete:
        PAGE.write_text(with_figures(PAGE.read_text(), _figures(results)))


def _figures(results: Results) -> str:
    machine = results.machine
    software = ", ".join(f"{name} {machine[name]}" for name in ("python", "uvloop", "httptools", "kernel"))
    return (
        f"{results.date}, {machine['cores']} cores of {machine['processor']}; {software}. "
        f"Other processes took {results.others:.0%} of the machine.\n\n{render_table(results.rows)}\n"
    )
