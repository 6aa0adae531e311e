"""The machine the benchmark runs on: which core does what, and what to write beside the figures."""

import os
import platform
import resource
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_MOST_FILES = Path("/proc/sys/fs/nr_open")
_CPU_INFO = Path("/proc/cpuinfo")
_CPU_TIMES = Path("/proc/stat")


@dataclass(frozen=True)
class Cores:
    """One core for the server, another for the load generator; None where the machine has only one."""

    server: int | None
    load: int | None

    @classmethod
    def choose(cls) -> "Cores":
        """The last two of the cores this process may run on: interrupts favour the first."""
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2:
            return cls(None, None)
        return cls(allowed[-1], allowed[-2])


class OthersWatch:
    """How much of the machine went to processes other than the benchmark's, from now on."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._others_before = self._others()

    def share(self) -> float:
        """From 0 to 1, over all cores; right once the benchmark's own children have ended."""
        cpu_seconds = self._others() - self._others_before
        return max(0.0, cpu_seconds / (time.monotonic() - self._started) / (os.cpu_count() or 1))

    def _others(self) -> float:
        own = sum(os.times()[:4])
        return _busy_seconds() - own


def _busy_seconds() -> float:
    """What all cores have done since the start, idling and waiting excepted. Source: proc(5), ``/proc/stat``."""
    user, nice, system, _idle, _iowait, *interrupts_and_stolen = _CPU_TIMES.read_text().split("\n", 1)[0].split()[1:9]
    return sum(map(int, (user, nice, system, *interrupts_and_stolen))) / os.sysconf("SC_CLK_TCK")


def raise_file_limit() -> int:
    """Allow this process and its children as many open files as can be; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = int(_MOST_FILES.read_text())
    for limit in (most, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        except (ValueError, OSError):  # only root may go beyond the hard limit
            continue
        return limit
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def describe_machine() -> dict[str, str]:
    """What the figures depend on: processor, kernel and the versions of what does the work."""
    models = {line.partition(":")[2].strip() for line in _CPU_INFO.read_text().splitlines() if "model name" in line}
    return {
        "processor": ", ".join(sorted(models)) or platform.machine(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": sys.version.split()[0],
        "uvloop": version("uvloop"),
        "httptools": version("httptools"),
        "skubber": version("skubber"),
    }
