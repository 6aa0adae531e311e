"""When a signal to stop means: at once."""

import time
from collections.abc import Callable

SAME_SIGNAL_SECONDS = 0.5
"""Signals so close to each other are one.

Programs that run others pass on what the others have got already: timeout(1), for one, signals its child and then the
group that the child is in.
"""


class StopSignals:
    """The signals to stop that a process has got.

    Args:
        clock: seconds that never go backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: float | None = None

    def is_second(self) -> bool:
        """Note a signal; returns whether it is another one than the first."""
        now = self._clock()
        if self._first is None:
            self._first = now
        return now - self._first >= SAME_SIGNAL_SECONDS
