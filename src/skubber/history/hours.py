"""From seconds to hours: once an hour is over, its seconds of all nodes become one sample, which stays for a month."""

import asyncio
from collections.abc import Iterable

import msgspec

from skubber.history.blocks import decode_block
from skubber.history.sample import Sample, in_a_row, together
from skubber.store.database import Database
from skubber.store.history import HOUR, StoredMinute, forget_history, keep_hours, read_minutes, unkept_hours

KEPT_SECONDS = 3600
"""For so long single seconds are kept, and then until their hour is over."""

KEPT_HOURS = 31 * 24
"""So many hours are kept."""

_GRACE = 30
"""Seconds after an hour in which the nodes write what they have of it."""

encode_sample = msgspec.msgpack.Encoder().encode
decode_sample = msgspec.msgpack.Decoder(Sample).decode
"""An hour packed."""


def last_complete_hour(now: float) -> int:
    """The end of the last hour of which everything is written, seconds since the epoch."""
    return int(now - _GRACE) // HOUR * HOUR


async def keep_complete_hours(database: Database, now: float) -> None:
    """Keep what is over by the hour, and delete what is too old. Any node may do it, and several at a time.

    Args:
        database: the database.
        now: seconds since the epoch.
    """
    end = last_complete_hour(now)
    async with database.reading() as connection:
        unkept = await unkept_hours(connection, end)
    kept = []
    for hour, app_id in unkept:
        # One app at a time: others have their turn in between, and only one app's seconds are in memory.
        async with database.reading() as connection:
            minutes = await read_minutes(connection, app_id, hour, hour + HOUR)
        kept.append((hour, app_id, await asyncio.to_thread(_packed, minutes)))
    async with database.writing() as connection:
        await keep_hours(connection, kept)
        await forget_history(
            connection,
            minutes_before=min(end, int(now) - KEPT_SECONDS - 60),
            hours_before=int(now) - KEPT_HOURS * HOUR,
        )


def by_second(minutes: Iterable[StoredMinute]) -> dict[int, dict[str, Sample]]:
    """Samples of nodes, by second since the epoch."""
    seconds: dict[int, dict[str, Sample]] = {}
    for each in minutes:
        for second, sample in decode_block(each.samples).items():
            seconds.setdefault(each.minute + second, {})[each.node] = sample
    return seconds


def _packed(minutes: Iterable[StoredMinute]) -> bytes:
    return encode_sample(in_a_row(together(nodes.values()) for nodes in by_second(minutes).values()))
