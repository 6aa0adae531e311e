"""What the hub asks of a broker: the truth shared by all nodes, and the way from one node to the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from skubber.core.event import Event
from skubber.core.presence import PresenceMember


@dataclass(slots=True)
class Occupancy:
    """How full a channel is, over all nodes.

    Attributes:
        subscriptions: subscribed connections.
        users: distinct users, on presence channels; elsewhere None.
    """

    subscriptions: int
    users: int | None = None


@dataclass(slots=True)
class Joined:
    """The outcome of a presence join.

    Attributes:
        is_first: the user had no other connection on the channel, anywhere.
        members: everyone present, the joining user included, each once.
    """

    is_first: bool
    members: Sequence[PresenceMember]


class Delivery(Protocol):
    """The node's side of a broker: what arrives from other nodes, or from this one, is handed over here."""

    def deliver(self, app_id: str, channel: str, event: Event, excluded: str | None) -> None:
        """Fan an event out to this node's subscribers of a channel."""
        ...

    def terminate(self, app_id: str, user_id: str) -> None:
        """End every connection a user has on this node."""
        ...


class Broker(Protocol):
    """Carries events between nodes and keeps what they must agree on.

    Every method is a coroutine so that a networked broker may wait. One that keeps everything in memory never
    suspends, and its callers then finish within one step of the event loop.

    A broker that cannot do what it is asked raises ``UnavailableError`` and has then counted and entered nothing. An
    ``unsubscribe`` or ``leave`` that failed is not repeated by the hub: the broker makes up for it once it can.
    """

    def attach(self, delivery: Delivery) -> None:
        """Name the node's side; called once, before anything else."""
        ...

    async def publish(self, app_id: str, channels: Sequence[str], event: Event, excluded: str | None) -> None:
        """Deliver ``event`` on each channel, on every node, this one included."""
        ...

    async def subscribe(self, app_id: str, channel: str) -> int:
        """Count one more subscription of a channel; returns how many there are now."""
        ...

    async def unsubscribe(self, app_id: str, channel: str) -> int:
        """Count one subscription less; returns how many are left."""
        ...

    async def join(
        self, app_id: str, channel: str, socket_id: str, member: PresenceMember, max_members: int
    ) -> Joined | None:
        """Enter a user's connection in a roster; None when that would make more than ``max_members`` users."""
        ...

    async def leave(self, app_id: str, channel: str, socket_id: str, user_id: str) -> bool:
        """Strike a user's connection from a roster; True when it was the user's last, anywhere."""
        ...

    async def occupancy(self, app_id: str, channel: str) -> Occupancy:
        """How full one channel is; zero subscriptions when nobody is there."""
        ...

    async def channels(self, app_id: str, prefix: str) -> Mapping[str, Occupancy]:
        """The occupied channels whose names start with ``prefix``, in no particular order."""
        ...

    async def members(self, app_id: str, channel: str) -> Sequence[PresenceMember]:
        """Everyone on a presence channel, each user once."""
        ...

    async def terminate_user(self, app_id: str, user_id: str) -> None:
        """End every connection of a user, on every node."""
        ...
