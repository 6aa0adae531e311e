"""This node's answers."""

import heapq
import os
import resource
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skubber import __version__
from skubber.core.connection import EndReason
from skubber.core.histogram import Histogram
from skubber.core.hub import Hub
from skubber.core.timer_wheel import TimerWheel
from skubber.insight.questions import (
    Answer,
    DescribeNode,
    EndConnection,
    FindConnections,
    FindUsers,
    FoundConnection,
    FoundUser,
    NodeDescription,
    Observe,
    ProtocolConnections,
    Question,
    ShowConnection,
    decode_question,
    encode,
)
from skubber.insight.watchers import Watchers
from skubber.metrics.census import take_census
from skubber.metrics.unhurried import unhurried
from skubber.sessions.client_session import ClientSession
from skubber.store.apps import AppStore

_ALL = ""
"""The label of all apps."""


@dataclass(frozen=True, slots=True)
class NodeSources:
    """What there is to be looked into on this node.

    Attributes:
        hub: the hub.
        apps: the apps.
        wheel: the timer wheel, whose seconds connections note.
        clock: seconds since the epoch.
        loop_delays: how late the event loop was.
        is_ready: whether the server takes connections.
        slow_clients: how many clients were closed for leaving too much unread.
    """

    hub: Hub
    apps: AppStore
    wheel: TimerWheel
    clock: Callable[[], float]
    loop_delays: Histogram
    is_ready: Callable[[], bool]
    slow_clients: Callable[[], int]


class ThisNode:
    """Answers what is asked about this node.

    Args:
        sources: what there is to be looked into.

    Attributes:
        id: tells it from others; another at each start.
    """

    def __init__(self, sources: NodeSources) -> None:
        self.id = secrets.token_hex(8)
        self._sources = sources
        self._host = socket.gethostname()
        self._started_at = sources.clock()
        self._rates = _Rates()
        self._watchers = Watchers(sources.hub.observers, sources.clock)

    async def answer(self, question: bytes) -> bytes:
        """Answer a question; see ``skubber.core.post.Answer``."""
        answer = Answer(self.id, self._host)
        await self._fill(answer, decode_question(question))
        return encode(answer)

    async def _fill(self, answer: Answer, question: Question) -> None:
        match question:
            case FindConnections():
                await self._find_connections(answer, question)
            case ShowConnection():
                if (found := self._find(question.app_id, question.socket_id)) is not None:
                    answer.connections = [self._details(found)]
            case EndConnection():
                if (found := self._find(question.app_id, question.socket_id)) is not None:
                    answer.connections = [self._outline(found)]
                    found.end(EndReason.TERMINATED)
            case FindUsers():
                await self._find_users(answer, question)
            case DescribeNode():
                answer.description = await self._describe()
            case Observe():
                answer.observations, answer.skipped = self._watchers.ask(question)

    def _find(self, app_id: str, socket_id: str) -> ClientSession | None:
        namespace = self._sources.hub.namespace(app_id)
        found = None if namespace is None else namespace.connections.get(socket_id)
        return found if isinstance(found, ClientSession) else None

    async def _find_connections(self, answer: Answer, question: FindConnections) -> None:
        namespace = self._sources.hub.namespace(question.app_id)
        if namespace is None:
            return
        socket_ids = []
        async for connection in unhurried(tuple(namespace.connections.values())):
            if not isinstance(connection, ClientSession) or not _matches(connection, question):
                continue
            answer.total += 1
            if connection.socket_id > question.after:
                socket_ids.append(connection.socket_id)
        for socket_id in heapq.nsmallest(question.limit, socket_ids):
            if (found := self._find(question.app_id, socket_id)) is not None:  # it may have gone meanwhile
                answer.connections.append(self._outline(found))

    async def _find_users(self, answer: Answer, question: FindUsers) -> None:
        namespace = self._sources.hub.namespace(question.app_id)
        if namespace is None:
            return
        user_ids = []
        async for user_id in unhurried(tuple(namespace.users)):
            if user_id.startswith(question.prefix):
                answer.total += 1
                if user_id > question.after:
                    user_ids.append(user_id)
        for user_id in heapq.nsmallest(question.limit, user_ids):
            holders = {connection.socket_id for connection in namespace.users.get(user_id, ())}
            if holders:
                answer.users.append(FoundUser(user_id, len(holders)))

    def _outline(self, connection: ClientSession) -> FoundConnection:
        protocol, transport = connection.kind
        return FoundConnection(
            connection.socket_id,
            protocol,
            transport,
            self._moment(connection.opened_at),
            connection.user_id,
            connection.key.key,
            len(connection.subscriptions),
        )

    def _details(self, connection: ClientSession) -> FoundConnection:
        details = self._outline(connection)
        details.channels = [(name, each.user_id) for name, each in sorted(connection.subscriptions.items())]
        details.last_heard_at = self._moment(connection.last_heard)
        figures = connection.measure()
        details.address = figures.address
        details.bytes_sent = figures.bytes_sent
        details.bytes_received = figures.bytes_received
        details.round_trip_ms = figures.round_trip_ms
        details.buffered_bytes = figures.buffered_bytes
        return details

    def _moment(self, second: int) -> int:
        """A second of the timer wheel as seconds since the epoch."""
        return int(self._sources.clock()) - (self._sources.wheel.now - second)

    async def _describe(self) -> NodeDescription:
        sources = self._sources
        census = await take_census(sources.hub, lambda _: _ALL)
        meters = [app.meter for app in sources.apps.all()]
        published, delivered = self._rates.look(
            sources.clock(), sum(meter.published for meter in meters), sum(meter.delivered for meter in meters)
        )
        looks = sources.loop_delays.cumulative()[-1]
        return NodeDescription(
            os.getpid(),
            __version__,
            self._started_at,
            not sources.is_ready(),
            sources.hub.connection_count,
            census.channels[_ALL],
            published,
            delivered,
            1000 * sources.loop_delays.total / max(1, looks),
            _memory(),
            sources.slow_clients(),
            [ProtocolConnections(*kind, count) for kind, count in sorted(census.connections.items())],
        )


class _Rates:
    """How fast two counters have grown since the last look, a second ago or more."""

    def __init__(self) -> None:
        self._before: tuple[float, int, int] | None = None
        self._rates = (0.0, 0.0)

    def look(self, now: float, published: int, delivered: int) -> tuple[float, float]:
        if self._before is None:
            self._before = now, published, delivered
            return self._rates
        then, published_then, delivered_then = self._before
        if now - then >= 1:
            passed = now - then
            self._rates = max(0, published - published_then) / passed, max(0, delivered - delivered_then) / passed
            self._before = now, published, delivered
        return self._rates


def _matches(connection: ClientSession, question: FindConnections) -> bool:
    if question.channel is not None and question.channel not in connection.subscriptions:
        return False
    return question.user_id is None or connection.is_users(question.user_id)


def _memory() -> int:
    """Bytes of this process's memory that are resident; where the kernel does not tell, the most there ever were."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
