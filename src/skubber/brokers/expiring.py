"""A map whose entries live for a fixed time."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ExpiringMap(Generic[Key, Value]):
    """Remembers values for a while; what has expired takes up no room once something new comes in.

    Args:
        clock: monotonic seconds.
        lifetime: seconds a value is kept.
    """

    __slots__ = ("_clock", "_entries", "_lifetime")

    def __init__(self, clock: Callable[[], float], lifetime: float) -> None:
        self._clock = clock
        self._lifetime = lifetime
        # All live equally long, so the order in which they came in is the one in which they expire. A plain dict would
        # look for its first entry among all those deleted before it.
        self._entries: OrderedDict[Key, tuple[Value, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, in place of the one before; its time starts anew."""
        now = self._clock()
        entries = self._entries
        entries[key] = (value, now + self._lifetime)
        entries.move_to_end(key)
        while entries[next(iter(entries))][1] <= now:
            entries.popitem(last=False)

    def get(self, key: Key) -> tuple[Value, float] | None:
        """The value and the seconds it still has, if it has not expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        left = entry[1] - self._clock()
        return (entry[0], left) if left > 0 else None

    def drop(self, key: Key) -> None:
        """Forget a value before its time."""
        self._entries.pop(key, None)
