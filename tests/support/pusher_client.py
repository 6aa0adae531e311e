"""Pusher clients without sockets: what one says goes to its session, what the session writes is kept."""

import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

from pusher.signature import sign
from wsproto.connection import Connection, ConnectionType
from wsproto.events import TextMessage

from skubber.brokers.memory import MemoryBroker
from skubber.codecs.websocket_frames import Opcode
from skubber.core.app import App
from skubber.core.subscription_counts import SubscriptionCounts
from skubber.core.timer_wheel import TimerWheel
from skubber.server.eager import run_detached
from skubber.sessions.pusher import PusherContext
from skubber.sessions.pusher_entry import PusherEntry
from skubber.sessions.session import Session, UpgradeRequest
from skubber.store.apps import AppRegistry
from support.apps import KEY, SECRET, disabled_app, make_app, other_app
from support.node import Node

Message = dict[str, Any]


class PusherNode(Node):
    """A node that lets Pusher clients in. Its timer wheel and its clock are the test's to move.

    Args:
        app: the app under test; ``other`` and ``disabled`` are there as well.
        max_connections: the node's limit; 0 for none.
        broker: the broker, if not a plain one.
        activity_timeout: seconds.
        pong_timeout: seconds.
    """

    def __init__(
        self,
        app: App | None = None,
        *,
        max_connections: int = 0,
        broker: MemoryBroker | None = None,
        activity_timeout: int = 120,
        pong_timeout: int = 30,
    ) -> None:
        self.wheel = TimerWheel()
        super().__init__(max_connections, broker, SubscriptionCounts(self.wheel, run_detached))
        self.app = app or make_app()
        self.clock = 0.0
        numbers = itertools.count(1)
        self.context = PusherContext(
            self.hub, self.wheel, lambda: self.clock, lambda: f"7.{next(numbers)}", activity_timeout, pong_timeout
        )
        self.apps = AppRegistry([self.app, other_app(), disabled_app()])
        self.entry = PusherEntry(self.context, self.apps)

    def open(self, path: str, query: bytes = b"protocol=7", *, is_tls: bool = False) -> "PusherClient":
        """Open a connection at any path; it may be refused."""
        return PusherClient(self, UpgradeRequest(path, query, [], is_tls))

    def connect_client(self, key: str = KEY) -> "PusherClient":
        """Connect a client, which must be let in and greeted."""
        client = self.open(f"/app/{key}")
        (greeting,) = client.received()
        assert greeting["event"] == "pusher:connection_established"
        client.socket_id = json.loads(greeting["data"])["socket_id"]
        return client

    def pass_time(self, seconds: int) -> None:
        """Turn the timer wheel."""
        for _ in range(seconds):
            self.wheel.advance()


class PusherClient:
    """A client and its transport. Implements ``Peer``, and treats the session as a transport has to."""

    def __init__(self, node: PusherNode, request: UpgradeRequest) -> None:
        self.socket_id = ""
        self.closed_with: tuple[int, str] | None = None
        self._node = node
        self._decoder = Connection(ConnectionType.CLIENT)
        self.write: Callable[[bytes], None] = self._decoder.receive_data
        self.session: Session = node.entry(request)(self)
        self.session.opened()

    def close(self, code: int, reason: str) -> None:
        """The session closes the connection: nothing it writes goes out any more."""
        if self.closed_with is None:
            self.closed_with = (int(code), reason)
            self.write = self.session.write = _discard

    def close_code(self) -> int | None:
        """The code the server closed the connection with, if it did."""
        return None if self.closed_with is None else self.closed_with[0]

    def received(self) -> list[Message]:
        """What has come since the last call, up to the end of this event-loop iteration."""
        self._node.iteration.end()
        messages = []
        for event in self._decoder.events():
            assert isinstance(event, TextMessage)
            messages.append(json.loads(event.data))
        return messages

    def received_one(self) -> Message:
        """The one message that has come."""
        (message,) = self.received()
        return message

    def events(self) -> list[str]:
        """The names of the events that have come."""
        return [message["event"] for message in self.received()]

    async def send(self, message: Any) -> None:
        """Say something: a message, or text or bytes as they are."""
        opcode = Opcode.BINARY if isinstance(message, bytes) else Opcode.TEXT
        payload = message if isinstance(message, bytes) else as_text(message).encode()
        self.session.last_heard = self._node.wheel.now
        await self.session.receive(opcode, payload)

    async def answer(self, message: Any) -> Message:
        """Say something and take the one answer."""
        await self.send(message)
        return self.received_one()

    async def leave(self) -> None:
        """Close the connection from the client's side."""
        self.write = self.session.write = _discard
        await self.session.closed()

    async def subscribe(self, channel: str, **data: Any) -> Message:
        """Ask for a subscription and take the one answer."""
        return await self.answer({"event": "pusher:subscribe", "data": {"channel": channel, **data}})

    async def unsubscribe(self, channel: str) -> None:
        """End a subscription."""
        await self.send({"event": "pusher:unsubscribe", "data": {"channel": channel}})

    def signed(self, channel: str, channel_data: str | None = None) -> Message:
        """A subscription's data as the app's back end authorizes it."""
        return subscription(self.socket_id, channel, channel_data)

    async def join(self, channel: str, user_id: Any = None, user_info: Any = None) -> Message:
        """Subscribe to a private channel or, as a user, to a presence one; it must succeed."""
        channel_data = None if user_id is None else json.dumps({"user_id": user_id, "user_info": user_info})
        await self.send({"event": "pusher:subscribe", "data": self.signed(channel, channel_data)})
        answer, *more = self.received()
        assert answer["event"] == "pusher_internal:subscription_succeeded", answer
        assert [message["event"] for message in more] in ([], ["pusher:cache_miss"]), more
        data: Message = json.loads(answer["data"])
        return data

    async def sign_in(self, user_id: str, watchlist: Iterable[str] | None = None) -> list[Message]:
        """Sign in as a user, which must succeed; returns what comes after the answer."""
        user_data = {"id": user_id} if watchlist is None else {"id": user_id, "watchlist": [*watchlist]}
        await self.send({"event": "pusher:signin", "data": sign_in(self.socket_id, json.dumps(user_data))})
        answer, *more = self.received()
        assert answer["event"] == "pusher:signin_success", answer
        return more


def sign_in(socket_id: str, user_data: str, key: str = KEY, secret: str = SECRET) -> Message:
    """The data of a sign-in, signed with the official SDK's HMAC."""
    return {"auth": f"{key}:{sign(secret, f'{socket_id}::user::{user_data}')}", "user_data": user_data}


def _discard(frame: bytes) -> None:
    """Stands for ``write`` once a connection is closing."""


def as_text(message: Any) -> str:
    """A message as text."""
    return message if isinstance(message, str) else json.dumps(message)


def subscription(
    socket_id: str, channel: str, channel_data: str | None = None, key: str = KEY, secret: str = SECRET
) -> Message:
    """The data of a subscription, signed with the official SDK's HMAC."""
    parts: Iterable[str] = (socket_id, channel) if channel_data is None else (socket_id, channel, channel_data)
    data = {"channel": channel, "auth": f"{key}:{sign(secret, ':'.join(parts))}"}
    return data if channel_data is None else {**data, "channel_data": channel_data}
