"""Long polling: messages wait here for the client to come and fetch them.

Sources: ASP.NET Core SignalR, TransportProtocols.md, "Long Polling (Client-to-Server and Server-to-Client)";
SockJS 0.3, "xhr-polling".
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from skubber.core.connection import EndReason
from skubber.core.timer_wheel import TimerWheel
from skubber.sessions.session import LinkFigures, Session

RETURN_TIMEOUT = 30
"""Seconds a client may stay away between two polls, unless its protocol says something else."""


class LongPoll:
    """The transport of one long-polling client. Implements ``Peer``.

    Args:
        wheel: the timer wheel.
        run: runs a coroutine that nobody waits for.
        max_bytes: most bytes that may wait: a client that leaves more is ended.
        count_slow_client: called when one is.
        return_timeout: seconds a client may stay away between two polls.

    Attributes:
        session: the conversation; to be set before anything is written.
    """

    __slots__ = (
        "_bytes",
        "_count_slow_client",
        "_is_closed",
        "_max_bytes",
        "_messages",
        "_return_timeout",
        "_run",
        "_wake",
        "_wheel",
        "has_last_words",
        "session",
        "timer_slot",
        "turn",
    )

    def __init__(
        self,
        wheel: TimerWheel,
        run: Callable[[Coroutine[Any, Any, None]], object],
        max_bytes: int,
        count_slow_client: Callable[[], None],
        return_timeout: int = RETURN_TIMEOUT,
    ) -> None:
        self._wheel = wheel
        self._run = run
        self._max_bytes = max_bytes
        self._count_slow_client = count_slow_client
        self._return_timeout = return_timeout
        self._messages: list[bytes] = []
        self._bytes = 0
        self._wake = asyncio.Event()
        self.turn = 0
        """Number of the latest poll."""
        self._is_closed = False
        self.has_last_words = False
        """Whether messages waited when the connection ended, and no poll has been told of the end yet."""
        self.session: Session
        self.timer_slot = -1

    @property
    def has_messages(self) -> bool:
        """Whether anything waits to be fetched."""
        return bool(self._messages)

    @property
    def is_closed(self) -> bool:
        """Whether the connection is over."""
        return self._is_closed

    def measure(self) -> LinkFigures:
        """What waits for the client: there is no connection to look at."""
        return LinkFigures(buffered_bytes=self._bytes)

    def write(self, message: bytes) -> None:
        """Keep a message for the next poll, or for the one that waits."""
        if self._is_closed:
            return
        was_within = self._bytes <= self._max_bytes
        self._messages.append(message)
        self._bytes += len(message)
        self._wake.set()
        if was_within and self._bytes > self._max_bytes:
            # Not at once: this is called in the middle of a fan-out, and a poll that waits is about to take it all.
            asyncio.get_running_loop().call_soon(self._end_slow_client)

    def close(self, code: int, reason: str) -> None:
        """End the connection; what waits can still be fetched."""
        if self._is_closed:
            return
        self._is_closed = True
        # Told now: by the time the session has left, a poll may have fetched them and the next one be on its way.
        self.has_last_words = self.has_messages
        self._wheel.cancel(self)
        self._wake.set()
        self._run(self.session.closed())

    async def poll(self, seconds: float) -> bytes | None:
        """Wait for messages.

        Args:
            seconds: how long.

        Returns:
            All messages that wait, one behind the other; empty when none came in time; None when the connection is
            over, or another poll has come.
        """
        self._wheel.cancel(self)
        turn = self._take_turn()
        if not self._messages and not self._is_closed:
            self._wake.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass
        if turn != self.turn:
            return None
        if not self._is_closed:
            self.expect()
        messages = self._take()
        if self._is_closed and not messages:
            self.has_last_words = False
            return None
        return messages

    def abandon(self, turn: int) -> None:
        """The client of a poll has gone away: nothing may be handed to it. The poll after it is not concerned."""
        if turn != self.turn:
            return
        self._take_turn()
        if not self._is_closed:
            self.expect()

    def give_back(self, messages: bytes) -> None:
        """Keep messages that did not reach the client after all, in front of whatever has come since."""
        self._messages.insert(0, messages)
        self._bytes += len(messages)
        self._wake.set()

    def expect(self) -> None:
        """From now on wait for the next poll, for a while."""
        self._wheel.schedule(self, self._return_timeout)

    def timer_due(self, now: int) -> int:
        """The client has stayed away."""
        self.close(0, "")
        return 0

    def _end_slow_client(self) -> None:
        if self._bytes > self._max_bytes and not self._is_closed:
            self._count_slow_client()
            self.session.end(EndReason.TOO_SLOW)

    def _take(self) -> bytes:
        """Everything that waits, which is then kept no longer."""
        messages, self._messages, self._bytes = self._messages, [], 0
        return b"".join(messages)

    def _take_turn(self) -> int:
        """End the poll that waits, if one does."""
        self.turn += 1
        self._wake.set()
        return self.turn
