"""What Redis publishes to this node: one connection, subscribed to the channels that somebody here listens to."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.crc import key_slot
from redis.exceptions import ResponseError

from skubber.brokers.redis.unavailable import unavailable

_MOST_TOPICS_AT_ONCE = 500

_PONG = b"PONG"
"""What PING is answered on a connection without any subscription, instead of an array."""


class Feed:
    """Subscribes, unsubscribes, and hands over what arrives.

    What is asked for before the connection is there, is asked of Redis when it is.

    Args:
        connection: a connection of its own.
        deliver: takes the Redis channel and what was published there; must not raise.
    """

    def __init__(self, connection: AbstractConnection, deliver: Callable[[bytes, bytes], None]) -> None:
        self._connection = connection
        self._deliver = deliver
        self._outgoing: list[tuple[str, bytes]] = []
        self._expected: deque[tuple[str, bytes, asyncio.Future[None]]] = deque()
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

    async def write(self, *, is_sharded: bool = False) -> None:
        """Send what is asked for until the connection fails.

        Args:
            is_sharded: whether it is asked for in the terms of sharded pub/sub.

        Raises:
            RedisError, OSError: it has.
        """
        while True:
            await self._wake.wait()
            self._wake.clear()
            outgoing, self._outgoing = self._outgoing, []
            packed = self._connection.pack_commands(_joined(outgoing, is_sharded=is_sharded))
            await self._connection.send_packed_command(packed, check_health=False)

    async def read(self, *, is_sharded: bool = False) -> None:
        """Receive until the connection fails.

        Args:
            is_sharded: as with ``write``.

        Raises:
            RedisError, OSError: it has.
            ResponseError: or Redis has ended a subscription, as a primary does when the slot moves to another.
        """
        kind = b"smessage" if is_sharded else b"message"
        while True:
            message = await self._connection.read_response(disconnect_on_error=False)
            if message[0] == kind:
                self._deliver(message[1], message[2])
            elif message == _PONG or message[0] == b"pong":
                self._confirm("PING", b"")
            else:
                verb = message[0].decode().upper()
                self._confirm(verb[1:] if is_sharded else verb, message[1])

    def close(self) -> None:
        """Answer everything that waits, and what is asked for from now on, with an ``UnavailableError``."""
        self._is_closed = True
        for _, _, future in self._expected:
            _fail(future)
        self._expected.clear()

    def _ask(self, verb: str, argument: bytes) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._is_closed:
            _fail(future)
            return future
        # Redis confirms each channel by itself, in the order in which it was asked.
        self._expected.append((verb, argument, future))
        self._outgoing.append((verb, argument))
        self._wake.set()
        return future

    def _confirm(self, verb: str, argument: bytes) -> None:
        if not self._expected or self._expected[0][:2] != (verb, argument):
            raise ResponseError(f"Redis sent {verb} unasked: the channel is elsewhere now")
        _, _, future = self._expected.popleft()
        if not future.done():
            future.set_result(None)


def _fail(future: asyncio.Future[Any]) -> None:
    if future.done():
        return
    future.set_exception(unavailable())
    future.exception()  # not everybody waits: what is nobody's business is no error either


def _joined(outgoing: Iterable[tuple[str, bytes]], *, is_sharded: bool) -> Iterable[tuple[str | bytes, ...]]:
    """As few commands as do the same. A command of sharded pub/sub stays within one slot."""
    command: list[str | bytes] = []
    last: tuple[str, int] | None = None
    for verb, argument in outgoing:
        this = (verb, key_slot(argument) if is_sharded else 0)
        if command and (this != last or verb == "PING" or len(command) > _MOST_TOPICS_AT_ONCE):
            yield tuple(command)
            command = []
        last = this
        command = command or [f"S{verb}" if is_sharded and verb != "PING" else verb]
        if argument:
            command.append(argument)
    if command:
        yield tuple(command)
