"""A row of the results: what was measured, beside what, and what it should be."""

from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec


class Target(msgspec.Struct, frozen=True):
    """What a row has to reach.

    Attributes:
        bound: the bound.
        direction: on which side of it the figure has to be.
        of: the figure: the ratio to the baseline, or the measured figure itself.
    """

    bound: float
    direction: Literal["at most", "at least"]
    of: Literal["ratio", "measured"]

    def __str__(self) -> str:
        sign = "≤" if self.direction == "at most" else "≥"
        unit = "x" if self.of == "ratio" else ""
        return f"{sign} {self.bound:,g}{unit}"

    def is_reached(self, figure: float) -> bool:
        """Whether a figure is on the right side of the bound."""
        return figure <= self.bound if self.direction == "at most" else figure >= self.bound


class Comparison(msgspec.Struct, frozen=True):
    """The same figure of two things, measured in turns so that both see the machine in the same moods.

    Attributes:
        measured: of the server, one for each round.
        baseline: of what it is compared with, one for each round; empty when there is nothing.
    """

    measured: Sequence[float]
    baseline: Sequence[float] = ()

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios: a disturbance spoils the round it falls into, not the figure."""
        if not self.measured or not self.baseline:
            return None
        return median(ours / theirs for ours, theirs in zip(self.measured, self.baseline, strict=True))


class Row(msgspec.Struct, frozen=True):
    """One line of the table.

    Attributes:
        workload: the workload it comes from.
        name: what was measured.
        unit: in what.
        comparison: the figures.
        baseline: what it is compared with, if anything.
        target: what it has to reach, if that has been settled.
    """

    workload: str
    name: str
    unit: str
    comparison: Comparison
    baseline: str | None = None
    target: Target | None = None

    @property
    def measured(self) -> float | None:
        """The median over the rounds; None when it could not be measured (a foreign server without ``--pid``)."""
        return median(self.comparison.measured) if self.comparison.measured else None

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is reached; None when there is none, or nothing to hold against it."""
        if self.target is None:
            return None
        figure = self.comparison.ratio if self.target.of == "ratio" else self.measured
        return None if figure is None else self.target.is_reached(figure)
