"""Commands to Redis: those of one turn of the event loop travel together."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import (
    AskError,
    ClusterDownError,
    NoScriptError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

from skubber.brokers.redis.advice import is_forbidden
from skubber.brokers.redis.sharded import in_shard
from skubber.brokers.redis.unavailable import unavailable
from skubber.core.errors import UnavailableError

Command = Sequence[str | bytes | int]

_FATAL = (NoScriptError, ReadOnlyError, AskError, TryAgainError, ClusterDownError)
"""Answers after which one has to begin anew: Redis has lost the scripts, is no longer the one that is written to, the
slot is elsewhere (``MovedError`` is an ``AskError``), on its way there or nowhere, or an access list has changed."""


class LostNodeError(Exception):
    """The others took this node for lost."""


class Pipeline:
    """Sends what is called for, in order, and hands out the answers.

    While answers are under way, calls gather: the more there are, the fewer system calls each of them costs.

    Args:
        connection: a connection of its own.
        timeout: seconds in which answers must come.
    """

    def __init__(self, connection: AbstractConnection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout
        self._waiting: list[tuple[Sequence[Command], asyncio.Future[list[Any]]]] = []
        self._under_way: list[tuple[Sequence[Command], asyncio.Future[list[Any]]]] = []
        self._wake = asyncio.Event()
        self._is_closed = False
        self._is_sharded = False

    def call(self, *commands: Command) -> asyncio.Future[list[Any]]:
        """Have commands sent one right after the other; the future gets their answers.

        It gets an ``UnavailableError`` when one is refused or the connection fails. May be called outside of a task.
        """
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        if self._is_closed:
            future.set_exception(unavailable())
            return future
        self._waiting.append((commands, future))
        self._wake.set()
        return future

    async def run(self, prelude: Sequence[Command] = (), *, is_sharded: bool = False) -> None:
        """Send and receive until something fails.

        Args:
            prelude: what comes first; a refusal of it is a failure.
            is_sharded: whether commands are put as ``in_shard`` does.

        Raises:
            RedisError, OSError, TimeoutError: the connection cannot be used any more.
            LostNodeError: a script found that this node was taken for lost.
        """
        self._is_sharded = is_sharded
        async with asyncio.timeout(self._timeout):
            await self._prepare(prelude)
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                self._under_way, self._waiting = self._waiting, []
                # Redis has to answer the whole lot in this time; a lot is what came up while the one before was out.
                async with asyncio.timeout(self._timeout):
                    await self._exchange()
                self._under_way = []

    def close(self) -> None:
        """Answer everything that waits, and what is called for from now on, with an ``UnavailableError``."""
        self._is_closed = True
        for _, future in (*self._under_way, *self._waiting):
            if not future.done():
                future.set_exception(unavailable())
        self._under_way, self._waiting = [], []

    async def _prepare(self, prelude: Sequence[Command]) -> None:
        await self._connection.send_packed_command(self._connection.pack_commands(prelude), check_health=False)
        for _ in prelude:
            await self._connection.read_response(disconnect_on_error=False)

    async def _exchange(self) -> None:
        connection = self._connection
        lot: Iterable[Command] = (command for commands, _ in self._under_way for command in commands)
        packed = connection.pack_commands(map(in_shard, lot) if self._is_sharded else lot)
        await connection.send_packed_command(packed, check_health=False)
        fatal: Exception | None = None
        for commands, future in self._under_way:
            answers: list[Any] = []
            refusal: ResponseError | None = None
            for _ in commands:
                try:
                    answers.append(await connection.read_response(disconnect_on_error=False))
                except ResponseError as error:
                    refusal = error
            if refusal is not None:
                fatal = _fatal(refusal) or fatal
            if future.done():
                continue
            if refusal is None:
                future.set_result(answers)
            else:
                future.set_exception(_refused(refusal))
        if fatal is not None:
            raise fatal


def _fatal(error: ResponseError) -> Exception | None:
    if str(error).startswith("GONE"):
        return LostNodeError(str(error))
    return error if isinstance(error, _FATAL) or is_forbidden(error) else None


def _refused(error: ResponseError) -> UnavailableError:
    refused = unavailable()
    refused.__cause__ = error
    return refused
