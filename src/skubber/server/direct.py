"""Sending past the event loop's transport, straight to the socket beneath it.

The transport's own ``write`` tries the same system call, and costs a fifth to a half as much again for getting there.

It is safe as long as nothing is sent after ``connection_lost``: both uvloop's and asyncio's transports call that before
they close their socket, whose number may be another connection's from then on.
"""

import asyncio
import os
from collections.abc import Callable
from types import MethodType
from typing import Any, cast

from skubber.core.connection import take_nothing
from skubber.sessions.session import Session


class DirectWriting(asyncio.Protocol):
    """The writing half of a server's end of a connection.

    Args:
        transport: the connection.

    Attributes:
        write: sends finished frames; see ``Peer``.
    """

    __slots__ = ("_send_now", "_session", "_transport", "write")

    _session: Session

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        # Something of what was said before this object was made may still wait in the transport.
        self._send_now: Callable[[bytes], int] = take_nothing
        self.write: Callable[[bytes], None] = transport.write if _socket_of(transport) is None else self._write

    def _write(self, frames: bytes) -> None:
        """Send straight to the socket, unless something waits in the transport."""
        if self._send_now is take_nothing:
            if self._transport.get_write_buffer_size():
                self._transport.write(frames)
                return
            self._set_send_now(_straight_to(self._transport))
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

    def _set_send_now(self, send_now: Callable[[bytes], int]) -> None:
        self._send_now = self._session.send_now = send_now


def discard(frame: bytes) -> None:
    """Stands for ``write`` once a connection is closing."""


def _socket_of(transport: asyncio.Transport) -> Any:
    """The socket beneath a transport, if what is sent goes over it as it is: not with TLS."""
    return None if transport.get_extra_info("ssl_object") else transport.get_extra_info("socket")


def _straight_to(transport: asyncio.Transport) -> Callable[[bytes], int]:
    """What sends bytes over a transport's socket at once, and returns how many went.

    It may be called only while nothing waits in the transport, and raises OSError when there is no room for any.
    """
    # The one kind of object that binds an argument and costs neither a Python frame nor a dictionary.
    return cast("Callable[[bytes], int]", MethodType(os.write, _socket_of(transport).fileno()))
