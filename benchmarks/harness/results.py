"""Keeping the results: all raw figures as JSON, and a plot of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from benchmarks.harness.build import BENCHMARKS
from benchmarks.harness.plot import draw
from benchmarks.harness.row import Row

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
    """Write the figures and the plot: ``latest`` for a complete run of our own server, ``partial`` for any other."""
    stem = RESULTS / ("latest" if is_complete else "partial")
    RESULTS.mkdir(exist_ok=True)
    results = Results(datetime.now(UTC).date().isoformat(), machine, round(others, 3), rows)
    text = msgspec.json.format(msgspec.json.encode(results), indent=1)
    stem.with_suffix(".json").write_bytes(text + b"\n")
    draw(rows, stem.with_suffix(".svg"))
