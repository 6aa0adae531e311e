"""Stateful reconnect: one session over one WebSocket after another."""

import asyncio
from collections.abc import Callable

from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason
from skubber.sessions.session import Peer
from skubber.sessions.signalr.session import SignalRSession


class Attachment:
    """Ties a session to one of its WebSockets. Implements ``Session`` towards the transport.

    The transport owns this object, and may close it; the session lives on, waiting for the next one.

    Args:
        session: the session.
        turn: the session's: what comes over one transport waits for what came over the one before.
        peer: the transport.
    """

    __slots__ = ("_peer", "_session", "_turn", "timer_slot")

    def __init__(self, session: SignalRSession, turn: asyncio.Lock, peer: Peer) -> None:
        self._session = session
        self._turn = turn
        self._peer = peer
        self.timer_slot = -1

    @property
    def write(self) -> Callable[[bytes], None]:
        """The session's. What the transport does not take any more is kept, if the session may go on over another."""
        return self._session.write

    @write.setter
    def write(self, write: Callable[[bytes], None]) -> None:
        if self._session.replay is None:
            self._session.write = write
        else:
            self._session.replay.detach()

    @property
    def send_now(self) -> Callable[[bytes], int]:
        """The session's."""
        return self._session.send_now

    @send_now.setter
    def send_now(self, send_now: Callable[[bytes], int]) -> None:
        # What may have to be sent again goes by way of the replay buffer.
        if self._session.replay is None:
            self._session.send_now = send_now

    @property
    def last_heard(self) -> int:
        """The session's."""
        return self._session.last_heard

    @last_heard.setter
    def last_heard(self, second: int) -> None:
        self._session.last_heard = second

    def opened(self) -> None:
        """Start the conversation, or go on with it."""
        self._session.attach(self._peer)

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Hand on what came, unless the session has moved to another transport."""
        async with self._turn:
            if self._session.is_attached_to(self._peer):
                await self._session.receive(opcode, payload)

    async def closed(self) -> None:
        """The transport is gone: the session waits for another, unless it is over."""
        async with self._turn:
            if self._session.is_attached_to(self._peer):
                await self._session.detach()

    def end(self, reason: EndReason) -> None:
        """End the session for good."""
        self._session.end(reason)

    def timer_due(self, now: int) -> int:
        """Nothing is scheduled: the session has its own timer."""
        return 0
