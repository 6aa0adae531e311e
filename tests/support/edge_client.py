"""Pusher clients over the real WebSocket edge, above a transport in memory."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, TextMessage

from skubber.server.ws_edge import EdgeContext, WebSocketEdge
from skubber.sessions.session import UpgradeRequest
from support.apps import KEY
from support.pusher_client import Message, PusherNode, as_text, subscription


class MemoryTransport(asyncio.Transport):
    """A connection whose other end is the test."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        closed = socket.socket()
        closed.close()
        super().__init__({"socket": closed})
        self._receive = receive
        self._is_closing = False
        self._is_lost = False
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self._is_lost, "uvloop's transports raise an error when they are written to after the end"
        self._receive(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is buffered."""

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True

    def abort(self) -> None:
        self._is_closing = self.is_aborted = True

    def lose(self, protocol: asyncio.Protocol) -> None:
        """End the connection."""
        self._is_closing = True
        protocol.connection_lost(None)
        self._is_lost = True

    def pause_reading(self) -> None:
        """What the test sends arrives nonetheless, as bytes that were under way do."""

    def resume_reading(self) -> None:
        """Bytes come when the test sends them."""


class EdgeClient:
    """A client of a node. Its messages are handled as the server handles them: one after the other."""

    def __init__(self, node: PusherNode) -> None:
        self._node = node
        self._wire = Connection(ConnectionType.CLIENT)
        self.close_code: int | None = None
        self.transport = MemoryTransport(self._wire.receive_data)
        self.open_connections: set[Any] = set()
        context = EdgeContext(node.wheel, self.open_connections, 100_000, 100_000)
        open_session = node.entry(UpgradeRequest(f"/app/{KEY}", b"protocol=7", [], False))
        self._edge = WebSocketEdge(context, self.transport, open_session)
        (greeting,) = self.received()
        self.socket_id: str = json.loads(greeting["data"])["socket_id"]

    def send(self, message: Any) -> None:
        """Say something."""
        self._edge.data_received(self._wire.send(TextMessage(data=as_text(message))))

    def subscribe(self, channel: str, user_id: str | None = None) -> None:
        """Ask for a subscription, signed for, on a presence channel as a user."""
        channel_data = None if user_id is None else json.dumps({"user_id": user_id})
        self.send({"event": "pusher:subscribe", "data": subscription(self.socket_id, channel, channel_data)})

    def unsubscribe(self, channel: str) -> None:
        """End a subscription."""
        self.send({"event": "pusher:unsubscribe", "data": {"channel": channel}})

    def received(self) -> list[Message]:
        """What has come since the last call."""
        self._node.iteration.end()
        messages = []
        for event in self._wire.events():
            if isinstance(event, CloseConnection):
                self.close_code = event.code
            else:
                assert isinstance(event, TextMessage)
                messages.append(json.loads(event.data))
        return messages

    def events(self) -> list[str]:
        """The names of the events that have come."""
        return [message["event"] for message in self.received()]

    def hang_up(self) -> None:
        """Lose the connection, without a closing handshake."""
        self.transport.lose(self._edge)


async def settled() -> None:
    """Wait until everything this test set going, for any client, has run to its end."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        async with asyncio.timeout(10):
            await asyncio.wait(others)
