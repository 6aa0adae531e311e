"""Seconds on their way into the database, a minute of them at a time."""

from collections.abc import Mapping
from heapq import nlargest

import msgspec

from skubber.history.sample import SERVER, Sample

BLOCK_SECONDS = 60
"""Seconds in a row of the database."""

MOST_APPS = 100
"""Most apps of which a minute of one node is kept: those that come first, of those that come at once the busiest."""

encode_block = msgspec.msgpack.Encoder().encode
decode_block = msgspec.msgpack.Decoder(dict[int, Sample]).decode
"""A block packed: samples by their second in the minute."""


class Blocks:
    """The minutes that are not written yet, or not over.

    Attributes:
        by_minute: by the time at which each begins, seconds since the epoch: samples by app, by second in it.
    """

    def __init__(self) -> None:
        self.by_minute: dict[int, dict[str, dict[int, Sample]]] = {}

    def add(self, at: int, samples: Mapping[str, Sample]) -> None:
        """Add a second's samples.

        Args:
            at: the second, since the epoch.
            samples: by app, and of the whole server.
        """
        second = at % BLOCK_SECONDS
        block = self.by_minute.setdefault(at - second, {SERVER: {}})
        fresh = [app_id for app_id in samples if app_id not in block]
        room = MOST_APPS + 1 - len(block)
        if len(fresh) > room:
            fresh = nlargest(room, fresh, key=lambda app_id: _busyness(samples[app_id]))
        block.update((app_id, {}) for app_id in fresh)
        for app_id, seconds in block.items():
            if (sample := samples.get(app_id)) is not None:
                seconds[second] = sample

    def packed(self) -> Mapping[int, Mapping[str, bytes]]:
        """All of them, packed, by minute and app."""
        return {
            minute: {app_id: encode_block(seconds) for app_id, seconds in block.items() if seconds}
            for minute, block in self.by_minute.items()
        }

    def forget_before(self, minute: int) -> None:
        """What is earlier is written."""
        self.by_minute = {each: block for each, block in self.by_minute.items() if each >= minute}

    def seconds(self, app_id: str) -> Mapping[int, Sample]:
        """An app's samples by second, since the epoch."""
        return {
            minute + second: sample
            for minute, block in self.by_minute.items()
            for second, sample in block.get(app_id, {}).items()
        }


def _busyness(sample: Sample) -> tuple[int, int]:
    return sample.published + sample.delivered, sample.connections
