"""What the hub asks of a broker: the truth shared by all nodes, and the way from one node to the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from skubber.core.event import Event
from skubber.core.histogram import Histogram
from skubber.core.meter import Rate
from skubber.core.post import Post
from skubber.core.presence import PresenceMember

KEPT_EVENT_LIFETIME = 1800
"""Seconds a cache channel keeps its last event. Source: Pusher Channels documentation, "Cache channels"."""

REQUEST_LIFETIME = 600
"""Seconds within which a request with the same idempotency key counts as the same request."""


@dataclass(slots=True)
class Occupancy:
    """How full a channel is, over all nodes.

    Attributes:
        subscriptions: subscribed connections.
        users: distinct users, on presence channels; elsewhere None.
    """

    subscriptions: int
    users: int | None = None


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """The last event of a cache channel.

    Attributes:
        event: the event.
        expires_in: seconds it is still kept.
    """

    event: Event
    expires_in: float


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """A request that had the same idempotency key.

    Attributes:
        fingerprint: tells it from other requests.
        is_done: whether it has been done; else it is being done.
    """

    fingerprint: bytes
    is_done: bool


@dataclass(slots=True)
class Joined:
    """The outcome of a presence join.

    Attributes:
        is_first: the user had no other connection on the channel, anywhere.
        members: everyone present, the joining user included, each once.
    """

    is_first: bool
    members: Sequence[PresenceMember]


@dataclass(frozen=True, slots=True)
class Upheaval:
    """What changed on an app's channels because a whole node was lost, or came back.

    Attributes:
        counts: subscriptions as they are now, of the channels where their number changed; 0: nobody is left. Channels
            that come with a sign-in are left out: back ends are told nothing of them.
        occupied: those of the channels that nobody had been subscribed to.
        arrived: members who were not there before, as channel and user id.
        departed: members who are gone.
    """

    counts: dict[str, int] = field(default_factory=dict)
    occupied: list[str] = field(default_factory=list)
    arrived: list[tuple[str, str]] = field(default_factory=list)
    departed: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class BrokerHealth:
    """How this node's connection to the others has fared.

    Attributes:
        reconnects: how often it was had again after it was lost.
        round_trips: how long answers take, asked for a few times in a lease; none where there is nobody to ask.
    """

    reconnects: int = 0
    round_trips: Histogram = field(default_factory=Histogram)


class Delivery(Protocol):
    """The node's side of a broker: what arrives from other nodes, or from this one, is handed over here."""

    def deliver(self, app_id: str, channel: str, event: Event, excluded: str | None) -> None:
        """Fan an event out to this node's subscribers of a channel."""
        ...

    def joined(self, app_id: str, channel: str, socket_id: str) -> None:
        """A connection of this node has entered a roster just now.

        What was delivered on the channel before is no news to it: the roster shows it. Called before ``join`` returns.
        """
        ...

    def terminate(self, app_id: str, user_id: str) -> None:
        """End every connection a user has on this node."""
        ...

    def upheaved(self, app_id: str, upheaval: Upheaval) -> None:
        """Tell back ends what no call of any hub brought about. One node alone is asked to, of all there are.

        Subscribers have their ``MemberAdded`` and the like already.
        """
        ...


class Broker(Protocol):
    """Carries events between nodes and keeps what they must agree on.

    Every method is a coroutine so that a networked broker may wait. One that keeps everything in memory never
    suspends, and its callers then finish within one step of the event loop.

    A broker that cannot do what it is asked raises ``UnavailableError`` and has then counted and entered nothing. An
    ``unsubscribe``, ``leave`` or ``sign_out`` that failed is not repeated by the hub: the broker makes up for it once
    it can.

    Everything that is delivered on one channel is delivered in the same order on every node.
    """

    @property
    def is_available(self) -> bool:
        """Whether the other nodes can be reached, as far as is known."""
        ...

    @property
    def health(self) -> BrokerHealth:
        """How the connection to the other nodes has fared."""
        ...

    @property
    def post(self) -> Post:
        """How this node asks the others, and is asked."""
        ...

    async def start(self) -> None:
        """Get ready. It does not fail when the other nodes cannot be reached: that is tried again and again."""
        ...

    async def stop(self) -> None:
        """Take back what this node still holds, and let go of everything; the last call of all."""
        ...

    def attach(self, delivery: Delivery) -> None:
        """Name the node's side; called once, before anything else."""
        ...

    async def publish(self, app_id: str, channels: Sequence[str], event: Event, excluded: str | None) -> None:
        """Deliver ``event`` on each channel, on every node, this one included.

        Cache channels keep it, if it is one to be kept, in place of the one before. When the other nodes cannot be
        reached, this node's subscribers get it nonetheless.

        Raises:
            UnavailableError: perhaps not every node has it. A broker may be told not to mind.
        """
        ...

    async def kept_event(self, app_id: str, channel: str) -> KeptEvent | None:
        """The last event of a cache channel, for as long as it is kept.

        It is one that has been handed to this node's ``Delivery`` already, if this node was subscribed then.
        """
        ...

    async def connect(self, app_id: str, max_connections: int) -> bool:
        """Count one more connection of an app; False, and it is not counted, when others have taken all there may be.

        This node's own connections have been looked at before.
        """
        ...

    async def disconnect(self, app_id: str) -> None:
        """Count one connection less."""
        ...

    async def take(self, app_id: str, rate: Rate, count: int, limit: int) -> bool:
        """Count what an app does in this second; False, and it is not counted, when others have used up the limit.

        What this node does has been held against the limit before, or will be. A second's first always gets through.
        As long as the other nodes cannot be reached, each holds apps to their limits by itself.
        """
        ...

    async def subscribe(self, app_id: str, channel: str, max_channels: int = 0) -> int | None:
        """Count one more subscription of a channel; returns how many there are now.

        None, and nothing is counted, when that would make more than ``max_channels`` occupied channels of the app;
        0 means no limit. Channels that come with a sign-in do not count.
        """
        ...

    async def unsubscribe(self, app_id: str, channel: str) -> int | None:
        """Count one subscription less; returns how many are left.

        None when it was not counted any more: others took this node for lost.
        """
        ...

    async def join(
        self, app_id: str, channel: str, socket_id: str, member: PresenceMember, max_members: int
    ) -> Joined | None:
        """Enter a user's connection in a roster; None when that would make more than ``max_members`` users.

        The channel's other subscribers are told when it is the user's first, anywhere.
        """
        ...

    async def leave(self, app_id: str, channel: str, socket_id: str, user_id: str) -> bool:
        """Strike a user's connection from a roster; True when it was the user's last, anywhere.

        The channel's subscribers are told then.
        """
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

    async def claim_request(self, app_id: str, key: str, fingerprint: bytes) -> EarlierRequest | None:
        """Note that the request with an idempotency key is being done, unless there was one with this key before.

        Returns:
            That earlier request, if there was one. Nothing is noted then.
        """
        ...

    async def finish_request(self, app_id: str, key: str) -> None:
        """Note that a claimed request has been done."""
        ...

    async def release_request(self, app_id: str, key: str) -> None:
        """Forget a claimed request that could not be done: it may be tried again with the same key."""
        ...

    async def sign_in(self, app_id: str, socket_id: str, user_id: str) -> bool:
        """Note that a user is signed in on a connection; True when it is the user's first, anywhere.

        Those who watch the user are told then.
        """
        ...

    async def sign_out(self, app_id: str, socket_id: str, user_id: str) -> bool:
        """Take that back; True when it was the user's last, anywhere. Those who watch the user are told then."""
        ...

    async def online(self, app_id: str, user_ids: Sequence[str]) -> Sequence[str]:
        """Those of the users who are signed in, anywhere, in the order given."""
        ...

    async def terminate_user(self, app_id: str, user_id: str) -> None:
        """End every connection of a user, on every node."""
        ...
