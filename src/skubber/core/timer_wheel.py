"""One timer wheel for every connection's timeouts: no timer object per connection."""

from typing import Protocol


class Timed(Protocol):
    """Something with one pending timeout at a time.

    Attributes:
        timer_slot: kept by the wheel; -1 when nothing is scheduled.
    """

    timer_slot: int

    def timer_due(self, now: int) -> int:
        """Do what is due at second ``now``; return after how many seconds to come back, 0 for never."""
        ...


class TimerWheel:
    """A ring of one-second slots, each a set of things due in that second.

    Args:
        slots: the ring's size, seconds. Longer delays are cut to it, so ``timer_due`` must look whether its time has
            really come.
    """

    __slots__ = ("_slots", "now")

    def __init__(self, slots: int = 256) -> None:
        self._slots: list[set[Timed]] = [set() for _ in range(slots)]
        self.now = 0
        """Seconds since the wheel was made: the coarse clock for noting a connection's last sign of life."""

    def schedule(self, timed: Timed, delay: int) -> None:
        """Have ``timed`` called in ``delay`` seconds (at least 1); what it had scheduled before is dropped."""
        self.cancel(timed)
        size = len(self._slots)
        timed.timer_slot = (self.now + max(1, min(delay, size - 1))) % size
        self._slots[timed.timer_slot].add(timed)

    def cancel(self, timed: Timed) -> None:
        """Drop what ``timed`` has scheduled, if anything."""
        if timed.timer_slot >= 0:
            self._slots[timed.timer_slot].discard(timed)
            timed.timer_slot = -1

    def advance(self) -> None:
        """Let one second pass: call what is due in it and schedule what asks to come back.

        Raises:
            ExceptionGroup: of those that failed; all others have been called nonetheless.
        """
        self.now += 1
        failures = []
        due = self._slots[self.now % len(self._slots)]
        # Taken out one by one, so that one that is called can still cancel another; no delay leads back into this slot.
        while due:
            timed = due.pop()
            timed.timer_slot = -1
            try:
                delay = timed.timer_due(self.now)
            except Exception as failure:
                failures.append(failure)
                continue
            if delay:
                self.schedule(timed, delay)
        if failures:
            raise ExceptionGroup("timers failed", failures)
