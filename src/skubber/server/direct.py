"""Sending past the event loop's transport, straight to the socket beneath it.

The transport's own ``write`` tries the same system call, and costs a fifth to a half as much again for getting there.
It is send(2), which takes a twentieth less than write(2) does.

It is safe as long as nothing is sent after ``connection_lost``: both uvloop's and asyncio's transports call that before
they close their socket, whose number may be another connection's from then on.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from skubber.core.connection import take_nothing
from skubber.server.tcp_info import measure
from skubber.sessions.session import NO_SESSION, LinkFigures, Session


class _BorrowedSocket(socket.socket):
    """A transport's socket, which is the transport's to close."""

    __slots__ = ()

    @classmethod
    def of(cls, transport: asyncio.Transport) -> "_BorrowedSocket":
        """The socket beneath a transport."""
        lent = _socket_of(transport)
        return cls(lent.family, lent.type, lent.proto, lent.fileno())

    def __del__(self) -> None:
        """Let go of it; the other class would close it."""
        self.detach()


class DirectWriting(asyncio.Protocol):
    """The writing half of a server's end of a connection.

    Args:
        transport: the connection.

    Attributes:
        write: sends finished frames; see ``Peer``.
    """

    __slots__ = ("_send_now", "_session", "_socket", "_transport", "write")

    _session: Session

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # Something of what was said before this object was made may still wait in the transport.
        self._send_now: Callable[[bytes], int] = take_nothing
        self._socket: _BorrowedSocket | None = None
        self.write: Callable[[bytes], None] = transport.write if _socket_of(transport) is None else self._write

    def measure(self) -> LinkFigures:
        """See ``MeasuredPeer``."""
        return measure(self._transport)

    def _write(self, frames: bytes) -> None:
        """Send straight to the socket, unless something waits in the transport."""
        if self._send_now is take_nothing:
            if self._transport.get_write_buffer_size():
                self._transport.write(frames)
                return
            self._socket = self._socket or _BorrowedSocket.of(self._transport)
            self._set_send_now(self._socket.send)
        try:
            sent = self._send_now(frames)
        except OSError:  # there is no room, or the connection is broken: the transport sees to it
            sent = 0
        if sent != len(frames):
            self._set_send_now(take_nothing)
            self._transport.write(frames[sent:])

    def _stop_writing(self) -> None:
        """Nothing may be sent any more, by this object or its session."""
        self.write = self._session.write = discard
        self._set_send_now(take_nothing)
        if self._socket is not None:
            self._socket.detach()

    def _forget_session(self) -> None:
        """The connection is gone; nothing may come from it to the session any more."""
        self._session = NO_SESSION

    def _set_send_now(self, send_now: Callable[[bytes], int]) -> None:
        self._send_now = self._session.send_now = send_now


def discard(frame: bytes) -> None:
    """Stands for ``write`` once a connection is closing."""


def _socket_of(transport: asyncio.Transport) -> Any:
    """The socket beneath a transport, if it is open and what is sent goes over it as it is: not with TLS."""
    if transport.get_extra_info("ssl_object"):
        return None
    lent = transport.get_extra_info("socket")
    return None if lent is None or lent.fileno() < 0 else lent
