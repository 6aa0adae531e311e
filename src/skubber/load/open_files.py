"""The limit of open files: every client is one."""

import resource
import sys

OTHER_FILES = 100
"""Open files of a process that are no connections."""


def raise_open_files() -> int:
    """Let this process, and those that it starts, have as many open files as this user may; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY and sys.platform != "linux":
        return soft  # macOS says so, and then takes no such number
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard
