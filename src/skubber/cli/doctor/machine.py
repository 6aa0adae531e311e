"""What the operating system allows: open files, and the kernel's limits on connections.

Source: docs/operations.md, "Before you go live", which says what each of them is for.
"""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from skubber.cli.doctor.finding import Finding, failure, warning, well
from skubber.settings import Settings

_OTHER_FILES = 100
"""Open files of a process that are no clients' connections: database, broker, log, webhooks."""

_FEWEST_OPEN_FILES = 4096
"""What a server should have whose settings do not say how many clients it takes."""

_MANY_CLIENTS = 10_000
"""From so many clients on, the kernel's memory for connections matters."""

_BACKLOG = ("net.core.somaxconn", 4096)

_FOR_MANY_CLIENTS = (
    ("net.ipv4.tcp_max_syn_backlog", 8192),
    ("net.ipv4.tcp_mem", 1_048_576),
    ("net.netfilter.nf_conntrack_max", 524_288),
)
"""The last number of each should not be smaller."""

_BUFFERS = ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")
_FIRST_BUFFER = 16_384


def check_open_files(settings: Settings, limit: int | None = None) -> Finding:
    """Whether every connection that the settings allow can be one more open file.

    Args:
        settings: the settings.
        limit: open files of a process; as it is for this one if not given.
    """
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if limit is None else limit
    if soft == resource.RLIM_INFINITY:
        return well("open files", "no limit")
    wanted = _connections(settings) + _OTHER_FILES
    message = f"a process may have {soft} open files"
    if soft < wanted and _connections(settings):
        return failure(
            "open files",
            f"{message}, which is less than `connections` and `tcp_connections` allow",
            f"Set the limit to {wanted} at least, by `ulimit -n` or LimitNOFILE of the systemd unit, or lower the "
            "settings: the server must turn clients away before the kernel does.",
        )
    if soft < _FEWEST_OPEN_FILES:
        return warning(
            "open files",
            message,
            f"Every client needs one: set the limit to {_FEWEST_OPEN_FILES} at least, by `ulimit -n` or LimitNOFILE of "
            "the systemd unit.",
        )
    return well("open files", message)


def check_kernel(settings: Settings, folder: Path = Path("/proc/sys")) -> Finding:
    """Whether the kernel lets as many clients in as the settings do.

    Args:
        settings: the settings.
        folder: where the kernel's parameters are.
    """
    if sys.platform != "linux":
        return well("kernel", "looked at on Linux only")
    lines = list(_wanted_parameters(settings, folder))
    if not lines:
        return well("kernel", "takes clients that come all at once")
    return warning(
        "kernel",
        "; ".join(f"{name} is {' '.join(map(str, numbers))}" for name, numbers, _ in lines),
        f"Put {'; '.join(f'{name} = {wanted}' for name, _, wanted in lines)} into /etc/sysctl.d/60-skubber.conf, and "
        "run `sysctl --system`.",
    )


def _wanted_parameters(settings: Settings, folder: Path) -> Iterator[tuple[str, list[int], str]]:
    """Each parameter that is not as it should be, its numbers, and what it should be."""
    clients = _connections(settings) * settings.workers
    for name, least in (_BACKLOG, *(_FOR_MANY_CLIENTS if clients >= _MANY_CLIENTS else ())):
        numbers = _parameter(folder, name)
        if numbers and numbers[-1] < least:
            yield name, numbers, " ".join(map(str, (*numbers[:-1], least)))
    for name in _BUFFERS if clients >= _MANY_CLIENTS else ():
        numbers = _parameter(folder, name)
        if numbers and numbers[1] > _FIRST_BUFFER:
            yield name, numbers, f"{numbers[0]} {_FIRST_BUFFER} 1048576"


def _parameter(folder: Path, name: str) -> list[int]:
    """A parameter's numbers; none where this kernel, or a container of it, does not have it."""
    try:
        return [int(number) for number in folder.joinpath(*name.split(".")).read_text().split()]
    except OSError:
        return []


def _connections(settings: Settings) -> int:
    return max(settings.connections, settings.tcp_connections)
