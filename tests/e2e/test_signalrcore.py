"""PyPI's ``signalrcore``: a client with threads, over each transport."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from signalrcore.hub_connection_builder import HubConnectionBuilder
from signalrcore.protocol.messagepack_protocol import MessagePackHubProtocol
from signalrcore.types import HttpTransportType

from .support.server import Server
from .support.signalr import access_token, hub_url, publish

TRANSPORTS = [
    pytest.param((transport, encoding), id=f"{transport.value} {'MessagePack' if encoding else 'JSON'}")
    for transport, encoding in [
        (HttpTransportType.web_sockets, None),
        (HttpTransportType.web_sockets, MessagePackHubProtocol),
        (HttpTransportType.server_sent_events, None),
        (HttpTransportType.long_polling, None),
    ]
]


class ThreadedClient:
    """One client. What it is told comes in ``words``, in order."""

    def __init__(self, server: Server, transport: HttpTransportType, encoding: Callable[[], Any] | None) -> None:
        builder = HubConnectionBuilder().with_url(
            hub_url(server, access_token(server, userId="ann", channels=["*"])), {"transport": transport}
        )
        if encoding is not None:
            builder = builder.with_hub_protocol(encoding())
        self.words: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._opened = threading.Event()
        self._connection = builder.build()
        self._connection.on_open(self._opened.set)
        for target in ("Event", "SubscriptionSucceeded"):
            self._connection.on(target, self._keeping(target))

    def start(self) -> None:
        """Connect; returns when the hub has answered the handshake."""
        self._connection.start()
        assert self._opened.wait(10)

    def stop(self) -> None:
        """Close the connection."""
        self._connection.stop()

    def invoke(self, method: str, *arguments: Any) -> None:
        """Call a method; its completion will be among the words."""
        self._connection.send(method, list(arguments), self._keeping("completion"))

    def next(self) -> tuple[str, Any]:
        """What it is told next."""
        return self.words.get(timeout=10)

    def _keeping(self, kind: str) -> Callable[[Any], None]:
        return lambda word: self.words.put((kind, word))


@pytest.fixture(scope="module")
def pinging_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that pings every second: the client stops when it is next told something."""
    server = Server(tmp_path_factory.mktemp("signalrcore") / "server.log", "--set", "signalr_keep_alive=1")
    yield server
    server.stop()


@pytest.fixture(params=TRANSPORTS)
def client(request: pytest.FixtureRequest, pinging_server: Server) -> Iterator[ThreadedClient]:
    """A connected client."""
    transport, encoding = request.param
    client = ThreadedClient(pinging_server, transport, encoding)
    client.start()
    yield client
    client.stop()


def test_a_client_subscribes_and_is_sent_events(client: ThreadedClient, pinging_server: Server) -> None:
    channel, ann = "presence-threads", {"userId": "ann", "userInfo": None}
    succeeded = {"channel": channel, "members": [ann], "me": ann}
    client.invoke("Subscribe", channel)
    assert client.next() == ("SubscriptionSucceeded", [succeeded])
    publish(pinging_server, channel, "grüße", "€𝄞")
    # Over long polling this client looks at one message a poll, and at the next when another one comes.
    publish(pinging_server, channel, "more")
    kind, completion = client.next()
    assert (kind, completion.result) == ("completion", succeeded)
    assert client.next() == ("Event", [{"event": "grüße", "channel": channel, "data": "€𝄞"}])
