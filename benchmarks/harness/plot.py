"""The ratios to the baselines as a picture."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from benchmarks.harness.row import Row
from matplotlib.figure import Figure

_REACHED, _MISSED, _NO_TARGET = "#2a7f62", "#c0392b", "#7f8c8d"


def draw(rows: Sequence[Row], file: Path) -> None:
    """Draw a bar for each row with a baseline, and its target as a line across; nothing when there is no such row."""
    compared = [(row, row.comparison.ratio) for row in rows if row.comparison.ratio is not None]
    if not compared:
        return
    # Text stays text: the file is a fifth of the size and can be read as a difference. No date: the same figures make
    # the same file.
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "skubber"
    figure = Figure(figsize=(9, 0.36 * len(compared) + 1))
    axes = figure.add_subplot()
    for place, (row, ratio) in enumerate(compared):
        color = {True: _REACHED, False: _MISSED, None: _NO_TARGET}[row.is_reached]
        axes.barh(place, ratio, color=color, height=0.6)
        axes.text(ratio, place, f" {ratio:.2f}x {row.baseline}", va="center", fontsize=8)
        if row.target is not None and row.target.of == "ratio":
            axes.plot([row.target.bound] * 2, [place - 0.4, place + 0.4], color="black", linewidth=1.5)
    axes.set_yticks(range(len(compared)), [row.name for row, _ in compared], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, max(ratio for _, ratio in compared) * 1.35)
    axes.axvline(1, color="black", linewidth=0.5, linestyle=":")
    axes.set_xlabel("ratio to the baseline (for CPU and latency less is better, for requests/s more)", fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
