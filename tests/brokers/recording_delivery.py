"""A node's side of a broker that writes down what it is handed."""

import asyncio

from skubber.core.broker import Upheaval
from skubber.core.event import Event


class RecordingDelivery:
    """This node's side: what was handed over, and a wait for it to be.

    Attributes:
        joins: connections that have entered a roster, and how much had been delivered before.
    """

    def __init__(self) -> None:
        self.delivered: list[tuple[str, str, str, bytes, str | None]] = []
        self.joins: list[tuple[str, int]] = []
        self.terminated: list[tuple[str, str]] = []
        self.upheavals: list[tuple[str, Upheaval]] = []
        self._arrived = asyncio.Event()

    def deliver(self, app_id: str, channel: str, event: Event, excluded: str | None) -> None:
        self.delivered.append((app_id, channel, event.name, event.data, excluded))
        self._arrived.set()

    def joined(self, app_id: str, channel: str, socket_id: str) -> None:
        self.joins.append((socket_id, len(self.delivered)))

    def terminate(self, app_id: str, user_id: str) -> None:
        self.terminated.append((app_id, user_id))
        self._arrived.set()

    def upheaved(self, app_id: str, upheaval: Upheaval) -> None:
        self.upheavals.append((app_id, upheaval))
        self._arrived.set()

    @property
    def names(self) -> list[str]:
        """The events' names."""
        return [name for _, _, name, _, _ in self.delivered]

    async def until(self, count: int) -> None:
        """Wait until so much has been handed over."""
        async with asyncio.timeout(10):
            while len(self.delivered) + len(self.terminated) < count:
                self._arrived.clear()
                await self._arrived.wait()
