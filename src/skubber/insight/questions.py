"""What the nodes ask each other about what they hold, and the answers. All travel as MessagePack."""

import msgspec


class FindConnections(msgspec.Struct, tag="connections"):
    """An app's connections, by socket id.

    Attributes:
        app_id: whose.
        channel: only those subscribed to it.
        user_id: only those that are the user's.
        after: only those with larger socket ids.
        limit: most of them.
    """

    app_id: str
    channel: str | None = None
    user_id: str | None = None
    after: str = ""
    limit: int = 50


class ShowConnection(msgspec.Struct, tag="connection"):
    """All about one connection."""

    app_id: str
    socket_id: str


class EndConnection(msgspec.Struct, tag="end"):
    """End one connection, as terminated."""

    app_id: str
    socket_id: str


class FindUsers(msgspec.Struct, tag="users"):
    """An app's users, by user id; the attributes are as those of ``FindConnections``."""

    app_id: str
    prefix: str = ""
    after: str = ""
    limit: int = 50


class DescribeNode(msgspec.Struct, tag="node"):
    """The node itself."""


class Observe(msgspec.Struct, tag="observe"):
    """What has happened in an app since the watcher asked last; the first time nothing has.

    Who has not asked for a while is forgotten.

    Attributes:
        app_id: the app.
        watcher: tells who asks from others who watch.
        kinds: only things of these kinds; none: of all.
        channel: only what happens on this channel, or with a ``*`` at the end on those whose names start so.
        event: only events of this name, likewise.
        socket_id: only what a connection does, or is left out of.
    """

    app_id: str
    watcher: str
    kinds: list[str] = []
    channel: str | None = None
    event: str | None = None
    socket_id: str | None = None


Question = FindConnections | ShowConnection | EndConnection | FindUsers | DescribeNode | Observe


class FoundConnection(msgspec.Struct):
    """A connection.

    Attributes:
        opened_at: seconds since the epoch, to the second.
        channels: its channels, each with the member's user id where there is one; only in answer to
            ``ShowConnection``, as is all that follows.
        last_heard_at: seconds since the epoch, to the second.
        bytes_sent: bytes that the client has acknowledged; None where the kernel cannot be asked, as for the others.
    """

    socket_id: str
    protocol: str
    transport: str
    opened_at: int
    user_id: str | None
    key: str
    channel_count: int
    channels: list[tuple[str, str | None]] = []
    last_heard_at: int = 0
    address: str | None = None
    bytes_sent: int | None = None
    bytes_received: int | None = None
    round_trip_ms: float | None = None
    buffered_bytes: int = 0


class FoundUser(msgspec.Struct):
    """A user, and how many connections are the user's."""

    user_id: str
    connection_count: int


class ProtocolConnections(msgspec.Struct):
    """How many connections speak a protocol over a transport."""

    protocol: str
    transport: str
    connections: int


class NodeDescription(msgspec.Struct):
    """How a node is. Rates are those since the last look, a second ago or more; times are seconds since the epoch."""

    pid: int
    version: str
    started_at: float
    is_draining: bool
    connections: int
    channels: int
    published_per_second: float
    delivered_per_second: float
    loop_delay_ms: float
    memory_bytes: int
    slow_consumers: int
    protocols: list[ProtocolConnections]


class Observation(msgspec.Struct):
    """Something that happened in an app.

    Attributes:
        at: milliseconds since the epoch.
        kind: one of ``skubber.core.observers.Kind``.
        channels: where.
        event: the event's name.
        data: its data, as text; perhaps not all of it.
        is_cut: whether there is more of it.
        socket_id: whose connection it is about; of a publish, who was left out.
        user_id: whom it is about.
        detail: more, as a sentence.
        code: the code of an error.
    """

    at: int
    kind: str
    channels: list[str]
    event: str | None = None
    data: str | None = None
    is_cut: bool = False
    socket_id: str | None = None
    user_id: str | None = None
    detail: str | None = None
    code: str | None = None


class Answer(msgspec.Struct):
    """A node's answer: what was asked for is there, the rest is not.

    Attributes:
        node: the node's id.
        host: the machine's name.
        observations: what a watcher was not told yet, the oldest first.
        skipped: how much more there was than a node keeps.
        total: how many match, those beyond the page among them.
    """

    node: str
    host: str
    total: int = 0
    connections: list[FoundConnection] = []
    users: list[FoundUser] = []
    description: NodeDescription | None = None
    observations: list[Observation] = []
    skipped: int = 0


encode = msgspec.msgpack.Encoder().encode
decode_question = msgspec.msgpack.Decoder(Question).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode
