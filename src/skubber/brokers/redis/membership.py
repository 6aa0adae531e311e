"""One membership of this node among the others: from a connection to Redis to its loss."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from redis.crc import key_slot

from skubber.brokers.redis.feed import Feed
from skubber.brokers.redis.layout import Layout, Primary, Servers
from skubber.brokers.redis.link import Link
from skubber.brokers.redis.pipeline import Command
from skubber.brokers.redis.scripts import ENROLL
from skubber.brokers.redis.wire import ALIVE, NodeKeys, apps_of, keys_of


class Membership:
    """The connections of a node, and the id under which it has entered what it has.

    Every membership has an id of its own. What a node could not take back when it lost its connection goes with the
    former id, and a command that was long under way enters nothing under the new one.

    It is over with the first of its connections, and in a cluster with the first slot that is found elsewhere: the next
    one sees where everything is then, and enters everything there.

    Args:
        servers: tells where Redis is.
        timeout: seconds in which Redis must answer.
        deliver: takes what is published; see ``Feed``.

    Attributes:
        node_id: the id.
        enrolled: the apps in which it may have something.
    """

    def __init__(self, servers: Servers, timeout: float, deliver: Callable[[bytes, bytes], None]) -> None:
        self.node_id = secrets.token_hex(8)
        self.enrolled: set[str] = set()
        self._servers = servers
        self._timeout = timeout
        self._deliver = deliver
        self._layout: Layout | None = None
        self._only: Link
        self._links: dict[Primary, Link] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def is_in_cluster(self) -> bool:
        """Whether apps may be on several servers."""
        return self._layout is not None

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Connect, and work until something fails or the work is done.

        Args:
            work: what to do while connected.

        Raises:
            RedisError, OSError, TimeoutError, LostNodeError, UnavailableError: what failed first.
        """
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._servers.locate(self._timeout)
            if isinstance(found, Layout):
                self._layout = found
            else:
                self._only = self._open(found)
            self._start(work())
            await self._over.wait()
        finally:
            self._over.set()
            for link in self._links.values():
                link.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    async def disconnect(self) -> None:
        """Let go of the connections; to be done when it is over, which takes longer."""
        await asyncio.gather(*(link.disconnect() for link in self._links.values()))

    def call(self, *commands: Command) -> asyncio.Future[list[Any]]:
        """Have Redis do something; see ``Pipeline``. In a cluster, only what concerns one slot is done in order."""
        if self._layout is None:
            return self._only.pipeline.call(*commands)
        links = [self._link(_key(command)) for command in commands]
        if len(set(links)) == 1:
            return links[0].pipeline.call(*commands)
        return asyncio.ensure_future(_call_several(commands, links))

    async def do(self, command: Command) -> Any:
        """Have Redis do one thing; returns its answer.

        Raises:
            UnavailableError: it does not do it, or it cannot be reached.
        """
        (answer,) = await self.call(command)
        return answer

    async def enroll(self, app_id: str) -> NodeKeys:
        """Note that this node has something in an app; to be done before it has. Returns the keys of what it has.

        Raises:
            UnavailableError: Redis cannot be reached, or the others took this node for lost.
        """
        if app_id not in self.enrolled:
            await self.do(ENROLL.call((ALIVE, apps_of(self.node_id)), self.node_id, app_id))
            self.enrolled.add(app_id)
        return keys_of(app_id).of_node(self.node_id)

    def feed(self, topic: bytes) -> Feed:
        """What brings the messages of a Redis channel."""
        return self._link(topic).feed

    async def listen(self, topics: Iterable[bytes]) -> None:
        """Subscribe to Redis channels; done when whatever is published there from now on arrives.

        Raises:
            UnavailableError: the connection was lost.
        """
        for future in [self.feed(topic).subscribe(topic) for topic in topics]:
            await future

    async def catch_up(self) -> None:
        """Done when everything that Redis has published until now has been handed over.

        Raises:
            UnavailableError: the connection was lost.
        """
        for future in [link.feed.catch_up() for link in self._links.values()]:
            await future

    def _link(self, key: bytes) -> Link:
        if self._layout is None:
            return self._only
        primary = self._layout.primary(key_slot(key))
        return self._links.get(primary) or self._open(primary)

    def _open(self, primary: Primary) -> Link:
        link = Link(primary, self._timeout, self._deliver)
        self._links[primary] = link
        if self._over.is_set():
            link.close()
        else:
            self._start(link.run())
        return link

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or self._over.is_set():
            return
        self._failure = task.exception()
        self._over.set()


async def _call_several(commands: Iterable[Command], links: Iterable[Link]) -> list[Any]:
    """Have each of several servers do its part; returns the answers in the order of the commands."""
    shares: dict[Link, list[Command]] = {}
    places = []
    for command, link in zip(commands, links, strict=True):
        share = shares.setdefault(link, [])
        places.append((link, len(share)))
        share.append(command)
    futures = [link.pipeline.call(*share) for link, share in shares.items()]
    answers = dict(zip(shares, await asyncio.gather(*futures), strict=True))
    return [answers[link][place] for link, place in places]


def _key(command: Command) -> bytes:
    """What tells where a command goes: its first key, or the Redis channel it publishes on."""
    key = command[3 if command[0] == "EVALSHA" else 1]
    return key if isinstance(key, bytes) else str(key).encode()
