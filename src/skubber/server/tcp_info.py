"""What the kernel knows of a connection: nothing has to be counted where events are fanned out.

Source: Linux, include/uapi/linux/tcp.h, ``struct tcp_info``.
"""

import asyncio
import socket
import struct

from skubber.sessions.session import LinkFigures

_INFO_BYTES = 136
_ROUND_TRIP, _ROUND_TRIP_AT = struct.Struct("=I"), 68
_BYTES, _BYTES_AT = struct.Struct("=QQ"), 120


def measure(transport: asyncio.Transport) -> LinkFigures:
    """Look at a connection."""
    peer = transport.get_extra_info("peername")
    address = str(peer[0]) if isinstance(peer, tuple) and peer else None
    buffered = 0 if transport.is_closing() else transport.get_write_buffer_size()
    info = _info(transport.get_extra_info("socket"))
    if len(info) < _INFO_BYTES:
        return LinkFigures(address, buffered_bytes=buffered)
    (round_trip,) = _ROUND_TRIP.unpack_from(info, _ROUND_TRIP_AT)
    sent, received = _BYTES.unpack_from(info, _BYTES_AT)
    return LinkFigures(address, sent, received, round_trip / 1000, buffered)


def _info(connection: socket.socket | None) -> bytes:
    option = getattr(socket, "TCP_INFO", None)
    if connection is None or option is None:
        return b""
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, option, _INFO_BYTES)
    except OSError:  # it is closed, or no TCP connection
        return b""
