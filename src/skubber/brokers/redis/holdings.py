"""What this node has entered in Redis, so that it can be entered again; and what it still has to take back."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from skubber.brokers.redis.wire import keys_of
from skubber.core.presence import PresenceMember


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription of a channel."""

    app_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class Present:
    """A member's connection on a presence channel. What it said of the user makes it no other one."""

    app_id: str
    channel: str
    socket_id: str
    user_id: str
    user_info: bytes = field(default=b"null", compare=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A connection on which a user is signed in."""

    app_id: str
    socket_id: str
    user_id: str


Entry = Subscribed | Present | SignedIn
"""Something that was entered on behalf of a connection."""


class Holdings:
    """What this node's connections have, as this node knows it.

    Attributes:
        counts: subscriptions by app and channel.
        present: the members' connections, and what is said of the members.
        signed_in: the users' connections.
        owed: what is over here but could not be taken back in Redis yet.
    """

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self.present: dict[Present, PresenceMember] = {}
        self.signed_in: set[SignedIn] = set()
        self.owed: list[Entry] = []

    def count(self, app_id: str, channel: str, more: int) -> None:
        """Note that there are more subscriptions, or fewer."""
        count = self.counts.get((app_id, channel), 0) + more
        if count > 0:
            self.counts[app_id, channel] = count
        else:
            self.counts.pop((app_id, channel), None)

    def apps(self) -> set[str]:
        """The apps in which there is something."""
        return {
            *(app_id for app_id, _ in self.counts),
            *(each.app_id for each in self.present),
            *(each.app_id for each in self.signed_in),
        }


class Topics:
    """The Redis channels that somebody here listens to, each as often as there are reasons."""

    def __init__(self) -> None:
        self._reasons: dict[bytes, int] = {}
        self._channels: dict[bytes, tuple[str, str]] = {}

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._reasons)

    def __contains__(self, topic: bytes) -> bool:
        return topic in self._reasons

    def hold(self, app_id: str, channel: str) -> tuple[bytes, bool]:
        """Note one more reason; returns the Redis channel, and whether it is the first."""
        topic = keys_of(app_id).topic(channel)
        reasons = self._reasons.get(topic, 0)
        self._reasons[topic] = reasons + 1
        self._channels[topic] = (app_id, channel)
        return topic, not reasons

    def release(self, app_id: str, channel: str) -> tuple[bytes, bool]:
        """Take a reason back; returns the Redis channel, and whether it was the last."""
        topic = keys_of(app_id).topic(channel)
        reasons = self._reasons.get(topic, 0) - 1
        if reasons > 0:
            self._reasons[topic] = reasons
            return topic, False
        self._channels.pop(topic, None)
        return topic, self._reasons.pop(topic, None) is not None

    def add(self, topic: bytes) -> None:
        """Listen to a Redis channel that carries no channel's events."""
        self._reasons[topic] = 1

    def discard(self, topic: bytes) -> None:
        """Take that back."""
        self._reasons.pop(topic, None)

    def channel(self, topic: bytes) -> tuple[str, str] | None:
        """The app id and channel that a Redis channel carries; None when nobody listens any more."""
        return self._channels.get(topic)
