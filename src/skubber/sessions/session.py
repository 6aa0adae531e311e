"""What a session and its transport expect of each other."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason, take_nothing


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """The request that opens a client's connection.

    Attributes:
        path: percent-decoded, without the query.
        query: the query string as sent, without the question mark.
        headers: names in lower case.
        is_tls: whether it came over TLS.
    """

    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    is_tls: bool


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """What is known of the way to a client. None: it cannot be found out.

    Attributes:
        address: the client's, or that of a proxy before this server.
        bytes_sent: bytes that have arrived at the other end.
        bytes_received: bytes that have come from there.
        round_trip_ms: milliseconds that an answer takes, smoothed.
        buffered_bytes: bytes that wait in this process to be sent.
    """

    address: str | None = None
    bytes_sent: int | None = None
    bytes_received: int | None = None
    round_trip_ms: float | None = None
    buffered_bytes: int = 0


@runtime_checkable
class MeasuredPeer(Protocol):
    """A transport of which something is known."""

    def measure(self) -> LinkFigures:
        """Look at it."""
        ...


class Peer(Protocol):
    """The transport under a session.

    Attributes:
        write: queues finished frames; never blocks, never raises.
    """

    @property
    def write(self) -> Callable[[bytes], None]:
        """See the attribute's description."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Start the closing handshake; what was written before still goes out. Again: no effect."""
        ...


class Session(Protocol):
    """One client's conversation, from the open transport to the lost one.

    The transport calls one method at a time and awaits it before the next: a session needs no locks.

    Attributes:
        write: sends finished frames; the transport replaces it by one that discards them when it starts closing.
        send_now: see ``skubber.core.connection.Connection``; set by transports that can do so, as long as they can.
        last_heard: the timer wheel's second in which the client last sent anything; set by the transport.
        timer_slot: the timer wheel's.
    """

    write: Callable[[bytes], None]
    send_now: Callable[[bytes], int]

    last_heard: int
    timer_slot: int

    def opened(self) -> None:
        """The transport can be written to."""
        ...

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """One whole text or binary message came in."""
        ...

    async def closed(self) -> None:
        """The transport is closing or gone: nothing may be written any more. Called once."""
        ...

    def end(self, reason: EndReason) -> None:
        """Close the connection from the server's side."""
        ...

    def timer_due(self, now: int) -> int:
        """See ``skubber.core.timer_wheel.Timed``."""
        ...


OpenSession = Callable[[Peer], Session]
"""Makes the session of a client that was let in."""

Entry = Callable[[UpgradeRequest], OpenSession]
"""Decides whether a client is let in at all: raises a ``SkubberError`` to answer the request with its status."""

Opening = OpenSession | Coroutine[Any, Any, OpenSession]
"""What opens a client's session; to be waited for where other nodes have to be asked, which may raise as well."""

Door = Callable[[UpgradeRequest], Opening]
"""An ``Entry`` that may have to ask other nodes."""


class NoSession:
    """Stands for the session of a connection that is gone. Implements ``Session``.

    A session and its transport hold each other. One has to let go, or both would wait for the garbage collector.
    """

    __slots__ = ("last_heard", "send_now", "timer_slot", "write")

    def __init__(self) -> None:
        self.write: Callable[[bytes], None] = _discard
        self.send_now: Callable[[bytes], int] = take_nothing
        self.last_heard = 0
        self.timer_slot = -1

    def opened(self) -> None:
        """Nobody is there."""

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Nobody listens."""

    async def closed(self) -> None:
        """There is nothing to leave."""

    def end(self, reason: EndReason) -> None:
        """It has ended."""

    def timer_due(self, now: int) -> int:
        """Nothing is scheduled."""
        return 0


def _discard(frames: bytes) -> None:
    pass


NO_SESSION: Session = NoSession()
