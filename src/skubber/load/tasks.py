"""What the processes that make the load are told: one line of JSON each, on their standard input."""

from typing import Literal

import msgspec

Protocol = Literal["pusher", "signalr"]


class Target(msgspec.Struct, frozen=True):
    """The server that is measured, and as whom.

    Attributes:
        address: the IP address to connect to.
        port: its port.
        host: what the ``Host`` field says, and the certificate is for.
        authority: host and port as the URL has them.
        path: what the URL has before the server's own paths; no slash at its end.
        is_tls: whether TLS is spoken.
        app_id: the app.
        key: one of its keys.
        secret: the key's secret.
        token: an access token for SignalR's clients; empty for Pusher's.
    """

    address: str
    port: int
    host: str
    authority: str
    path: str
    is_tls: bool
    app_id: str
    key: str
    secret: str
    token: str = ""


class Channels(msgspec.Struct, frozen=True):
    """The channels that are published on, and who publishes on which.

    Every publisher has its own channels, or, where there are more publishers than channels, every channel has several
    publishers. What one publisher sends on one channel is numbered, and has to arrive in that order; between two of
    them there is none.

    Attributes:
        run: what tells this measurement's messages from those of another.
        count: how many channels.
        publishers: how many publishers.
    """

    run: str
    count: int
    publishers: int

    def name(self, number: int) -> str:
        """The name of a channel, the first of which is 0."""
        return f"skubber-bench-{self.run}-{number}"

    def of_publisher(self, publisher: int) -> range:
        """The numbers of the channels that a publisher has."""
        if self.publishers > self.count:
            return range(publisher % self.count, publisher % self.count + 1)
        return range(publisher, self.count, self.publishers)

    @property
    def lanes(self) -> int:
        """Most publishers that a channel has; what each sends there is a lane of its own."""
        return -(-self.publishers // self.count)

    def lane(self, publisher: int) -> int:
        """Which of its channels' lanes a publisher has."""
        return publisher // self.count


class SubscribeTask(msgspec.Struct, frozen=True, tag="subscribe"):
    """Connect clients, subscribe each to a channel, and receive.

    Attributes:
        target: the server.
        channels: the channels; client n is on channel n modulo their number.
        protocol: what the clients speak.
        first: the number of the first client.
        count: how many clients.
        rate: connections a second; 0: as fast as the server takes them.
    """

    target: Target
    channels: Channels
    protocol: Protocol
    first: int
    count: int
    rate: float


class PublishTask(msgspec.Struct, frozen=True, tag="publish"):
    """Publish for a while.

    Attributes:
        target: the server.
        channels: the channels, and the publishers.
        rate: messages a second, all publishers together; 0: each publishes again when it has been answered.
        size: bytes of data in each message.
        seconds: for how long.
    """

    target: Target
    channels: Channels
    rate: float
    size: int
    seconds: float


Task = SubscribeTask | PublishTask


class Expect(msgspec.Struct, frozen=True, tag="expect"):
    """Publishing is over: wait for what is still missing, then report and end.

    Attributes:
        sent: for each channel, how many messages each of its lanes was given.
    """

    sent: list[list[int]]


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Stop publishing, report and end."""


Order = Expect | Stop

_encoder = msgspec.json.Encoder()
_task_decoder: msgspec.json.Decoder[Task] = msgspec.json.Decoder(SubscribeTask | PublishTask)
_order_decoder: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Expect | Stop)


def encode_line(said: Task | Order) -> bytes:
    """A task or an order as a line."""
    return _encoder.encode(said) + b"\n"


def decode_task(line: bytes) -> Task:
    """The task that a line says.

    Raises:
        msgspec.DecodeError: none that ``encode_line`` would write.
    """
    return _task_decoder.decode(line)


def decode_order(line: bytes) -> Order:
    """The order that a line says.

    Raises:
        msgspec.DecodeError: none that ``encode_line`` would write.
    """
    return _order_decoder.decode(line)
