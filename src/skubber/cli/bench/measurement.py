"""The measurement: connect, publish, wait for what is still on its way."""

import asyncio
from collections.abc import Iterable
from enum import StrEnum
from functools import partial

from skubber.cli.bench.machine import cpu_seconds, resident_bytes
from skubber.cli.bench.result import Asked
from skubber.cli.bench.tally import Account, Tally
from skubber.load.process import LoadProcess
from skubber.load.reports import Report
from skubber.load.tasks import Channels, Expect, PublishTask, Stop, SubscribeTask, Target


class Phase(StrEnum):
    """What is being done."""

    CONNECTING = "connecting"
    PUBLISHING = "publishing"
    FINISHING = "finishing"


class Measurement:
    """One measurement.

    Args:
        asked: what to measure.
        target: the server.
        channels: the channels.
        processes: how many processes have the clients.
        connect_rate: connections a second; 0: as fast as the server takes them.
        server_pid: the server's process, where it was started for the measurement.

    Attributes:
        phase: what is being done.
        tally: what was measured so far.
        connect_seconds: how long it took all clients to subscribe, or to find that they cannot.
        publish_seconds: for how long it has been published.
        connection_bytes: resident memory that the server grew by when the clients came, where it is ours.
        server_cpu: processor time of the server while it was published, seconds, where it is ours.
        is_interrupted: whether it was ended before its time.
    """

    def __init__(
        self,
        asked: Asked,
        target: Target,
        channels: Channels,
        processes: int,
        connect_rate: float,
        server_pid: int | None = None,
    ) -> None:
        self.asked = asked
        self.phase = Phase.CONNECTING
        self.tally = Tally()
        self.connect_seconds = 0.0
        self.publish_seconds = 0.0
        self.connection_bytes: int | None = None
        self.server_cpu: float | None = None
        self.is_interrupted = False
        self._target = target
        self._channels = channels
        self._processes = processes
        self._connect_rate = connect_rate
        self._server_pid = server_pid
        self._interruption = asyncio.Event()
        self._load: list[LoadProcess] = []

    def interrupt(self) -> None:
        """End it before its time: what was measured so far counts."""
        self.is_interrupted = True
        self._interruption.set()

    async def run(self) -> None:
        """Measure.

        Raises:
            OSError: there are no more processes to be had.
        """
        try:
            await self._connect()
            if not self._is_over:
                await self._publish()
                await self._finish()
        finally:
            await asyncio.gather(*(process.end() for process in self._load))

    @property
    def _is_over(self) -> bool:
        return self.is_interrupted or bool(self.tally.error)

    async def _connect(self) -> None:
        before = None if self._server_pid is None else resident_bytes(self._server_pid)
        for task in self._subscribe_tasks():
            account = Account()
            self.tally.subscribers.append(account)
            self._load.append(await LoadProcess.start(task, partial(self._take_subscribers, account)))
        await self._unless_interrupted(process.is_ready for process in self._load)
        if self.tally.error:
            got_in = f"{self.tally.connected:,} of {self.asked.connections:,} clients"
            self.tally.error = f"Only {got_in} could subscribe: {self.tally.error.rstrip('.')}."
        self.connect_seconds = max(each.last.seconds for each in self.tally.subscribers)
        after = None if self._server_pid is None else resident_bytes(self._server_pid)
        if before is not None and after is not None:
            self.connection_bytes = after - before

    def _subscribe_tasks(self) -> Iterable[SubscribeTask]:
        """The clients, in as many parts as there are processes."""
        count, parts = self.asked.connections, self._processes
        for part in range(parts):
            first, end = count * part // parts, count * (part + 1) // parts
            rate = self._connect_rate / parts
            yield SubscribeTask(self._target, self._channels, self.asked.protocol, first, end - first, rate)

    async def _publish(self) -> None:
        self.phase = Phase.PUBLISHING
        asked = self.asked
        task = PublishTask(self._target, self._channels, asked.rate, asked.size, asked.seconds)
        cpu = None if self._server_pid is None else cpu_seconds(self._server_pid)
        self.tally.is_publishing = True
        publishers = await LoadProcess.start(task, lambda _, report: self.tally.take_publishers(report))
        self._load.append(publishers)
        await self._unless_interrupted([publishers.is_over])
        if not publishers.is_over.is_set():
            publishers.order(Stop())
            await publishers.is_over.wait()
        self.tally.is_publishing = False
        self.publish_seconds = self.tally.publishers.last.seconds
        now = None if self._server_pid is None else cpu_seconds(self._server_pid)
        if cpu is not None and now is not None:
            self.server_cpu = now - cpu

    async def _finish(self) -> None:
        self.phase = Phase.FINISHING
        subscribers = self._load[: self._processes]
        sent = self.tally.publishers.last.sent
        for process in subscribers:
            process.order(Expect(sent) if sent else Stop())
        await _all(process.is_over for process in subscribers)

    async def _unless_interrupted(self, events: Iterable[asyncio.Event]) -> None:
        """Wait for all of them, or for an interruption."""
        waiting = asyncio.create_task(_all(events))
        interruption = asyncio.create_task(self._interruption.wait())
        try:
            await asyncio.wait((waiting, interruption), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (waiting, interruption):
                each.cancel()
            await asyncio.gather(waiting, interruption, return_exceptions=True)

    def _take_subscribers(self, account: Account, _: LoadProcess, report: Report) -> None:
        self.tally.take_subscribers(account, report)


async def _all(events: Iterable[asyncio.Event]) -> None:
    for each in events:
        await each.wait()
