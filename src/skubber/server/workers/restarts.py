"""When a worker that has died is started again."""

STEADY_SECONDS = 10
"""Who has served for so long was no failure: it is replaced at once."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0


class Restarts:
    """The history of one worker's place.

    Attributes:
        failed_starts: how often in a row a worker has died before it served.
    """

    def __init__(self) -> None:
        self.failed_starts = 0
        self._short_lives = 0

    def died(self, served_seconds: float | None) -> float:
        """Note a death.

        Args:
            served_seconds: how long the worker has served; None: it never did.

        Returns:
            Seconds to wait before the next is started: more each time, as long as none lives for ``STEADY_SECONDS``.
        """
        self.failed_starts = self.failed_starts + 1 if served_seconds is None else 0
        if served_seconds is not None and served_seconds >= STEADY_SECONDS:
            self._short_lives = 0
            return 0
        self._short_lives += 1
        return min(_FIRST_PAUSE * 2.0 ** min(self._short_lives - 1, 10), _LONGEST_PAUSE)
