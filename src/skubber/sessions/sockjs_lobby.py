"""SockJS clients that have not said yet which app they want."""

from collections.abc import Callable

from skubber.codecs import sockjs
from skubber.codecs.pusher import CloseCode, PusherWireFormat
from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason, take_nothing
from skubber.core.errors import InvalidRequestError
from skubber.core.timer_wheel import TimerWheel
from skubber.sessions.pusher import END, refuse
from skubber.sessions.session import Entry, Peer, Session, UpgradeRequest

PATH_TIMEOUT = 15
"""Seconds a client has to say where it wants to connect to."""


class SockJSLobby:
    """Takes the first message, which is the path; hands on what comes after it. Implements ``Session``.

    Source: pusher-js, src/runtimes/web/transports, ``beforeOpen``.

    Args:
        entry: the door that the path leads to.
        wheel: the timer wheel.
        peer: the client's transport.
        wire_format: how it frames what it is sent.
        is_tls: whether it came over TLS.
    """

    __slots__ = (
        "_entry",
        "_is_tls",
        "_last_heard",
        "_peer",
        "_session",
        "_wheel",
        "_wire_format",
        "send_now",
        "timer_slot",
        "write",
    )

    def __init__(
        self, entry: Entry, wheel: TimerWheel, peer: Peer, wire_format: PusherWireFormat, *, is_tls: bool
    ) -> None:
        self._entry = entry
        self._wheel = wheel
        self._peer = peer
        self._wire_format = wire_format
        self._is_tls = is_tls
        self._session: Session | None = None
        self._last_heard = wheel.now
        self.write: Callable[[bytes], None] = peer.write
        self.send_now: Callable[[bytes], int] = take_nothing
        self.timer_slot = -1

    @property
    def last_heard(self) -> int:
        """The session's, once there is one."""
        return self._last_heard if self._session is None else self._session.last_heard

    @last_heard.setter
    def last_heard(self, second: int) -> None:
        if self._session is None:
            self._last_heard = second
        else:
            self._session.last_heard = second

    def opened(self) -> None:
        """Wait for the path."""
        self._wheel.schedule(self, PATH_TIMEOUT)

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Go where the client wants; from then on act on its messages."""
        if self._session is not None:
            await self._session.receive(opcode, payload)
            return
        self._wheel.cancel(self)
        try:
            path, _, query = sockjs.decode_path(payload).partition("?")
        except InvalidRequestError as error:
            self._refuse(CloseCode.PATH_NOT_FOUND, error.message)
            return
        self._session = self._entry(UpgradeRequest(path, query.encode(), [], self._is_tls))(self._peer)
        self._session.opened()

    async def closed(self) -> None:
        """Leave, wherever it is."""
        self._wheel.cancel(self)
        if self._session is not None:
            await self._session.closed()

    def end(self, reason: EndReason) -> None:
        """Close with the protocol's code for ``reason``."""
        if self._session is None:
            self._refuse(*END[reason])
        else:
            self._session.end(reason)

    def timer_due(self, now: int) -> int:
        """The path has not come."""
        self._refuse(CloseCode.PATH_NOT_FOUND, f"The path must come within {PATH_TIMEOUT} seconds")
        return 0

    def _refuse(self, code: CloseCode, message: str) -> None:
        refuse(self._peer, self._wire_format, code, message)
