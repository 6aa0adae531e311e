"""A session whose client sends by one way and receives by another."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason
from skubber.core.errors import NotFoundError
from skubber.sessions.session import Session


class SerializedSession:
    """Keeps a session's messages one after the other, and its end behind them. Implements ``Session``.

    Over event streams and long polling what the client sends comes in requests of their own, several at a time perhaps,
    and the receiving side may end at any moment.

    Args:
        session: the session.
        run: runs a coroutine that nobody waits for.
        early: what the client sent before the receiving side was open.
    """

    __slots__ = ("_early", "_is_over", "_lock", "_run", "_session")

    def __init__(
        self, session: Session, run: Callable[[Coroutine[Any, Any, None]], object], early: bytes = b""
    ) -> None:
        self._is_over = False
        self._session = session
        self._early = early
        self._run = run
        self._lock = asyncio.Lock()

    @property
    def write(self) -> Callable[[bytes], None]:
        """The session's: its channels must not write to a transport that is gone, however long it takes to leave."""
        return self._session.write

    @write.setter
    def write(self, write: Callable[[bytes], None]) -> None:
        self._session.write = write

    @property
    def send_now(self) -> Callable[[bytes], int]:
        """The session's."""
        return self._session.send_now

    @send_now.setter
    def send_now(self, send_now: Callable[[bytes], int]) -> None:
        self._session.send_now = send_now

    @property
    def last_heard(self) -> int:
        """The session's."""
        return self._session.last_heard

    @last_heard.setter
    def last_heard(self, second: int) -> None:
        self._session.last_heard = second

    @property
    def timer_slot(self) -> int:
        """The session's."""
        return self._session.timer_slot

    @timer_slot.setter
    def timer_slot(self, slot: int) -> None:
        self._session.timer_slot = slot

    def opened(self) -> None:
        """The receiving side is open."""
        self._session.opened()
        early, self._early = self._early, b""
        if early:
            self._run(self._receive_early(early))

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Act on what the client sent, once everything it sent before is done.

        Raises:
            NotFoundError: ``no_such_connection``: it has ended meanwhile.
        """
        async with self._lock:
            if self._is_over:
                raise NotFoundError("no_such_connection", "The connection has ended: open a new one.")
            await self._session.receive(opcode, payload)

    async def _receive_early(self, early: bytes) -> None:
        with suppress(NotFoundError):  # it was turned away as it opened
            await self.receive(Opcode.BINARY, early)

    async def closed(self) -> None:
        """The receiving side is gone: what the client has sent and waits for its turn comes to nothing."""
        self._is_over = True
        async with self._lock:
            await self._session.closed()

    def end(self, reason: EndReason) -> None:
        """Close the connection from the server's side."""
        self._session.end(reason)

    def timer_due(self, now: int) -> int:
        """See the session's."""
        return self._session.timer_due(now)
