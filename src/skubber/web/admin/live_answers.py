"""What the admin API answers about what all nodes hold right now."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from skubber.api.schema import ChannelName, EventData, EventName, SocketId
from skubber.insight.questions import Answer, FoundConnection, NodeDescription
from skubber.store.administration.rules import Time

_Next = Annotated[str | None, Meta(description="What to send as `after` for the next page; null on the last.")]
_Total = Annotated[int, Meta(description="How many there are on all pages.")]


class ProtocolCount(msgspec.Struct, rename="camel"):
    """How many connections speak a protocol over a transport."""

    protocol: str
    transport: str
    connections: int


class NodeState(msgspec.Struct, rename="camel", kw_only=True):
    """A process that serves connections, as it is now. Rates are those since the node was last looked at."""

    id: str
    host: str
    pid: int
    version: str
    started_at: Time
    is_this: Annotated[bool, Meta(description="Whether it is the node that answers.")]
    is_draining: bool
    connections: int
    channels: Annotated[int, Meta(description="Channels with subscribers on this node.")]
    published_per_second: float
    delivered_per_second: float
    loop_delay_ms: Annotated[float, Meta(description="How late the event loop is, on average since the start.")]
    memory_bytes: int
    slow_consumers: Annotated[int, Meta(description="Connections ended for reading too slowly, since the start.")]
    protocols: list[ProtocolCount]


class NodeList(msgspec.Struct, rename="camel"):
    """All nodes, by host and process."""

    nodes: list[NodeState]
    silent: Annotated[int, Meta(description="How many did not answer in time.")]


class ChannelOutline(msgspec.Struct, rename="camel"):
    """An occupied channel, over all nodes."""

    name: str
    kind: Annotated[str, Meta(description="`public`, or the prefix that says what it is: `presence`, for one.")]
    subscription_count: int
    user_count: int | None


class ChannelOutlines(msgspec.Struct, rename="camel"):
    """Occupied channels, by name."""

    channels: list[ChannelOutline]
    next: _Next
    total: _Total


class ChannelMember(msgspec.Struct, rename="camel"):
    """A member of a presence channel."""

    user_id: str
    user_info: Any


class LastEvent(msgspec.Struct, rename="camel"):
    """The event that a cache channel keeps."""

    name: str
    data: str
    expires_in_seconds: int


class ChannelState(msgspec.Struct, rename="camel"):
    """A channel, over all nodes; zero subscriptions when nobody is there."""

    name: str
    kind: str
    subscription_count: int
    user_count: int | None
    members: Annotated[list[ChannelMember], Meta(description="At most 200 of them, by user id.")]
    kept_event: LastEvent | None


class ConnectionOutline(msgspec.Struct, rename="camel", kw_only=True):
    """An open connection of a client."""

    socket_id: str
    node: Annotated[str, Meta(description="The id of its node.")]
    host: str
    protocol: str
    transport: str
    opened_at: Time
    user_id: str | None
    key: Annotated[str, Meta(description="The API key it connected with.")]
    channel_count: int


class ConnectionOutlines(msgspec.Struct, rename="camel"):
    """Open connections, by socket id."""

    connections: list[ConnectionOutline]
    next: _Next
    total: _Total


class ConnectionChannel(msgspec.Struct, rename="camel"):
    """A channel that a connection is subscribed to, and as whom."""

    name: str
    user_id: str | None


class ConnectionState(ConnectionOutline, rename="camel", kw_only=True):
    """All about an open connection. What only the kernel knows is null where it cannot be asked."""

    address: str | None
    channels: list[ConnectionChannel]
    bytes_sent: Annotated[int | None, Meta(description="Bytes that the other side of its socket has confirmed.")]
    bytes_received: int | None
    round_trip_ms: float | None
    buffered_bytes: Annotated[int, Meta(description="What still waits to be sent.")]
    last_heard_at: Time


class UserOutline(msgspec.Struct, rename="camel"):
    """A user who is connected."""

    user_id: str
    connection_count: int


class UserOutlines(msgspec.Struct, rename="camel"):
    """Users who are connected, by user id."""

    users: list[UserOutline]
    next: _Next
    total: Annotated[int, Meta(description="How many there are; who is on several nodes counts on each.")]


class Publication(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """An event to be published."""

    # How many there may be is checked with the rest, by the app's own limits and with the Channels API's codes.
    channels: Annotated[tuple[ChannelName, ...], Meta(extra_json_schema={"minItems": 1, "maxItems": 100})]
    name: EventName
    data: EventData
    socket_id: SocketId | None = None


class ReachedChannel(msgspec.Struct, rename="camel"):
    """A channel that an event was published on, and how many were subscribed right after."""

    name: str
    subscription_count: int


class Published(msgspec.Struct, rename="camel"):
    """An event was published."""

    channels: list[ReachedChannel]


def node_state(answer: Answer, described: NodeDescription, this: str) -> NodeState:
    """A node's own description of itself, for people; ``this`` is the node that answers."""
    given = msgspec.structs.asdict(described)
    given["started_at"] = _time(described.started_at)
    given["protocols"] = [
        ProtocolCount(each.protocol, each.transport, each.connections) for each in described.protocols
    ]
    return NodeState(id=answer.node, host=answer.host, is_this=answer.node == this, **given)


def connection_outline(answer: Answer, found: FoundConnection) -> ConnectionOutline:
    """A connection that a node has found."""
    return ConnectionOutline(**_outline(answer, found))


def connection_state(answer: Answer, found: FoundConnection) -> ConnectionState:
    """All that a node has found out about a connection."""
    return ConnectionState(
        **_outline(answer, found),
        address=found.address,
        channels=[ConnectionChannel(name, user_id) for name, user_id in found.channels],
        bytes_sent=found.bytes_sent,
        bytes_received=found.bytes_received,
        round_trip_ms=found.round_trip_ms,
        buffered_bytes=found.buffered_bytes,
        last_heard_at=_time(found.last_heard_at),
    )


def _outline(answer: Answer, found: FoundConnection) -> dict[str, Any]:
    return {
        "socket_id": found.socket_id,
        "node": answer.node,
        "host": answer.host,
        "protocol": found.protocol,
        "transport": found.transport,
        "opened_at": _time(found.opened_at),
        "user_id": found.user_id,
        "key": found.key,
        "channel_count": found.channel_count,
    }


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
