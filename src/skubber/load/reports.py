"""What the processes that make the load tell: a line of JSON, several times a second, on their standard output."""

import asyncio
import sys
import time
from collections.abc import Callable

import msgspec

from skubber.load.latencies import Latencies

INTERVAL = 0.2
"""Seconds between two reports."""

_LOOK_AT_DELAY = 0.02
"""Seconds between two looks at how late the event loop is."""


class Report(msgspec.Struct, omit_defaults=True):
    """What has happened since the report before.

    Attributes:
        at: seconds of the machine's monotonic clock.
        cpu: processor time of the process, seconds.
        delays: how late its event loop was, each time; buckets of ``Latencies``.
        latencies: of publishers, the time from when each message was due to its answer; of subscribers, to its arrival.
        seconds: for how long it has connected clients, or published.
        connected: clients that have subscribed.
        cut: clients whose connection has ended meanwhile.
        refused: publishes that were refused for the moment, by what the server said.
        duplicated: messages that arrived again, so far.
        reordered: messages that arrived after a later one, so far.
        lost: with the last report, messages that did not arrive.
        sent: with the publishers' last report, how many messages each lane of each channel was given.
        late: messages that were due and could not be sent in time, so far.
        is_ready: all clients have subscribed.
        is_last: nothing more will be told.
        error: why it cannot go on.
    """

    at: float
    cpu: float = 0
    delays: dict[int, int] = {}
    latencies: dict[int, int] = {}
    seconds: float = 0
    connected: int = 0
    cut: int = 0
    refused: dict[str, int] = {}
    duplicated: int = 0
    reordered: int = 0
    lost: int = 0
    sent: list[list[int]] = []
    late: int = 0
    is_ready: bool = False
    is_last: bool = False
    error: str = ""


class Reporter:
    """Tells, again and again, what a process does.

    Args:
        fill: puts into a report what it is about; time, processor time and delays are there already.
    """

    def __init__(self, fill: Callable[[Report], None]) -> None:
        self._fill = fill
        self._delays = Latencies()
        self._cpu = time.process_time()
        self._write = sys.stdout.buffer.write
        self._flush = sys.stdout.buffer.flush

    def tell(self, *, is_ready: bool = False, is_last: bool = False, error: str = "") -> None:
        """Report now."""
        cpu = time.process_time()
        report = Report(time.monotonic(), cpu - self._cpu, self._delays.take())
        report.is_ready, report.is_last, report.error = is_ready, is_last, error
        self._cpu = cpu
        self._fill(report)
        self._write(msgspec.json.encode(report) + b"\n")
        self._flush()

    async def run(self) -> None:
        """Report every ``INTERVAL`` seconds, until it is cancelled."""
        due = time.monotonic() + INTERVAL
        while True:
            begin = time.monotonic_ns()
            await asyncio.sleep(_LOOK_AT_DELAY)
            now = time.monotonic_ns()
            self._delays.record(now - begin - round(_LOOK_AT_DELAY * 1e9))
            if now / 1e9 >= due:
                self.tell()
                due = max(due + INTERVAL, now / 1e9)
