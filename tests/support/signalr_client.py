"""SignalR clients over the real edges, above transports in memory; the timer wheel and the clock are the test's."""

import itertools
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from skubber.brokers.memory import MemoryBroker
from skubber.codecs import access_token
from skubber.codecs.access_token import ALL_PERMISSIONS, Grants, Permission
from skubber.codecs.signalr_json import JSON
from skubber.codecs.websocket_frames import Opcode, encode_frame
from skubber.core.app import App
from skubber.core.timer_wheel import TimerWheel
from skubber.server.eager import Suspended, run_detached, run_eagerly
from skubber.server.stream_edge import StreamEdge, event_stream_route
from skubber.server.ws_edge import EdgeContext, WebSocketEdge
from skubber.sessions.session import Opening, OpenSession, UpgradeRequest
from skubber.sessions.signalr.connections import ConnectionOptions, SignalRConnection, SignalRConnections
from skubber.sessions.signalr.entry import HUB_PATH, SignalREntry
from skubber.sessions.signalr.principal import SignalRRequest, authenticate
from skubber.sessions.signalr.session import SignalRContext, SignalRSession
from skubber.sessions.signalr.transports import Transport
from skubber.store.apps import AppRegistry
from support.apps import KEY, disabled_app, make_app, other_app
from support.edge_client import MemoryTransport
from support.node import Node
from support.signalr_messages import ENCODINGS, Encoding, Said, json_record

NOW = 1_764_028_800
"""What the wall clock shows at first."""

Query = dict[str, str]

IN_JSON, IN_MESSAGE_PACK = ENCODINGS


class SignalRNode(Node):
    """A node that lets SignalR clients in.

    Args:
        app: the app under test; ``other`` and ``disabled`` are there as well.
        max_connections: the node's limit; 0 for none.
        broker: the broker, if not a plain one.
        options: the last fields of ``SignalRContext``, by name.
    """

    def __init__(
        self, app: App | None = None, *, max_connections: int = 0, broker: MemoryBroker | None = None, **options: int
    ) -> None:
        super().__init__(max_connections, broker)
        self.app = app or make_app()
        self.apps = AppRegistry([self.app, other_app(), disabled_app()])
        self.wheel = TimerWheel()
        self.now: float = NOW
        numbers = itertools.count(1)
        context = SignalRContext(
            self.hub,
            self.wheel,
            lambda: self.now,
            lambda: f"7.{next(numbers)}",
            run_detached,
            **options,
        )
        self.connections = SignalRConnections(context)
        self.edge = EdgeContext(self.wheel, set(), 100_000, 100_000)

    def token(
        self,
        user_id: str | None = None,
        *channels: str,
        user_info: bytes = b"null",
        permissions: Iterable[Permission] = ALL_PERMISSIONS,
        lifetime: int = 3600,
        key: str = KEY,
    ) -> str:
        """An access token as the back end hands it out, with grants for channels."""
        app = self.apps.find_by_key(key)
        assert app is not None
        grants = Grants(user_id, user_info, channels, frozenset(permissions))
        return access_token.issue(app, app.keys[key], grants, self.now, lifetime, "id")

    def query(self, token: str | None = None, **parameters: str) -> Query:
        """The query of the hub's URL; without a token, with one that says nothing of its holder."""
        return {"access_token": token or self.token(), **parameters}

    def negotiate(self, query: Query, version: int = 1) -> SignalRConnection:
        """Negotiate a connection, as the web application does."""
        request = SignalRRequest.of(urlencode({**query, "negotiateVersion": str(version)}).encode(), [], is_tls=False)
        principal = authenticate(request, self.apps, self.now)
        return self.connections.negotiate(principal, ConnectionOptions.of(request.parameters))

    def entry(self, transport: Transport) -> SignalREntry:
        """The door for a transport."""
        return SignalREntry(self.connections, self.apps, lambda: self.now, transport)

    def open(self, token: str | None = None, encoding: Encoding = IN_JSON, **parameters: str) -> "WebSocketClient":
        """Open a WebSocket without negotiation, or a negotiated one by its ``id``. It waits for the handshake."""
        return WebSocketClient(self, self.query(token, **parameters), encoding)

    def connect_client(
        self, token: str | None = None, encoding: Encoding = IN_JSON, **parameters: str
    ) -> "WebSocketClient":
        """Connect a client over a WebSocket; it must be let in."""
        client = self.open(token, encoding, **parameters)
        assert client.shake_hands() == {}
        return client

    def open_event_stream(self, query: Query) -> "EventStreamClient":
        """Negotiate, and open an event stream. It waits for the handshake."""
        return EventStreamClient(self, {**query, "id": self.negotiate(query).token})

    def connect_event_stream(self, token: str | None = None, **parameters: str) -> "EventStreamClient":
        """Connect a client over Server-Sent Events; it must be let in."""
        client = self.open_event_stream(self.query(token, **parameters))
        assert client.shake_hands() == {}
        return client

    def connect_resumable(
        self, token: str | None = None, encoding: Encoding = IN_JSON, version: int = 2, **parameters: str
    ) -> "WebSocketClient":
        """Connect a client with stateful reconnect; ``client.reopen`` goes on with its connection."""
        query = self.query(token, useStatefulReconnect="true", **parameters)
        client = WebSocketClient(self, {**query, "id": self.negotiate(query).token}, encoding)
        assert client.shake_hands(version) == {}
        return client

    def pass_time(self, seconds: int) -> None:
        """Let time pass, on the timer wheel and on the wall."""
        for _ in range(seconds):
            self.now += 1
            self.wheel.advance()

    def assert_nothing_is_kept(self) -> None:
        """When everybody has gone, no trace is left in the registry, the edge or the timer wheel either."""
        super().assert_nothing_is_kept()
        assert self.connections._by_token == {}
        assert self.edge.connections == set()
        assert not any(self.wheel._slots)


class HubClient(ABC):
    """A client's side of the hub protocol.

    Attributes:
        query: the query of its URL.
        encoding: how it writes messages.
        connection: the server's side.
        has_ended: whether the server has closed the connection.
    """

    def __init__(self, node: SignalRNode, query: Query, encoding: Encoding, connection: SignalRConnection) -> None:
        self.query = query
        self.encoding = encoding
        self.connection = connection
        self.has_ended = False
        self._node = node
        self._unread = b""
        self._kept: list[Said] = []
        self._invocations = itertools.count()

    @property
    def connection_id(self) -> str:
        """The id that others see."""
        return self.connection.connection_id

    @property
    def session(self) -> SignalRSession:
        """The server's side of the conversation."""
        assert self.connection.session is not None
        return self.connection.session

    @abstractmethod
    def send_bytes(self, data: bytes) -> None:
        """Send something, as one message of the transport."""

    @abstractmethod
    def hang_up(self) -> None:
        """Lose the connection."""

    @abstractmethod
    def _receive(self) -> bytes:
        """What the transport has brought since the last call."""

    def shake_hands(self, version: int = 1) -> Said:
        """Shake hands; returns the server's answer."""
        self.send_bytes(json_record({"protocol": self.encoding.protocol.name, "version": version}))
        return self.handshake_answer()

    def handshake_answer(self) -> Said:
        """The server's first message."""
        self._unread += self._receive()
        record, _, self._unread = self._unread.partition(b"\x1e")
        answer: Said = json.loads(record)
        return answer

    def send(self, *messages: Said) -> None:
        """Send messages together."""
        self.send_bytes(b"".join(map(self.encoding.write, messages)))

    def invoke(self, target: str, *arguments: Any) -> str:
        """Call a method; returns the invocation's id."""
        invocation_id = str(next(self._invocations))
        self.send({"type": 1, "invocationId": invocation_id, "target": target, "arguments": list(arguments)})
        return invocation_id

    def stream(self, *arguments: Any, invocation_id: str | None = None) -> str:
        """Open a stream of events; returns its id."""
        invocation_id = str(next(self._invocations)) if invocation_id is None else invocation_id
        self.send({"type": 4, "invocationId": invocation_id, "target": "StreamEvents", "arguments": list(arguments)})
        return invocation_id

    def call(self, target: str, *arguments: Any) -> Any:
        """Call a method, which must succeed; returns its result. Whatever else comes is kept for ``received``."""
        completion = self._completion(self.invoke(target, *arguments))
        assert "error" not in completion, completion
        return completion.get("result")

    def refused(self, target: str, *arguments: Any) -> str:
        """Call a method, which must fail; returns the error's code."""
        return error_code(self._completion(self.invoke(target, *arguments)))

    def received(self) -> list[Said]:
        """What has come since the last call, up to the end of this event-loop iteration."""
        self._node.iteration.end()
        messages, self._unread = READERS[self.encoding.protocol.name](self._unread + self._receive())
        kept, self._kept = self._kept, []
        return [*kept, *messages]

    def calls(self) -> list[tuple[str, Any]]:
        """What has come, all of it calls: each target with its only argument."""
        return [(each["target"], *each["arguments"]) for each in self.received()]

    def events(self) -> list[str]:
        """The names of the events that have come, all of them as calls of ``Event`` or items of streams."""
        return [(each.get("item") or each["arguments"][0])["event"] for each in self.received()]

    def close_message(self) -> Said:
        """The last message, which must be a Close; behind it the server has closed the connection."""
        *_, last = self.received()
        assert last["type"] == 7, last
        assert self.has_ended
        return last

    def _completion(self, invocation_id: str) -> Said:
        messages = self.received()
        (completion,) = (each for each in messages if each["type"] == 3 and each["invocationId"] == invocation_id)
        messages.remove(completion)
        self._kept = messages
        return completion


class WebSocketClient(HubClient):
    """A client over a WebSocket.

    Attributes:
        transport: the connection.
        writes: what was written to it, write by write.
        are_text: of each message that came, whether it was text.
        close_code: the code the server closed with, if it did.
    """

    def __init__(self, node: SignalRNode, query: Query, encoding: Encoding) -> None:
        open_session = _opened(node.entry(Transport.WEBSOCKETS)(_request(query)))
        super().__init__(node, query, encoding, _connection(open_session))
        self.writes: list[bytes] = []
        self.are_text: list[bool] = []
        self.close_code: int | None = None
        self.transport = MemoryTransport(self.writes.append)
        self._seen = 0
        self._wire = Connection(ConnectionType.CLIENT)
        self._edge = WebSocketEdge(node.edge, self.transport, open_session)

    def send_bytes(self, data: bytes) -> None:
        opcode = Opcode.TEXT if self.encoding.protocol is JSON else Opcode.BINARY
        self._edge.data_received(encode_frame(opcode, data, mask=b"mask"))

    def reopen(self, **parameters: str) -> "WebSocketClient":
        """Another WebSocket for the same connection."""
        return WebSocketClient(self._node, {**self.query, **parameters}, self.encoding)

    def hang_up(self) -> None:
        self.transport.lose(self._edge)

    def _receive(self) -> bytes:
        for data in self.writes[self._seen :]:
            self._wire.receive_data(data)
        self._seen = len(self.writes)
        received = b""
        for event in self._wire.events():
            if isinstance(event, CloseConnection):
                self.close_code, self.has_ended = event.code, True
                continue
            assert isinstance(event, TextMessage | BytesMessage)
            self.are_text.append(isinstance(event, TextMessage))
            received += event.data.encode() if isinstance(event.data, str) else bytes(event.data)
        return received


class EventStreamClient(HubClient):
    """A client over Server-Sent Events. What it sends goes to its connection's inbox, as posted bodies do."""

    def __init__(self, node: SignalRNode, query: Query) -> None:
        route = event_stream_route(node.entry(Transport.SERVER_SENT_EVENTS))
        open_session = _opened(route.entry(_request(query)))
        super().__init__(node, query, IN_JSON, _connection(open_session))
        self._body = b""
        self.transport = MemoryTransport(self._take)
        self._edge = StreamEdge(node.edge, self.transport, route, open_session, b"")

    def send_bytes(self, data: bytes) -> None:
        run_detached(self.post(data))

    async def post(self, data: bytes) -> None:
        """Send something; returns when it has been dealt with.

        Raises:
            SkubberError: what answers the request.
        """
        inbox = self.connection.inbox
        assert inbox is not None
        inbox.last_heard = self._node.wheel.now
        await inbox.receive(Opcode.BINARY, data)

    def hang_up(self) -> None:
        self.transport.lose(self._edge)

    def _take(self, data: bytes) -> None:
        self._body += data

    def _receive(self) -> bytes:
        self.has_ended = self.transport.is_closing()
        head, _, events = self._body.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/"):
            self._body = events
        *blocks, self._body = self._body.split(b"\r\n\r\n")
        return b"".join(map(event_data, blocks))


def event_data(block: bytes) -> bytes:
    """The data of a server-sent event, given without the empty line that ends it; none of a comment."""
    lines = [line.partition(b":") for line in block.split(b"\r\n")]
    assert all(name in {b"", b"data"} for name, _, _ in lines), block
    return b"\n".join(value.removeprefix(b" ") for name, _, value in lines if name == b"data")


def error_code(completion: Said) -> str:
    """The code in the error of a completion, which also says what to do."""
    match = re.fullmatch(r"[A-Z].*\. \((\w+)\)", completion["error"], re.DOTALL)
    assert match is not None, completion
    return match[1]


def event(name: str, channel: str, data: Any = "d", **more: str) -> Said:
    """The argument of ``Event``, and the item of a stream."""
    return {"event": name, "channel": channel, "data": data, **more}


def _request(query: Query) -> UpgradeRequest:
    return UpgradeRequest(HUB_PATH, urlencode(query).encode(), [], False)


def _connection(open_session: OpenSession) -> SignalRConnection:
    assert isinstance(open_session, partial)
    connection = open_session.args[0]
    assert isinstance(connection, SignalRConnection)
    return connection


def _read_json(data: bytes) -> tuple[list[Said], bytes]:
    *records, rest = data.split(b"\x1e")
    return [json.loads(record) for record in records], rest


def _read_message_pack(data: bytes) -> tuple[list[Said], bytes]:
    messages = []
    while data:
        length, size = 0, 0
        while not size or data[size - 1] & 0x80:
            length |= (data[size] & 0x7F) << 7 * size
            size += 1
        messages.append(_spelled_out(msgspec.msgpack.decode(data[size : size + length])))
        data = data[size + length :]
    return messages, data


def _spelled_out(array: list[Any]) -> Said:
    """A message as JSON spells it."""
    match array:
        case [1, _, None, target, arguments, []]:
            return {"type": 1, "target": target, "arguments": arguments}
        case [2, _, invocation_id, item]:
            return {"type": 2, "invocationId": invocation_id, "item": item}
        case [3, _, invocation_id, 2]:
            return {"type": 3, "invocationId": invocation_id}
        case [3, _, invocation_id, (1 | 3) as kind, outcome]:
            return {"type": 3, "invocationId": invocation_id, "error" if kind == 1 else "result": outcome}
        case [7, error, allow_reconnect]:
            return {"type": 7, "error": error, **({"allowReconnect": True} if allow_reconnect else {})}
        case [8 | 9 as kind, sequence_id]:
            return {"type": kind, "sequenceId": sequence_id}
    assert array == [6], array
    return {"type": 6}


READERS: dict[str, Callable[[bytes], tuple[list[Said], bytes]]] = {
    "json": _read_json,
    "messagepack": _read_message_pack,
}
"""Take whole messages of a server off some bytes, and leave the rest."""


def _opened(opening: Opening) -> OpenSession:
    """What a door answers in the end: there is no other node that it would have to wait for."""
    outcome = opening if callable(opening) else run_eagerly(opening)
    assert not isinstance(outcome, Suspended)
    return outcome
