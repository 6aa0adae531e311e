"""Ending a connection whose client does not read."""

import asyncio
import contextlib
import socket
import struct

_NO_LINGER = struct.pack("ii", 1, 0)


def cut(transport: asyncio.Transport) -> None:
    """Drop a connection with all that has not been sent on it.

    The transport alone forgets what it holds itself. The kernel would go on offering megabytes to a client that takes
    none, for minutes; told not to linger it resets the connection.
    """
    connection = transport.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError):  # it is closed already, or there never was one
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
