"""Keeps the history of one node, and tells other nodes of its last seconds."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec
import structlog

from skubber.core.post import Post
from skubber.history.blocks import BLOCK_SECONDS, Blocks
from skubber.history.hours import keep_complete_hours, last_complete_hour
from skubber.history.sample import SERVER, Sample
from skubber.history.sampler import Sampler
from skubber.store.database import Database
from skubber.store.deliveries import backlog
from skubber.store.history import write_minutes
from skubber.store.reason import reason

WRITE_INTERVAL = 10
"""Seconds between two writes: so many a node that is killed loses."""

LIVE_ADDRESS, UNWRITTEN_ADDRESS = "history-live", "history-unwritten"
"""Where all nodes are asked for their last second, and for what may not be in the database yet."""

_MOST_BLOCKS = 10
"""Minutes that wait for a database that cannot be written."""

_log = structlog.stdlib.get_logger("skubber.history")


class Latest(msgspec.Struct, array_like=True):
    """A node's last second.

    Attributes:
        at: the second, since the epoch.
        sample: the sample of the app that was asked for, or of the server.
    """

    at: int
    sample: Sample


class Unwritten(msgspec.Struct, array_like=True):
    """What a node has not written yet, or is still adding to.

    Attributes:
        node: the name it writes under.
        seconds: samples of the app that was asked for, or of the server, by second since the epoch.
    """

    node: str
    seconds: dict[int, Sample]


class Recorder:
    """Takes a sample each second, and writes them every ten.

    Args:
        sampler: takes them.
        post: how other nodes ask.
        node: a name that no other process has had.
        clock: seconds since the epoch.
    """

    def __init__(self, sampler: Sampler, post: Post, node: str, clock: Callable[[], float]) -> None:
        self._sampler = sampler
        self._post = post
        self._node = node
        self._clock = clock
        self._blocks = Blocks()
        self._at = 0
        self._latest: Mapping[str, Sample] = {SERVER: Sample()}
        self._waiting: int | None = None
        self._oldest_ms: int | None = None
        self._kept_until = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._database: Database | None = None

    async def start(self, database: Database) -> None:
        """Begin to record. Call it in the event loop."""
        self._database = database
        await self._post.listen(LIVE_ADDRESS, self._answer_latest)
        await self._post.listen(UNWRITTEN_ADDRESS, self._answer_unwritten)
        self._tasks = [asyncio.create_task(self._take_repeatedly()), asyncio.create_task(self._write_repeatedly())]

    async def stop(self) -> None:
        """Write what there is; nothing is recorded from then on."""
        self._post.stop(LIVE_ADDRESS)
        self._post.stop(UNWRITTEN_ADDRESS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._database is None:
            return
        try:
            await self.write(self._database)
        except Exception as error:
            _log.error("cannot write the history", reason=reason(error))

    def take(self) -> None:
        """Take the sample of the second that is just over, if it has not been taken yet."""
        at = int(self._clock()) - 1
        if at == self._at:
            return
        samples = self._sampler.take()
        server = samples[SERVER]
        if self._waiting is not None:
            server.waiting = self._waiting
            server.lag_ms = 0 if self._oldest_ms is None else max(0, int(self._clock() * 1000) - self._oldest_ms)
        self._at, self._latest = at, samples
        self._blocks.add(at, samples)
        self._blocks.forget_before(at - at % BLOCK_SECONDS - (_MOST_BLOCKS - 1) * BLOCK_SECONDS)

    async def write(self, database: Database) -> None:
        """Write what has been taken, and once an hour keep the one that is over. A write that fails is made up for."""
        minute = self._at - self._at % BLOCK_SECONDS
        async with database.writing() as connection:
            await write_minutes(connection, self._node, self._blocks.packed())
            waiting = await backlog(connection)
        self._blocks.forget_before(minute)
        self._waiting, self._oldest_ms = waiting.waiting, waiting.oldest_ms
        end = last_complete_hour(self._clock())
        if end != self._kept_until:
            await keep_complete_hours(database, self._clock())
            self._kept_until = end

    async def _take_repeatedly(self) -> None:
        while True:
            # Just behind the full second, whatever the timer's precision is.
            await asyncio.sleep(1.01 - self._clock() % 1)
            try:
                self.take()
            except Exception:
                _log.exception("a sample could not be taken")

    async def _write_repeatedly(self) -> None:
        is_failing = False
        while self._database is not None:
            try:
                await self.write(self._database)
            except Exception as error:  # asyncpg has some that SQLAlchemy does not wrap
                if not is_failing:
                    _log.error("cannot write the history", reason=reason(error))
                is_failing = True
            else:
                is_failing = False
            await asyncio.sleep(WRITE_INTERVAL)

    async def _answer_latest(self, question: bytes) -> bytes:
        return msgspec.msgpack.encode(Latest(self._at, self._latest.get(question.decode(), Sample())))

    async def _answer_unwritten(self, question: bytes) -> bytes:
        return msgspec.msgpack.encode(Unwritten(self._node, dict(self._blocks.seconds(question.decode()))))
