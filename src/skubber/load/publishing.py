"""The process that publishes."""

import asyncio
import itertools
import ssl
import time
from collections.abc import Iterator

from skubber.load.latencies import Latencies
from skubber.load.publisher import Answer, Publisher, PublishError
from skubber.load.reports import Report, Reporter
from skubber.load.stamp import Stamp, data_of
from skubber.load.tasks import PublishTask

_REFUSED_FOR_THE_MOMENT = 429
"""What is answered so has not been published. Of other errors, those of proxies among them, that cannot be said."""

_PAUSE = 0.05
"""Seconds that a publisher without a schedule waits when it has been refused for the moment."""


class Publishing:
    """All publishers, each with a connection of its own.

    With a rate, messages are due at fixed times, whatever the server does, and their latency begins there: a server
    that stalls for a second has made all messages of that second late, not just the one that it stalled over. What
    became due and could not be sent before the end is counted as late.

    Args:
        task: what to do.
    """

    def __init__(self, task: PublishTask) -> None:
        self._task = task
        self._latencies = Latencies()
        self._refused: dict[str, int] = {}
        self._sent = [[0] * task.channels.lanes for _ in range(task.channels.count)]
        self._late = 0
        self._begin = 0
        self._is_stopped = asyncio.Event()
        self.reporter = Reporter(self._fill)

    def stop(self) -> None:
        """Stop before the time is over."""
        self._is_stopped.set()

    async def run(self) -> str:
        """Publish until the time is over; returns why that was not possible, a sentence, or nothing."""
        target = self._task.target
        context = ssl.create_default_context() if target.is_tls else None
        publishers = [Publisher(target, context) for _ in range(self._task.channels.publishers)]
        reason = ""
        try:
            async with asyncio.TaskGroup() as group:
                for publisher in publishers:
                    group.create_task(publisher.connect())
            self._begin = time.monotonic_ns()
            async with asyncio.TaskGroup() as group:
                for number, publisher in enumerate(publishers):
                    group.create_task(self._publish(number, publisher, self._begin))
        except* PublishError as errors:
            reason = str(errors.exceptions[0])
        finally:
            for publisher in publishers:
                publisher.close()
        return reason

    async def _publish(self, number: int, publisher: Publisher, begin: int) -> None:
        channels = self._task.channels
        own, lane = channels.of_publisher(number), channels.lane(number)
        end = begin + round(self._task.seconds * 1e9)
        turns = itertools.cycle(own)
        for due in self._schedule(number, begin, end):
            if await self._sleep_until(due):
                return
            if time.monotonic_ns() >= end:
                self._late += 1
                continue
            channel = next(turns)
            stamp = Stamp(lane, self._sent[channel][lane], due or time.monotonic_ns())
            data = data_of(channels.run, stamp, self._task.size)
            answer = await publisher.publish(channels.name(channel), data)
            if answer.status == 200:
                self._latencies.record(time.monotonic_ns() - stamp.due)
                self._sent[channel][lane] += 1
            else:
                await self._refuse(answer)
        await self._sleep_until(end)

    def _schedule(self, number: int, begin: int, end: int) -> Iterator[int]:
        """When each message of a publisher is due; without a rate 0, which is at once, until the time is over."""
        if not self._task.rate:
            while time.monotonic_ns() < end:
                yield 0
            return
        interval = 1e9 / self._task.rate
        for message in itertools.count(number, self._task.channels.publishers):
            due = begin + round(message * interval)
            if due >= end:
                return
            yield due

    async def _sleep_until(self, due: int) -> bool:
        """Wait until something is due; returns whether all is to stop instead."""
        seconds = (due - time.monotonic_ns()) / 1e9
        if seconds > 0 and not self._is_stopped.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._is_stopped.wait()
            except TimeoutError:
                return False
        return self._is_stopped.is_set()

    async def _refuse(self, answer: Answer) -> None:
        """The message has not been published: its number is the next one's."""
        if answer.status != _REFUSED_FOR_THE_MOMENT:
            raise PublishError(f"The server refuses what is published: {answer.says}")
        self._refused[answer.says] = self._refused.get(answer.says, 0) + 1
        if not self._task.rate:
            await asyncio.sleep(_PAUSE)

    def _fill(self, report: Report) -> None:
        report.latencies = self._latencies.take()
        report.refused, self._refused = self._refused, {}
        report.seconds = min(self._task.seconds, (time.monotonic_ns() - self._begin) / 1e9) if self._begin else 0
        report.late = self._late
        if report.is_last:
            report.sent = self._sent
