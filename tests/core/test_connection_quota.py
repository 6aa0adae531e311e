"""Connections counted on all nodes together, by a broker that may be slow."""

import pytest

from skubber.core.app import App
from skubber.core.connection import EndReason
from skubber.core.connection_quota import ConnectionQuota
from skubber.core.hub import Admission, Hub
from skubber.core.limits import Limits
from skubber.server.eager import run_detached
from support.apps import make_app
from support.edge_client import settled
from support.recording import Iteration, LegibleFormat, RecordingConnection
from support.slow_broker import SlowBroker


class CountingBroker(SlowBroker):
    """A broker that has as much room as the test says."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    async def connect(self, app_id: str, max_connections: int) -> bool:
        await super().connect(app_id, max_connections)
        if not self.room:
            return False
        self.room -= 1
        return True

    async def disconnect(self, app_id: str) -> None:
        await super().disconnect(app_id)
        self.room += 1


class Node:
    """A hub above such a broker."""

    def __init__(self, room: int) -> None:
        self.broker = CountingBroker(room)
        self.quota = ConnectionQuota(self.broker, run_detached)
        self.hub = Hub(self.broker, Iteration(), quota=self.quota)
        self._sockets = 0

    def connect(self, app: App) -> RecordingConnection:
        """Let a client in."""
        self._sockets += 1
        connection = RecordingConnection(f"1.{self._sockets}", LegibleFormat())
        assert self.hub.connect(app, connection) is Admission.ADMITTED
        return connection

    async def disconnect(self, app: App, connection: RecordingConnection) -> None:
        """Let it go."""
        await self.hub.disconnect(app, connection, ())


@pytest.fixture
def app() -> App:
    """An app with a limit, far from it on this node."""
    return make_app(limits=Limits(connections=100))


async def test_who_comes_after_the_last_place_was_taken_elsewhere_is_ended(app: App) -> None:
    node = Node(room=1)
    first, second = node.connect(app), node.connect(app)
    await settled()
    assert (first.ends, second.ends) == ([], [EndReason.APP_FULL])
    assert node.quota.refused == 1
    await node.disconnect(app, second)
    assert node.broker.room == 0
    await node.disconnect(app, first)
    assert node.broker.room == 1


async def test_who_goes_before_the_answer_came_is_not_counted(app: App) -> None:
    node = Node(room=1)
    answer = node.broker.hold_reply("connect")
    connection = node.connect(app)
    await answer.reached()
    await node.disconnect(app, connection)
    answer.release()
    await settled()
    assert (node.broker.room, connection.ends) == (1, [])


async def test_while_the_others_cannot_be_reached_clients_stay(app: App) -> None:
    node = Node(room=0)
    node.broker.fail("connect", "disconnect")
    connection = node.connect(app)
    await settled()
    assert connection.ends == []
    await node.disconnect(app, connection)
    node.broker.recover()
    node.broker.room = 1
    counted = node.connect(app)
    await settled()
    node.broker.fail("disconnect")
    await node.disconnect(app, counted)
    assert node.broker.room == 0


async def test_an_app_without_a_limit_is_not_counted() -> None:
    node = Node(room=0)
    app = make_app()
    connection = node.connect(app)
    await settled()
    assert connection.ends == []
