"""What the operating system knows of the server."""

import sys
import time
from pathlib import Path

_CPU_CLOCK_OF_PROCESS = 2
"""The kernel's clock type CPUCLOCK_SCHED: all threads, user and system time. Source: clock_getcpuclockid(3)."""


def resident_bytes(pid: int) -> int | None:
    """Resident memory of a process, bytes; None where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), None)


def cpu_seconds(pid: int) -> float | None:
    """Processor time that a process has used; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime(~pid << 3 | _CPU_CLOCK_OF_PROCESS)
    except OSError:
        return None
