"""The addresses that all workers listen on, each with a socket of its own.

Of two ways to share a port, this is the even one on Linux. Where processes accept from one socket that they all have,
whoever wakes first takes what it can get, and uvloop takes all there is: of 900 connections made at once, four such
processes got 48, 168, 185 and 499. With ``SO_REUSEPORT`` the kernel deals connections out by a hash of their addresses,
whether a process is quick or slow: 216, 218, 221 and 245. What is more, a process that is gone gets none: with a socket
that the parent keeps open they would wait there for its successor. (On macOS, which does not deal them out, one process
may get them all.)

Source: socket(7), "SO_REUSEPORT".
"""

import socket
from collections.abc import Sequence

import msgspec

from skubber.settings import SettingsError


class Address(msgspec.Struct, frozen=True):
    """An address to listen on.

    Attributes:
        family: its family, a number of the ``socket`` module's.
        parts: host, port and what else the family has.
    """

    family: int
    parts: tuple[str | int, ...]


def reserve(host: str, port: int) -> list[socket.socket]:
    """Take a port on all addresses of a host, without listening: workers can from now on, and other users cannot.

    Args:
        host: a name or an address; empty: all addresses there are.
        port: the port; 0 takes a free one, the same for all addresses.

    Returns:
        A socket for each address; the port is given back when they are closed.

    Raises:
        SettingsError: there is no such host, or somebody listens there already.
    """
    reserved: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, parts in dict.fromkeys(found):
            address = Address(family, (parts[0], port, *parts[2:]))
            # Another server of the same user could have the port in the same way, and would share it with us.
            _bound(address, is_shared=False).close()
            reserved.append(_bound(address))
            port = reserved[-1].getsockname()[1]
    except OSError as error:
        for each in reserved:
            each.close()
        raise SettingsError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from None
    return reserved


def addresses_of(sockets: Sequence[socket.socket]) -> tuple[Address, ...]:
    """The addresses that sockets are bound to."""
    return tuple(Address(each.family, each.getsockname()) for each in sockets)


def bind(address: Address) -> socket.socket:
    """A socket of the calling process's own on an address that is reserved.

    Raises:
        OSError: it cannot be had.
    """
    return _bound(address)


def _bound(address: Address, *, is_shared: bool = True) -> socket.socket:
    found = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if address.family == socket.AF_INET6:  # as the event loop does: IPv4 has a socket of its own
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind(address.parts)
    except OSError:
        found.close()
        raise
    return found
