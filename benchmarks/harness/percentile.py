"""Percentiles."""

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share (0 to 1) of all values do not exceed: the nearest-rank percentile.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("There is no percentile of nothing.")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
