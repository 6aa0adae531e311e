"""Nodes that share a database and a post, their clock in the test's hands."""

import pytest

from skubber.brokers.memory import MemoryBroker
from skubber.core.app import App
from skubber.core.publish_watch import PublishWatch
from skubber.history.history import HistoryReader
from skubber.history.recorder import Recorder
from skubber.history.sampler import Sampler
from skubber.store.apps import AppRegistry
from skubber.store.database import Database
from skubber.store.vault import Vault
from support.apps import make_app
from support.node import Node

MIDNIGHT = 1_800_057_600
"""The beginning of a day, and so of an hour."""


class RecordedNode:
    """A node whose history is recorded when the test says so."""

    def __init__(self, ward: "Ward", name: str) -> None:
        self.app: App = make_app()
        self.node = Node()
        self.broker = MemoryBroker()
        sampler = Sampler(AppRegistry([self.app]), self.node.hub, PublishWatch(lambda: 0.0), lambda: 0)
        self.recorder = Recorder(sampler, self.broker.post, name, lambda: ward.now)

    def publish(self, count: int) -> None:
        self.app.meter.published += count


class Ward:
    """What the nodes share.

    Attributes:
        now: what their clocks show.
        reader: reads as one would who can ask no node.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now: float = MIDNIGHT
        self.reader = HistoryReader(database, MemoryBroker().post)

    def node(self, name: str) -> RecordedNode:
        return RecordedNode(self, name)


@pytest.fixture
def ward(store: tuple[Database, Vault]) -> Ward:
    return Ward(store[0])
