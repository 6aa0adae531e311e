"""What the operating system knows of a process: the processor time it used and the memory it holds."""

import time
from pathlib import Path

_CPU_CLOCK_OF_PROCESS = 2
"""The kernel's clock type CPUCLOCK_SCHED: all threads, user and system time, in nanoseconds."""


class Process:
    """A running process, looked at from outside.

    Args:
        pid: its id; the user running the benchmark must be allowed to read its ``/proc`` files.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu_seconds(self) -> float:
        """Processor time used so far, by all threads, in user and kernel mode. Source: clock_getcpuclockid(3)."""
        return time.clock_gettime(~self.pid << 3 | _CPU_CLOCK_OF_PROCESS)

    def resident_bytes(self) -> int:
        """Resident memory, bytes. What the kernel holds for the sockets is not in it."""
        return self._kibibytes("smaps_rollup", "Rss") * 1024

    def peak_resident_bytes(self) -> int:
        """The most there was since the start or ``forget_peak``, bytes."""
        return self._kibibytes("status", "VmHWM") * 1024

    def forget_peak(self) -> None:
        """Let the peak start anew from what is resident now. Source: proc(5), ``clear_refs``."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def children(self) -> list["Process"]:
        """The processes it has started and that run."""
        return [Process(int(pid)) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def wait_until_idle(self, seconds: float = 20) -> None:
        """Wait until the process has been all but idle for a tenth of a second: it has digested what was sent to it.

        Raises:
            TimeoutError: it still works after so many seconds.
        """
        deadline = time.monotonic() + seconds
        used = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(0.1)
            before, used = used, self.cpu_seconds()
            if used - before < 0.002:
                return
        raise TimeoutError(f"Process {self.pid} is still busy after {seconds} s.")

    def _kibibytes(self, file: str, field: str) -> int:
        for line in Path(f"/proc/{self.pid}/{file}").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return int(value.split()[0])
        raise LookupError(f"/proc/{self.pid}/{file} has no {field}.")
