"""What was measured, as it is printed with ``--json``."""

import msgspec

from skubber.load.latencies import Latencies
from skubber.load.tasks import Protocol


class Quantiles(msgspec.Struct, frozen=True, rename="camel"):
    """Latencies, milliseconds; null where there are none. They are good to 2 %, and never too short."""

    p50: float | None
    p90: float | None
    p99: float | None
    max: float | None

    @classmethod
    def of(cls, latencies: Latencies) -> "Quantiles":
        """Those of a histogram."""
        return cls(*(latencies.percentile(share) for share in (0.5, 0.9, 0.99, 1)))


class Asked(msgspec.Struct, frozen=True, rename="camel"):
    """What was to be measured.

    Attributes:
        url: the server; it may be one that was started for it.
        protocol: what the clients spoke.
        connections: how many clients.
        channels: how many channels; the clients are spread evenly.
        publishers: how many publishers.
        rate: messages a second, 0: as fast as the server answers.
        size: bytes of data in each.
        seconds: for how long.
    """

    url: str
    protocol: Protocol
    connections: int
    channels: int
    publishers: int
    rate: float
    size: int
    seconds: float

    def at(self, url: str) -> "Asked":
        """The same of a server at this URL."""
        return msgspec.structs.replace(self, url=url)


class Connecting(msgspec.Struct, frozen=True, rename="camel"):
    """Connecting and subscribing.

    Attributes:
        subscribed: clients that got as far as that.
        seconds: how long it took.
        per_second: clients a second.
        cut: clients whose connection ended before the measurement did.
    """

    subscribed: int
    seconds: float
    per_second: float
    cut: int


class Publishing(msgspec.Struct, frozen=True, rename="camel"):
    """Publishing.

    Attributes:
        answered: messages that the server took.
        seconds: how long it took.
        per_second: messages a second.
        refused: messages that the server refused for the moment, by what it said.
        late: messages that were due and could not be sent in time.
        latency: from when a message was due to its answer.
    """

    answered: int
    seconds: float
    per_second: float
    refused: dict[str, int]
    late: int
    latency: Quantiles


class Delivery(msgspec.Struct, frozen=True, rename="camel"):
    """Receiving.

    Attributes:
        received: messages that arrived, at all clients together.
        per_second: messages a second.
        lost: messages that should have arrived at a client and did not.
        duplicated: messages that arrived again.
        reordered: messages that arrived after a later one of the same publisher on the same channel.
        latency: from when a message was due to its arrival.
    """

    received: int
    per_second: float
    lost: int
    duplicated: int
    reordered: int
    latency: Quantiles


class Generator(msgspec.Struct, frozen=True, rename="camel"):
    """The load generator itself.

    Attributes:
        processes: how many processes had the clients; one more published.
        subscribers_cpu: processor time of the busiest of them, as a share of one processor, while it was published.
        publishers_cpu: that of the one that published.
        loop_delay: how late their event loops were, milliseconds, 99 % of the time at most.
    """

    processes: int
    subscribers_cpu: float
    publishers_cpu: float
    loop_delay: float | None


class Served(msgspec.Struct, frozen=True, rename="camel"):
    """The server, where it was started for the measurement.

    Attributes:
        bytes_per_connection: what its resident memory grew by, by client.
        cpu: processor time while it was published, as a share of one processor.
    """

    bytes_per_connection: float | None
    cpu: float | None


class Moment(msgspec.Struct, frozen=True, rename="camel"):
    """What arrived in a part of the time.

    Attributes:
        second: its beginning, counted from that of the first.
        received: how many messages.
        p50: latency, milliseconds.
        p99: latency, milliseconds.
    """

    second: float
    received: int
    p50: float | None
    p99: float | None


class Bar(msgspec.Struct, frozen=True, rename="camel"):
    """How many deliveries took so long.

    Attributes:
        up_to: milliseconds that they took at most; the bar before says what they took at least.
        count: how many there were.
    """

    up_to: float
    count: int


class Result(msgspec.Struct, frozen=True, rename="camel"):
    """Everything.

    Attributes:
        asked: what was to be measured.
        connecting: connecting and subscribing.
        publishing: publishing.
        delivery: receiving.
        generator: the load generator.
        server: the server, where it was started for it.
        histogram: delivery latencies, the shortest first.
        timeline: delivery latencies in the course of time.
        findings: what is wrong with the server, sentences.
        warnings: what is to be kept in mind when reading the figures, sentences.
        is_interrupted: ended before its time by Ctrl-C.
        error: why it could not be measured to the end, a sentence; empty: it could.
    """

    asked: Asked
    connecting: Connecting
    publishing: Publishing
    delivery: Delivery
    generator: Generator
    server: Served | None
    histogram: list[Bar]
    timeline: list[Moment]
    findings: list[str]
    warnings: list[str]
    is_interrupted: bool
    error: str

    @property
    def status(self) -> int:
        """The command's exit status."""
        if self.error:
            return 2
        if self.is_interrupted:
            return 130
        return 1 if self.findings else 0
