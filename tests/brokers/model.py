"""A plain model of what a broker keeps, whatever number of nodes it is made of: sets of who has what."""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field

from skubber.core.channel_name import WATCHLIST_PREFIX

Deliveries = list[tuple[str, str]]
"""Channels and what is delivered there, in order."""


@dataclass(frozen=True, order=True)
class Client:
    """A connection, on one of the nodes."""

    node: int
    number: int

    @property
    def socket_id(self) -> str:
        return f"{self.node}.{self.number}"


@dataclass(frozen=True)
class Held:
    """Something a client has: it is subscribed to ``channel``, or present there as ``user``, or signed in as one."""

    client: Client
    channel: str = ""
    user: str = ""


@dataclass
class Changes:
    """What is told of when a node is lost or comes back."""

    occupied: set[str] = field(default_factory=set)
    vacated: set[str] = field(default_factory=set)
    arrived: set[tuple[str, str]] = field(default_factory=set)
    departed: set[tuple[str, str]] = field(default_factory=set)


class Model:
    """What is true on all nodes at once.

    Attributes:
        held: what the clients have, with what was said of a user who is present.
        infos: what is said of each user present, by channel and user: what the first connection said.
        kept: the last event of each cache channel.
        requests: the requests that are being done or have been, with their fingerprints.
        deliveries: what has been delivered on each channel, anywhere.
    """

    def __init__(self) -> None:
        self.held: dict[Held, bytes] = {}
        self.infos: dict[tuple[str, str], bytes] = {}
        self.kept: dict[str, str] = {}
        self.requests: dict[str, tuple[bytes, bool]] = {}
        self.deliveries: Deliveries = []

    def copy(self) -> "Model":
        """The same, on its own from now on."""
        other = copy(self)
        for name, value in vars(self).items():
            setattr(other, name, copy(value))
        return other

    def count(self, channel: str) -> int:
        """How many are subscribed."""
        return sum(held.channel == channel and not held.user for held in self.held)

    def channels(self) -> set[str]:
        """The channels that somebody is subscribed to."""
        return {held.channel for held in self.held if held.channel and not held.user}

    def members(self, channel: str) -> dict[str, bytes]:
        """Who is present on a channel."""
        return {user: info for (place, user), info in self.infos.items() if place == channel}

    def is_online(self, user: str) -> bool:
        return any(held.user == user and not held.channel for held in self.held)

    def on_node(self, node: int) -> dict[Held, bytes]:
        """What a node's clients have."""
        return {held: info for held, info in self.held.items() if held.client.node == node}

    def reasons(self, node: int) -> set[str]:
        """The channels whose events a node has to deliver."""
        return {held.channel for held in self.on_node(node) if held.channel}

    def enter(self, held: Held, info: bytes = b"null") -> bool:
        """Note what a client has; returns whether that makes its user new, to a channel or altogether."""
        is_new = held.user != "" and not any(self._same(held))
        self.held[held] = info
        if is_new and held.channel:
            self.infos[held.channel, held.user] = info
            self.deliveries.append((held.channel, f"member_added {held.user}"))
        elif is_new:
            self.deliveries.append((WATCHLIST_PREFIX + held.user, f"online {held.user}"))
        return is_new

    def take(self, held: Held) -> bool:
        """Note that a client has something no more; returns whether its user is gone."""
        del self.held[held]
        is_gone = held.user != "" and not any(self._same(held))
        if is_gone and held.channel:
            del self.infos[held.channel, held.user]
            self.deliveries.append((held.channel, f"member_removed {held.user}"))
        elif is_gone:
            self.deliveries.append((WATCHLIST_PREFIX + held.user, f"offline {held.user}"))
        return is_gone

    def change(self, gone: Iterable[Held], new: dict[Held, bytes]) -> Changes:
        """Take and enter at once what a node's loss or return takes away and brings; returns what changed."""
        channels, members = self.channels(), set(self.infos)
        for held in gone:
            self.take(held)
        for held, info in new.items():
            self.enter(held, info)
        return Changes(
            occupied=self.channels() - channels,
            vacated=channels - self.channels(),
            arrived=set(self.infos) - members,
            departed=members - set(self.infos),
        )

    def _same(self, held: Held) -> Iterator[Held]:
        return (each for each in self.held if (each.channel, each.user) == (held.channel, held.user))
