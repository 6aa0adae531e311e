"""The processes of a server, as the kernel knows them."""

import asyncio
from pathlib import Path

from .server import Server


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """Whether a process has not ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def accepted_by(server: Server, client_port: int) -> int:
    """The worker of a server that has the connection of a client with this port."""
    for worker in children(server.pid):
        if _inode(worker, server.port, client_port) in _sockets(worker):
            return worker
    raise LookupError(client_port)


async def until_gone(*pids: int) -> None:
    """Wait until processes have ended."""
    async with asyncio.timeout(20):
        while any(map(is_running, pids)):  # noqa: ASYNC110 - those of others cannot be waited for
            await asyncio.sleep(0.02)


def _inode(pid: int, port: int, client_port: int) -> str:
    """The inode of the socket between two ports of this machine; empty: there is none."""
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ports = [int(address.rpartition(":")[2], 16) for address in fields[1:3]]
        if ports == [port, client_port]:
            return fields[9]
    return ""


def _sockets(pid: int) -> set[str]:
    """The inodes of all sockets that a process has open."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            found.add(target.removeprefix("socket:[").removesuffix("]"))
    return found
