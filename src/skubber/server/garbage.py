"""When the garbage collector runs: seldom, and over little.

What a connection leaves behind is freed by reference counts; the collector is there for what libraries leave. Left to
itself it looks through all objects again each time their number has grown by a quarter: with 12,000 clients coming and
going that were seven stops of up to 125 ms. Most of these objects stay for long. Once a minute those that are still
there are put out of its sight, so that it never looks through more than a minute's worth, and once an hour it looks
through all of them.

Source: Python documentation, ``gc.freeze``.
"""

import gc

_THRESHOLDS = (10_000, 20, 1_000_000)
"""Of the youngest objects so many more before they are looked through; the oldest only when we say so."""

_SETTLE_SECONDS = 60
_THAW_SECONDS = 3600


class GarbageCollection:
    """The policy of one process. Call ``tick`` once a second."""

    def __init__(self) -> None:
        self._seconds = 0

    def start(self) -> None:
        """Put everything that was made in starting out of the collector's sight."""
        gc.set_threshold(*_THRESHOLDS)
        self._settle()

    def tick(self) -> None:
        """A second has passed."""
        self._seconds += 1
        if self._seconds % _THAW_SECONDS == 0:
            gc.unfreeze()
        if self._seconds % _SETTLE_SECONDS == 0:
            self._settle()

    @staticmethod
    def _settle() -> None:
        gc.collect()
        gc.freeze()
