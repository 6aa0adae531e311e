"""What Redis publishes to this node: one connection, subscribed to the channels that somebody here listens to."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from skubber.brokers.redis.unavailable import unavailable

_MOST_TOPICS_AT_ONCE = 500

_CONFIRMATIONS = frozenset({b"subscribe", b"unsubscribe", b"pong"})


class Feed:
    """Subscribes, unsubscribes, and hands over what arrives.

    Args:
        connection: a connection of its own.
        deliver: takes the Redis channel and what was published there; must not raise.
    """

    def __init__(self, connection: AbstractConnection, deliver: Callable[[bytes, bytes], None]) -> None:
        self._connection = connection
        self._deliver = deliver
        self._outgoing: list[tuple[str, bytes]] = []
        self._expected: deque[asyncio.Future[None]] = deque()
        self._wake = asyncio.Event()
        self._is_closed = False

    def subscribe(self, topic: bytes) -> asyncio.Future[None]:
        """Subscribe to a Redis channel; done when everything published from then on will be handed over."""
        return self._ask("SUBSCRIBE", topic)

    def unsubscribe(self, topic: bytes) -> asyncio.Future[None]:
        """Take a subscription back."""
        return self._ask("UNSUBSCRIBE", topic)

    def catch_up(self) -> asyncio.Future[None]:
        """Done when everything that Redis has published until now has been handed over."""
        return self._ask("PING", b"")

    async def write(self) -> None:
        """Send what is asked for until the connection fails.

        Raises:
            RedisError, OSError: it has.
        """
        while True:
            await self._wake.wait()
            self._wake.clear()
            outgoing, self._outgoing = self._outgoing, []
            packed = self._connection.pack_commands(_joined(outgoing))
            await self._connection.send_packed_command(packed, check_health=False)

    async def read(self) -> None:
        """Receive until the connection fails.

        Raises:
            RedisError, OSError: it has.
        """
        while True:
            message = await self._connection.read_response()
            if message[0] == b"message":
                self._deliver(message[1], message[2])
            elif message[0] in _CONFIRMATIONS:
                self._confirm()
            else:
                raise ResponseError(f"Redis sent {message[0]!r} where it should not")

    def close(self) -> None:
        """Answer everything that waits, and what is asked for from now on, with an ``UnavailableError``."""
        self._is_closed = True
        for future in self._expected:
            _fail(future)
        self._expected.clear()

    def _ask(self, verb: str, argument: bytes) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._is_closed:
            _fail(future)
            return future
        # Redis confirms each channel by itself, in the order in which it was asked.
        self._expected.append(future)
        self._outgoing.append((verb, argument))
        self._wake.set()
        return future

    def _confirm(self) -> None:
        future = self._expected.popleft()
        if not future.done():
            future.set_result(None)


def _fail(future: asyncio.Future[Any]) -> None:
    if future.done():
        return
    future.set_exception(unavailable())
    future.exception()  # not everybody waits: what is nobody's business is no error either


def _joined(outgoing: Iterable[tuple[str, bytes]]) -> Iterable[tuple[str | bytes, ...]]:
    """As few commands as do the same."""
    command: list[str | bytes] = []
    for verb, argument in outgoing:
        if command and (command[0] != verb or verb == "PING" or len(command) > _MOST_TOPICS_AT_ONCE):
            yield tuple(command)
            command = []
        command = command or [verb]
        if argument:
            command.append(argument)
    if command:
        yield tuple(command)
