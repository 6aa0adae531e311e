"""How long publishes take, found out with one in sixteen.

Two readings of the clock and what belongs to them are about 0.5 us, three hundredths of all that a publish over HTTP
costs. For one in sixteen it is 0.1 us, and a busy server still has thousands of samples a minute.
"""

from collections.abc import Callable

from skubber.core.histogram import Histogram

SAMPLE_EVERY = 16
"""Of so many publishes one is measured: the first, the seventeenth and so on."""


class PublishWatch:
    """Measures publishes, from the moment they are accepted to that at which they are out of this node's hands.

    That is when the broker has answered and, where this node has subscribers, when their frames have been written.

    Args:
        clock: seconds, monotonic.

    Attributes:
        durations: what was measured.
        unwritten: when those were accepted that are still to be written.
    """

    __slots__ = ("_clock", "_count", "durations", "unwritten")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.durations = Histogram()
        self._clock = clock
        self._count = 0
        self.unwritten: list[float] = []

    def begin(self) -> float | None:
        """A publish is accepted; returns when, if it is one to be measured."""
        self._count += 1
        return self._clock() if self._count % SAMPLE_EVERY == 1 else None

    def answered(self, begun: float, *, waits_for_flush: bool) -> None:
        """The broker has answered it.

        Args:
            begun: what ``begin`` returned.
            waits_for_flush: whether something is still to be written.
        """
        if waits_for_flush:
            self.unwritten.append(begun)
        else:
            self.durations.observe(self._clock() - begun)

    def flushed(self) -> None:
        """All that was to be written has been."""
        now = self._clock()
        for begun in self.unwritten:
            self.durations.observe(now - begun)
        self.unwritten.clear()
