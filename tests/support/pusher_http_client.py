"""Pusher clients over HTTP without sockets: they read as pusher-js does, character by character of each stream."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from skubber.brokers.memory import MemoryBroker
from skubber.core.app import App
from skubber.core.event import Event
from skubber.server.eager import run_detached
from skubber.sessions.elsewhere import OtherNodes
from skubber.sessions.pusher_entry import PusherEntry
from skubber.sessions.pusher_http import (
    SOCKJS_FORMAT,
    PusherHttpConnection,
    PusherHttpConnections,
    PusherHttpContext,
    StreamAttachment,
)
from skubber.sessions.session import UpgradeRequest
from support.apps import KEY
from support.pusher_client import Message, PusherNode, as_text, subscription

UNREAD_BYTES = 300_000
MESSAGE_BYTES = 1_000

Frame = tuple[str, Any]
"""A frame's letter, and what the JSON behind it says; None where there is none."""


def read_frames(text: bytes) -> list[Frame]:
    """Read whole frames, one a line."""
    assert text == b"" or text.endswith(b"\n")
    return [(line[0], json.loads(line[1:]) if line[0] in "ac" else None) for line in text.decode("ascii").splitlines()]


def read_messages(frames: list[Frame]) -> list[Message]:
    """The messages in frames."""
    return [json.loads(text) for letter, texts in frames if letter == "a" for text in texts]


class PusherHttpNode(PusherNode):
    """A node that lets Pusher clients in over HTTP. Its timer wheel and its clock are the test's to move."""

    def __init__(self, app: App | None = None, *, max_connections: int = 0, broker: MemoryBroker | None = None) -> None:
        super().__init__(app, max_connections=max_connections, broker=broker)
        self.slow_clients = 0
        entry = PusherEntry(self.context, self.apps, SOCKJS_FORMAT)
        self.connections = PusherHttpConnections(
            PusherHttpContext(
                entry,
                self.wheel,
                run_detached,
                UNREAD_BYTES,
                self._count_slow_client,
                MESSAGE_BYTES,
                OtherNodes(self.hub.broker.post, run_detached),
            )
        )
        self._numbers = itertools.count()

    def client(self, path: str = f"/app/{KEY}") -> "PusherHttpClient":
        """A client with an address of its own, not connected yet."""
        return PusherHttpClient(self, f"/pusher{path}/123/session_{next(self._numbers)}")

    async def streaming(self, path: str = f"/app/{KEY}") -> "PusherHttpClient":
        """A client that has been greeted on a stream."""
        client = self.client(path)
        client.stream()
        client.greeted()
        return client

    def _count_slow_client(self) -> None:
        self.slow_clients += 1

    def assert_nothing_is_kept(self) -> None:
        super().assert_nothing_is_kept()
        assert len(self.connections) == 0
        assert not any(self.wheel._slots)


class MemoryStream:
    """A stream without a socket. Implements ``Peer``, and treats the session as the edge does."""

    def __init__(self) -> None:
        self.text = b""
        self.is_open = True
        self.write: Callable[[bytes], None] = self._write
        self.attachment: StreamAttachment

    def close(self, code: int, reason: str) -> None:
        if self.is_open:
            self.is_open = False
            self.write = self.attachment.write = _discard
            run_detached(self.attachment.closed())

    def _write(self, data: bytes) -> None:
        self.text += data


class PusherHttpClient:
    """A client at one address."""

    def __init__(self, node: PusherHttpNode, address: str) -> None:
        self.node = node
        self.address = address
        self.socket_id = ""
        self._read = 0
        self._stream: MemoryStream

    @property
    def connection(self) -> PusherHttpConnection:
        """The server's side."""
        return self.node.connections.find(f"{self.address}/xhr_send")

    def request(self, kind: str, query: bytes = b"protocol=7") -> UpgradeRequest:
        """A request of a kind."""
        return UpgradeRequest(f"{self.address}/{kind}", query, [], False)

    def stream(self, query: bytes = b"protocol=7") -> MemoryStream:
        """Ask for a stream."""
        stream = MemoryStream()
        opened = self.node.connections.open_stream(self.request("xhr_streaming", query))(stream)
        assert isinstance(opened, StreamAttachment)
        stream.attachment = opened
        self._stream, self._read = stream, 0
        opened.opened()
        return stream

    async def poll(self, seconds: float = 0) -> list[Frame]:
        """Poll once, up to the end of this event-loop iteration."""
        self.node.iteration.end()
        answer = await self.node.connections.find_or_open(self.request("xhr")).poll(seconds)
        assert answer is not None
        return read_frames(answer)

    def frames(self) -> list[Frame]:
        """What has come on the stream since the last call, but for what it begins with."""
        self.node.iteration.end()
        text, self._read = self._stream.text[self._read :], len(self._stream.text)
        return [frame for frame in read_frames(text) if frame[0] != "h"]

    def messages(self) -> list[Message]:
        """The messages that have come on the stream since the last call."""
        return read_messages(self.frames())

    def events(self) -> list[str]:
        """The names of their events."""
        return [message["event"] for message in self.messages()]

    def greeted(self, frames: list[Frame] | None = None) -> None:
        """See that the client was let in."""
        opening, *rest = self.frames() if frames is None else frames
        assert opening == ("o", None)
        (greeting,) = read_messages(rest)
        assert greeting["event"] == "pusher:connection_established"
        self.socket_id = json.loads(greeting["data"])["socket_id"]

    async def send(self, *messages: Any) -> None:
        """Post messages."""
        await self.connection.receive([as_text(message).encode() for message in messages])

    async def subscribe(self, channel: str, user_id: str | None = None) -> None:
        """Ask for a subscription, signed for, on a presence channel as a user."""
        channel_data = None if user_id is None else json.dumps({"user_id": user_id})
        await self.send({"event": "pusher:subscribe", "data": subscription(self.socket_id, channel, channel_data)})


async def publish(node: PusherHttpNode, channel: str = "c", data: Any = "d") -> None:
    """Publish an event."""
    await node.hub.publish(node.app, (channel,), Event("e", json.dumps(data).encode()))


def data_of(frames: list[Frame]) -> list[Any]:
    """The data of the published events in frames."""
    return [message["data"] for message in read_messages(frames) if message["event"] == "e"]


def closes_with(frames: list[Frame], code: int) -> bool:
    """Whether frames end with a ``pusher:error`` and a close frame, both with the code."""
    *_, (letter, (closed_with, reason)) = frames
    error = read_messages(frames)[-1]
    return (letter, closed_with, error["event"], error["data"]) == (
        "c",
        code,
        "pusher:error",
        {"code": code, "message": reason},
    )


async def subscribed(node: PusherHttpNode, channel: str = "c") -> PusherHttpClient:
    """A client on a stream that has subscribed."""
    client = await node.streaming()
    await client.subscribe(channel)
    assert client.events() == ["pusher_internal:subscription_succeeded"]
    return client


def _discard(data: bytes) -> None:
    """Stands for ``write`` once a stream is closing."""
