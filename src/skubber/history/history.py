"""The history as it is read: columns of numbers, one for each second of an hour or each hour of a month."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from skubber.core.post import Post
from skubber.history.blocks import BLOCK_SECONDS
from skubber.history.hours import KEPT_HOURS, KEPT_SECONDS, by_second, decode_sample
from skubber.history.recorder import UNWRITTEN_ADDRESS, Unwritten
from skubber.history.sample import SERVER, Sample, in_a_row, quantile_ms, together
from skubber.store.database import Database
from skubber.store.history import HOUR, StoredMinute, read_hours, read_minutes

_PATIENCE = 2.0
"""Seconds that nodes have to tell what they have not written yet."""

_decode_unwritten = msgspec.msgpack.Decoder(Unwritten).decode


class Grain(StrEnum):
    """How finely the history is told."""

    SECOND = "second"
    HOUR = "hour"


_Number = TypeVar("_Number", int, float)

_Counts = Annotated[list[int | None], Meta(description="Null: no node ran then.")]
_ServerCounts = Annotated[list[int | None], Meta(description="Null: no node ran then, or it is not known of an app.")]
_Milliseconds = Annotated[list[float | None], Meta(description="Null: none was measured.")]


class History(msgspec.Struct, rename="camel"):
    """Columns of equal length, the oldest first, all nodes together.

    What was done is added up over the grain; of connections, channels and what waits it is the most at a time.
    """

    grain: Annotated[int, Meta(description="Seconds from one entry to the next: 1 or 3600.")]
    at: Annotated[list[int], Meta(description="Seconds since the epoch.")]
    connections: _Counts
    channels: _Counts
    published: _Counts
    delivered: _Counts
    delivered_bytes: _Counts
    p50_ms: _Milliseconds
    p99_ms: _Milliseconds
    slow_consumers: _ServerCounts
    webhooks_waiting: _ServerCounts
    webhook_lag_ms: _ServerCounts


class HistoryReader:
    """Reads what all nodes have written, and asks them for what they have not.

    Args:
        database: the database.
        post: how nodes are asked.
    """

    def __init__(self, database: Database, post: Post) -> None:
        self._database = database
        self._post = post

    async def read(self, grain: Grain, now: float, app_id: str = SERVER) -> History:
        """Read the last hour by the second, or the last 31 days by the hour.

        Args:
            grain: which.
            now: seconds since the epoch.
            app_id: an app, of which alone is told; of the whole server unless given.
        """
        if grain == Grain.SECOND:
            until = int(now)
            times = range(until - KEPT_SECONDS, until)
            samples = await self._seconds(app_id, times.start)
            ran = samples if app_id == SERVER else await self._seconds(SERVER, times.start)
        else:
            this_hour = int(now) // HOUR * HOUR
            times = range(this_hour - (KEPT_HOURS - 1) * HOUR, this_hour + 1, HOUR)
            samples = await self._hours(app_id, times.start, this_hour)
            ran = samples if app_id == SERVER else await self._hours(SERVER, times.start, this_hour)
        return await asyncio.to_thread(_columns, times, samples, ran.keys(), is_server=app_id == SERVER)

    async def _seconds(self, app_id: str, since: int) -> dict[int, Sample]:
        async with self._database.reading() as connection:
            minutes = await read_minutes(connection, app_id, since - BLOCK_SECONDS)
        answers = await self._post.ask_all(UNWRITTEN_ADDRESS, app_id.encode(), _PATIENCE)
        # Thousands of samples: other clients must not wait for it.
        return await asyncio.to_thread(_merged, minutes, [_decode_unwritten(each) for each in answers.contents])

    async def _hours(self, app_id: str, since: int, this_hour: int) -> dict[int, Sample]:
        async with self._database.reading() as connection:
            kept = await read_hours(connection, app_id, since)
        hours = {hour: decode_sample(sample) for hour, sample in kept.items()}
        # The one before may not have been kept yet.
        seconds = await self._seconds(app_id, this_hour - HOUR)
        for hour in (this_hour - HOUR, this_hour):
            within = [sample for at, sample in seconds.items() if hour <= at < hour + HOUR]
            if hour not in hours and within:
                hours[hour] = in_a_row(within)
        return hours


def _merged(minutes: Iterable[StoredMinute], unwritten: Iterable[Unwritten]) -> dict[int, Sample]:
    seconds = by_second(minutes)
    for each in unwritten:
        for at, sample in each.seconds.items():
            # What a node says itself comes before what it has written of the same second.
            seconds.setdefault(at, {})[each.node] = sample
    return {at: together(nodes.values()) for at, nodes in seconds.items()}


def _columns(times: range, samples: Mapping[int, Sample], ran: Iterable[int], *, is_server: bool) -> History:
    # Of a second in which a node ran and an app did nothing, nothing is kept.
    quiet = dict.fromkeys(ran, Sample())
    found = [samples.get(at) or quiet.get(at) for at in times]
    servers: Sequence[Sample | None] = found if is_server else [None] * len(found)
    return History(
        times.step,
        [*times],
        _column(found, lambda each: each.connections),
        _column(found, lambda each: each.channels),
        _column(found, lambda each: each.published),
        _column(found, lambda each: each.delivered),
        _column(found, lambda each: each.delivered_bytes),
        _column(servers, lambda each: quantile_ms(each.durations, 0.5)),
        _column(servers, lambda each: quantile_ms(each.durations, 0.99)),
        _column(servers, lambda each: each.slow_consumers),
        _column(servers, lambda each: each.waiting),
        _column(servers, lambda each: each.lag_ms),
    )


def _column(samples: Sequence[Sample | None], number: Callable[[Sample], _Number | None]) -> list[_Number | None]:
    return [None if each is None else number(each) for each in samples]
