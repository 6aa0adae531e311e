"""The process that has subscribers: connects them, counts what arrives, and says what did not."""

import asyncio
import ssl
import time

from skubber.load.latencies import Latencies
from skubber.load.pusher_subscriber import PusherSubscriber
from skubber.load.reasons import reason
from skubber.load.reports import Report, Reporter
from skubber.load.signalr_subscriber import SignalRSubscriber
from skubber.load.stamp import marker
from skubber.load.subscriber import ConnectError, Reception, Subscriber
from skubber.load.tasks import Expect, SubscribeTask

_AT_A_TIME = 64
"""Connections that are being opened at the same time: as many as the server gets from a crowd that comes back."""

_PATIENCE = 20
"""Seconds that a client has to connect and subscribe."""

_SILENCE = 3
"""Seconds without any arrival after which what has not arrived is lost."""

_KEEP_ALIVE = 10
"""Seconds from one sign of life of each client to its next."""

_LOOK = 0.05

_SUBSCRIBERS: dict[str, type[Subscriber]] = {"pusher": PusherSubscriber, "signalr": SignalRSubscriber}


class Subscribing:
    """All clients of a process.

    Args:
        task: what to do.
    """

    def __init__(self, task: SubscribeTask) -> None:
        self._task = task
        self._latencies = Latencies()
        channels = task.channels
        mark = marker(channels.run)
        self._receptions = [
            Reception(channels.name(number), channels.lanes, mark, self._latencies) for number in range(channels.count)
        ]
        self._subscribers: list[tuple[int, Subscriber]] = []
        self._connected = self._told_connected = self._told_cut = 0
        self._failure = ""
        self._begin = self._end = 0.0
        self._sent: list[list[int]] | None = None
        self._context = ssl.create_default_context() if task.target.is_tls else None
        self.reporter = Reporter(self._fill)

    async def connect(self) -> str:
        """Connect all clients and subscribe each; returns why one could not, as the end of a sentence, or nothing.

        Once one cannot, no more are tried; those that are being let in may still come.
        """
        turns = asyncio.Semaphore(_AT_A_TIME)
        self._begin = begin = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for index in range(self._task.count):
                if self._task.rate:
                    await asyncio.sleep(begin + index / self._task.rate - time.monotonic())
                await turns.acquire()
                if self._failure:
                    break
                one = group.create_task(self._connect_one(self._task.first + index))
                one.add_done_callback(lambda _: turns.release())
        self._end = time.monotonic()
        return self._failure

    async def finish(self, order: Expect) -> None:
        """Wait until everything has arrived that was sent, or nothing has for a while."""
        self._sent = order.sent
        begin = time.monotonic_ns()
        while self._lost():
            last = max(begin, *(each.last_arrival for each in self._receptions))
            if time.monotonic_ns() - last > _SILENCE * 1e9:
                return
            await asyncio.sleep(_LOOK)

    async def keep_alive(self) -> None:
        """Give signs of life, a few clients at a time, until cancelled."""
        turn = 0
        while True:
            await asyncio.sleep(_KEEP_ALIVE / 100)
            for _, subscriber in self._subscribers[turn::100]:
                subscriber.keep_alive()
            turn = (turn + 1) % 100

    def close(self) -> None:
        """Hang up."""
        for _, subscriber in self._subscribers:
            subscriber.close()

    async def _connect_one(self, number: int) -> None:
        target = self._task.target
        channel = number % len(self._receptions)
        subscriber = _SUBSCRIBERS[self._task.protocol](target, self._receptions[channel])
        try:
            async with asyncio.timeout(_PATIENCE):
                await asyncio.get_running_loop().create_connection(
                    lambda: subscriber,
                    target.address,
                    target.port,
                    ssl=self._context,
                    server_hostname=target.host if target.is_tls else None,
                )
                await subscriber.subscribed
        except TimeoutError:
            self._failure = self._failure or f"the server did not let one in within {_PATIENCE} s"
        except (ConnectError, OSError) as error:
            self._failure = self._failure or reason(error)
        else:
            self._subscribers.append((channel, subscriber))
            self._connected += 1

    def _lost(self) -> int:
        if self._sent is None:
            return sum(subscriber.ledger.gaps() for _, subscriber in self._subscribers)
        return sum(subscriber.ledger.lost(self._sent[channel]) for channel, subscriber in self._subscribers)

    def _fill(self, report: Report) -> None:
        cut = sum(each.cut for each in self._receptions)
        report.seconds = (self._end or time.monotonic()) - self._begin if self._begin else 0
        report.latencies = self._latencies.take()
        report.connected, self._told_connected = self._connected - self._told_connected, self._connected
        report.cut, self._told_cut = cut - self._told_cut, cut
        ledgers = [subscriber.ledger for _, subscriber in self._subscribers]
        report.duplicated = sum(ledger.duplicated for ledger in ledgers)
        report.reordered = sum(ledger.reordered for ledger in ledgers)
        if report.is_last:
            report.lost = self._lost()
