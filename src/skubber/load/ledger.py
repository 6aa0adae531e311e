"""What a client has received of each lane of its channel, and what it has not."""

from collections.abc import Sequence


class Ledger:
    """Checks that every message arrives once, and in order.

    Args:
        lanes: how many publishers the channel has.

    Attributes:
        duplicated: messages that arrived again.
        reordered: messages that arrived after a later one.
    """

    __slots__ = ("_missing", "_next", "duplicated", "reordered")

    def __init__(self, lanes: int) -> None:
        self._next = [0] * lanes
        self._missing: set[tuple[int, int]] | None = (
            None  # there are tens of thousands of ledgers, and most miss nothing
        )
        self.duplicated = 0
        self.reordered = 0

    def received(self, lane: int, number: int) -> None:
        """A message has arrived."""
        expected = self._next[lane]
        if number == expected:
            self._next[lane] = expected + 1
        else:
            self._out_of_turn(lane, number, expected)

    def lost(self, sent: Sequence[int]) -> int:
        """How many messages have not arrived, where each lane was given so many."""
        behind = sum(max(0, count - received) for count, received in zip(sent, self._next, strict=True))
        return behind + (len(self._missing) if self._missing else 0)

    def gaps(self) -> int:
        """How many messages have not arrived although a later one has."""
        return len(self._missing) if self._missing else 0

    def _out_of_turn(self, lane: int, number: int, expected: int) -> None:
        if number > expected:
            if self._missing is None:
                self._missing = set()
            self._missing.update((lane, each) for each in range(expected, number))
            self._next[lane] = number + 1
        elif self._missing and (lane, number) in self._missing:
            self._missing.discard((lane, number))
            self.reordered += 1
        else:
            self.duplicated += 1
