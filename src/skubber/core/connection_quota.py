"""Holding apps to their number of connections, on all nodes together."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from skubber.core.app import App
from skubber.core.broker import Broker
from skubber.core.connection import Connection, EndReason
from skubber.core.errors import UnavailableError


class ConnectionQuota:
    """Counts the connections of apps that may not have any number of them.

    Nobody waits for it: a client that finds room on its own node is let in at once, and ended if it turns out that
    other nodes had taken the last place. As long as they cannot be reached, it stays.

    Args:
        broker: the broker.
        run: runs a coroutine that nobody waits for.

    Attributes:
        refused: how many connections were ended because other nodes had taken the last place.
    """

    __slots__ = ("_broker", "_is_counted", "_run", "refused")

    def __init__(self, broker: Broker, run: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._broker = broker
        self._run = run
        self.refused = 0
        self._is_counted: dict[Connection, bool] = {}

    def connected(self, app: App, connection: Connection) -> None:
        """A connection was let in."""
        if app.limits.connections:
            self._is_counted[connection] = False
            self._run(self._count(app, connection))

    def disconnected(self, app: App, connection: Connection) -> None:
        """It is gone."""
        if self._is_counted.pop(connection, False):
            self._run(self._count_out(app.id))

    async def _count(self, app: App, connection: Connection) -> None:
        try:
            has_room = await self._broker.connect(app.id, app.limits.connections)
        except UnavailableError:
            return
        if connection not in self._is_counted:  # it has gone meanwhile
            if has_room:
                await self._count_out(app.id)
        elif has_room:
            self._is_counted[connection] = True
        else:
            self.refused += 1
            connection.end(EndReason.APP_FULL)

    async def _count_out(self, app_id: str) -> None:
        with suppress(UnavailableError):  # the broker makes up for it
            await self._broker.disconnect(app_id)
