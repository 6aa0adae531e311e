"""A worker as its parent sees it."""

import asyncio
import signal
import sys
from contextlib import suppress

from skubber.server.workers.assignment import READY, Assignment, encode_assignment

# Not with the working directory among the places where modules are looked for, as is the rule for -m.
_COMMAND = (sys.executable, "-P", "-m", "skubber.server.workers")


class WorkerProcess:
    """A process that was started anew, and not forked: nothing of the parent's is in it but its standard error.

    Args:
        process: the process, its standard input and output pipes.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, assignment: Assignment) -> "WorkerProcess":
        """Start one.

        Raises:
            OSError: the system has no more processes to give.
        """
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # What is typed into the terminal reaches the parent alone.
            start_new_session=True,
        )
        worker = cls(process)
        if process.stdin is not None:
            process.stdin.write(encode_assignment(assignment))
        return worker

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def serves(self) -> bool:
        """Wait until it serves; False: it has died before."""
        return self._process.stdout is not None and await self._process.stdout.readline() == READY

    async def ended(self) -> int:
        """Wait for its end; returns the exit status, or the negative number of the signal that ended it."""
        if self._process.stdout is not None:
            await self._process.stdout.read()
        return await self._process.wait()

    def stop(self) -> None:
        """Have it send its clients to reconnect and end. Again: no effect."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def reload(self) -> None:
        """Have it read its certificate again; call it only while it serves."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
