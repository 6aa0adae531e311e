"""Looking into a node without its edge, and clients of it that there is something to see of."""

import time

from skubber.core.app import App
from skubber.core.connection import EndReason
from skubber.core.event import WireFormat
from skubber.core.histogram import Histogram
from skubber.core.hub import Admission
from skubber.core.timer_wheel import TimerWheel
from skubber.insight.insight import Insight
from skubber.insight.node import NodeSources, ThisNode
from skubber.sessions.client_session import ClientSession
from skubber.store.apps import AppRegistry, AppStore
from support.node import Node


def insight(node: Node, apps: AppStore | None = None) -> Insight:
    """Looks into a node and all that share its broker."""
    sources = NodeSources(
        node.hub, apps or AppRegistry([]), TimerWheel(), time.time, Histogram(), lambda: True, lambda: 0
    )
    return Insight(node.broker.post, ThisNode(sources))


class _NoPeer:
    """A transport that nobody can look at."""

    def write(self, _: bytes) -> None:
        """Nobody reads it."""

    def close(self, code: int, reason: str) -> None:
        """It is closed."""


class Client(ClientSession):
    """A client as its node knows it. ``ended`` holds why it was ended."""

    def __init__(self, node: Node, app: App, socket_id: str) -> None:
        super().__init__(node.hub, time.time, app, next(iter(app.keys.values())), socket_id, lambda _: None)
        self._wire_format: WireFormat = node.wire_format
        self._opened_at = 0
        self._peer = _NoPeer()
        self.last_heard = 0
        self.ended: list[EndReason] = []
        assert node.hub.connect(app, self) is Admission.ADMITTED

    @property
    def kind(self) -> tuple[str, str]:
        return "pusher", "websockets"

    @property
    def wire_format(self) -> WireFormat:
        return self._wire_format

    def end(self, reason: EndReason) -> None:
        self.ended.append(reason)
