"""Rate limits: token buckets, many under one roof."""

from collections.abc import Hashable


class TokenBuckets:
    """One bucket for each key: it holds ``capacity`` tokens, and fills up again at ``per_second``.

    ``max_keys`` bounds what an attacker with many addresses can make us keep, by forgetting whoever took a token least
    recently.

    Args:
        capacity: tokens in a full bucket: how much may happen at once.
        per_second: tokens that come back in a second: how much may happen in the long run.
        max_keys: most buckets kept.
    """

    __slots__ = ("_buckets", "_capacity", "_max_keys", "_per_second")

    def __init__(self, capacity: float, per_second: float, max_keys: int = 10_000) -> None:
        self._capacity = capacity
        self._per_second = per_second
        self._max_keys = max_keys
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def wait(self, key: Hashable, now: float) -> float:
        """Seconds until a key has a whole token; 0 when it has one. Takes none."""
        missing = 1 - self._tokens(key, now)
        return missing / self._per_second if missing > 0 else 0.0

    def take(self, key: Hashable, now: float) -> None:
        """Take a token from a key's bucket, which may go into debt by at most one."""
        tokens = max(self._tokens(key, now) - 1, -1.0)
        self._buckets.pop(key, None)  # put it at the end: the least recently used come first
        self._buckets[key] = (tokens, now)
        if len(self._buckets) > self._max_keys:
            del self._buckets[next(iter(self._buckets))]

    def _tokens(self, key: Hashable, now: float) -> float:
        tokens, since = self._buckets.get(key, (self._capacity, now))
        return min(self._capacity, tokens + max(0.0, now - since) * self._per_second)
