"""A process of the load as its parent sees it."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress

import msgspec

from skubber.load.reports import Report
from skubber.load.tasks import Order, Task, encode_line

# Not with the working directory among the places where modules are looked for, as is the rule for -m.
_COMMAND = (sys.executable, "-P", "-m", "skubber.load")

_MAX_LINE = 16 * 1024 * 1024

_PATIENCE = 10
"""Seconds that it has to end by itself."""

Take = Callable[["LoadProcess", Report], None]


class LoadProcess:
    """A process that was started anew. What is typed into the terminal reaches the parent alone.

    Args:
        process: the process, its standard input and output pipes.
        take: called with each of its reports.

    Attributes:
        is_ready: set when it has said that it is ready, or has ended.
        is_over: set when it has said all that it has to say, or has ended.
    """

    def __init__(self, process: asyncio.subprocess.Process, take: Take) -> None:
        if process.stdout is None:
            raise ValueError("Its standard output must be a pipe.")
        self._process = process
        self._lines = process.stdout
        self._take = take
        self.is_ready = asyncio.Event()
        self.is_over = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, task: Task, take: Take) -> "LoadProcess":
        """Start one.

        Raises:
            OSError: the system has no more processes to give.
        """
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_MAX_LINE,
        )
        started = cls(process, take)
        started._say(encode_line(task))
        return started

    def order(self, order: Order) -> None:
        """Tell it what to do; without effect where it has ended."""
        self._say(encode_line(order))

    async def end(self) -> None:
        """Have it end, by force if need be."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._reading
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()

    def _say(self, line: bytes) -> None:
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(line)

    async def _read(self) -> None:
        is_last = False
        async for line in self._lines:
            report = msgspec.json.decode(line, type=Report)
            self._take(self, report)
            is_last = report.is_last
            if report.is_ready or is_last:
                self.is_ready.set()
            if is_last:
                self.is_over.set()
        if not is_last:
            status = await self._process.wait()
            self._take(self, Report(0, error=f"a process of the load ended with status {status}", is_last=True))
        self.is_ready.set()
        self.is_over.set()
