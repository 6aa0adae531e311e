"""Names of keys and Redis channels, and events as the bytes that travel."""

from functools import lru_cache
from typing import Any
from urllib.parse import quote

import msgspec

from skubber.core.event import (
    Event,
    MemberAdded,
    MemberRemoved,
    PublishedEvent,
    SubscriptionCount,
    UserOffline,
    UserOnline,
)

ALIVE, DEAD, GENERATION = "skubber:{nodes}:alive", "skubber:{nodes}:dead", "skubber:{nodes}:generation"
"""Nodes by when their lease ends, lost nodes by when another may bury them, what is another after data was lost."""

TERMINATION_TOPIC = b"skubber:{nodes}:terminate"
"""The Redis channel on which nodes hear that a user's connections end. In a cluster it is where the nodes are."""

CONNECTIONS = "#connections"
"""A channel that stands for an app's connections, where the app has a limit of them: they are entered like
subscriptions, and go with their node like these. Nobody can name it."""

MEMBER_REMOVED_MARK, OFFLINE_MARK, JOINED_MARK = b"r", b"o", b"j"
"""First bytes of messages that scripts make; the user id follows, or the socket id. No MessagePack array begins so."""

_KINDS: tuple[type[Event], ...] = (
    Event,
    PublishedEvent,
    MemberAdded,
    MemberRemoved,
    SubscriptionCount,
    UserOnline,
    UserOffline,
)
_KIND_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


class _Message(msgspec.Struct, array_like=True):
    """An event on its way between nodes, a MessagePack array.

    What is added at its end has a default: nodes of an older version leave it out, and pass over it.
    """

    kind: int
    name: str
    data: bytes
    user_id: str | None
    excluded: str | None
    trace: str | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Message)
_termination_decoder = msgspec.msgpack.Decoder(tuple[str, str])


def encode_event(event: Event, excluded: str | None) -> bytes:
    """An event, and the socket id that does not get it, as bytes."""
    kind = _KIND_NUMBERS[type(event)]
    return _encoder.encode(_Message(kind, event.name, event.data, event.user_id, excluded, event.trace))


def decode_event(payload: bytes) -> tuple[Event, str | None]:
    """Such bytes as an event and a socket id.

    Raises:
        msgspec.DecodeError: they are something else.
    """
    mark = payload[:1]
    if mark == MEMBER_REMOVED_MARK:
        return MemberRemoved(payload[1:].decode()), None
    if mark == OFFLINE_MARK:
        return UserOffline(payload[1:].decode()), None
    message = _decoder.decode(payload)
    if not 0 <= message.kind < len(_KINDS):
        raise msgspec.DecodeError(f"No event has the kind {message.kind}: another node is newer")
    kind = _KINDS[message.kind]
    event = kind.__new__(kind)
    Event.__init__(event, message.name, message.data, message.user_id)
    event.trace = message.trace
    return event, message.excluded


def encode_termination(app_id: str, user_id: str) -> bytes:
    """Whose connections end, as bytes."""
    return _encoder.encode((app_id, user_id))


def decode_termination(payload: bytes) -> tuple[str, str]:
    """Such bytes as app id and user id.

    Raises:
        msgspec.DecodeError: they are something else.
    """
    return _termination_decoder.decode(payload)


def apps_of(node_id: str) -> str:
    """The key of the apps in which a node has something."""
    return f"skubber:{{nodes}}:apps:{node_id}"


def rehearsal_keys(node_id: str) -> tuple[str, str]:
    """A key and a Redis channel for a node to try out what it may do."""
    prefix = f"skubber:{{nodes}}:rehearsal:{node_id}"
    return f"{prefix}:key", f"{prefix}:channel"


class AppKeys:
    """The keys of one app. The braces keep them together on one slot of a cluster.

    Args:
        app_id: the app.

    Attributes:
        counts: subscriptions by channel.
        own_counts: likewise, of channels that come with a sign-in.
        signed_in: connections by user.
    """

    __slots__ = ("counts", "own_counts", "prefix", "signed_in")

    def __init__(self, app_id: str) -> None:
        self.prefix = f"skubber:{{{quote(app_id, safe='')}}}:"
        self.counts = self.prefix + "counts"
        self.own_counts = self.prefix + "own-counts"
        self.signed_in = self.prefix + "signed-in"

    def counts_for(self, channel: str) -> str:
        """The counts that have a channel."""
        return self.own_counts if channel.startswith("#") else self.counts

    def topic(self, channel: str) -> bytes:
        """The Redis channel that carries a channel's events."""
        return f"{self.prefix}channel:{channel}".encode()

    def members(self, channel: str) -> str:
        """What the members of a channel said, by user."""
        return f"{self.prefix}members:{channel}"

    def connections(self, channel: str) -> str:
        """How many connections each member of a channel has."""
        return f"{self.prefix}connections:{channel}"

    def kept(self, channel: str) -> str:
        """The last event of a cache channel."""
        return f"{self.prefix}kept:{channel}"

    def rate(self, name: str) -> str:
        """How much of something the app has done in this second."""
        return f"{self.prefix}rate:{name}"

    def request(self, key: str) -> str:
        """The request that has an idempotency key."""
        return f"{self.prefix}request:{key}"

    def of_node(self, node_id: str) -> "NodeKeys":
        """What one node has in the app."""
        return NodeKeys(f"{self.prefix}node:{node_id}:")


class NodeKeys:
    """The keys of what one node has in an app.

    Attributes:
        counts: its subscriptions by channel.
        present: its members' connections, as ``presence_entry``.
        signed_in: its users' connections, as ``sign_in_entry``.
        gone: is there when the node has been buried.
    """

    __slots__ = ("counts", "gone", "present", "signed_in")

    def __init__(self, prefix: str) -> None:
        self.counts = prefix + "counts"
        self.present = prefix + "present"
        self.signed_in = prefix + "signed-in"
        self.gone = prefix + "gone"

    def all(self) -> tuple[str, ...]:
        """All of them."""
        return (self.counts, self.present, self.signed_in, self.gone)


def presence_entry(channel: str, socket_id: str, user_id: str) -> str:
    """A member's connection, for scripts to take apart; neither socket ids nor presence channels have line feeds."""
    return f"{socket_id}\n{channel}\n{user_id}"


def sign_in_entry(socket_id: str, user_id: str) -> str:
    """A signed-in user's connection, likewise."""
    return f"{socket_id}\n{user_id}"


@lru_cache(maxsize=1024)
def keys_of(app_id: str) -> AppKeys:
    """The keys of an app."""
    return AppKeys(app_id)


def pairs(flat: list[Any]) -> list[tuple[Any, Any]]:
    """A list of names and values in turn, as Redis answers with a hash, as pairs."""
    return list(zip(flat[::2], flat[1::2], strict=True))
