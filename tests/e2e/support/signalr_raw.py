"""SignalR clients without a library: what goes over the wire, in the test's hands."""

import contextlib
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import httpx
import websockets

from support.signalr_messages import json_record

from .server import Endpoint
from .signalr import hub_url, trust

Message = dict[str, Any]

SEPARATOR = b"\x1e"
HANDSHAKE = b'{"protocol":"json","version":1}' + SEPARATOR
PING = {"type": 6}


def records(data: str | bytes) -> list[Message]:
    """The JSON messages in what the server sent, all of them whole."""
    encoded = data.encode() if isinstance(data, str) else data
    *complete, rest = encoded.split(SEPARATOR)
    assert rest == b"", rest
    return [json.loads(record) for record in complete]


def call(target: str, *arguments: Any, invocation_id: str | None = None) -> Message:
    """A call of one of the hub's methods."""
    wants_answer = {} if invocation_id is None else {"invocationId": invocation_id}
    return {"type": 1, "target": target, "arguments": list(arguments), **wants_answer}


def stream_call(stream_id: str, *arguments: Any, target: str = "StreamEvents") -> Message:
    """A call that is answered with a stream."""
    return {"type": 4, "invocationId": stream_id, "target": target, "arguments": list(arguments)}


class RawHub:
    """One WebSocket to ``/push``."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection
        self._messages: deque[Message] = deque()

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, server: Endpoint, token: str | None = None, **query: str) -> AsyncIterator["RawHub"]:
        """Open a WebSocket and say nothing."""
        async with cls.opened_with({}, server, token, **query) as hub:
            yield hub

    @classmethod
    @contextlib.asynccontextmanager
    async def opened_with(
        cls, headers: dict[str, str], server: Endpoint, token: str | None = None, **query: str
    ) -> AsyncIterator["RawHub"]:
        """Open a WebSocket with some headers in the request."""
        tls = ssl.create_default_context(cafile=server.certificate) if server.is_tls else None
        url = hub_url(server, token, **query).replace("http", "ws", 1)
        async with websockets.connect(
            url, ssl=tls, additional_headers=headers, max_size=None, max_queue=None, proxy=None
        ) as connection:
            yield cls(connection)

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, server: Endpoint, token: str, **query: str) -> AsyncIterator["RawHub"]:
        """Open a WebSocket and agree on JSON."""
        async with cls.opened(server, token, **query) as hub:
            await hub.send(HANDSHAKE.decode())
            assert await hub.receive() == {}
            yield hub

    async def send(self, *messages: Message | str | bytes) -> None:
        """Send one frame: messages in JSON, or text or bytes as they are."""
        if isinstance(messages[0], dict):
            await self.connection.send(b"".join(json_record(m) for m in messages if isinstance(m, dict)).decode())
        else:
            (frame,) = messages
            assert not isinstance(frame, dict)
            await self.connection.send(frame)

    async def receive(self) -> Message:
        """The next message; pings are left out."""
        while True:
            message = await self.receive_any()
            if message != PING:
                return message

    async def receive_any(self) -> Message:
        """The next message."""
        while not self._messages:
            frame = await self.connection.recv()
            assert isinstance(frame, str)
            self._messages += records(frame)
        return self._messages.popleft()

    async def invoke(self, method: str, *arguments: Any) -> Message:
        """Call a method and return its completion; calls of the client's methods before it are left out."""
        await self.send(call(method, *arguments, invocation_id="raw"))
        while True:
            message = await self.receive()
            if message["type"] == 3:
                assert message["invocationId"] == "raw"
                return message

    async def close_message(self) -> Message:
        """Read on until the server closes; returns the last message, which must be Close."""
        message: Message = {}
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                message = await self.receive_any()
        assert message["type"] == 7, message
        assert self.connection.close_code == 1000
        return message

    async def is_alive(self) -> bool:
        """Whether the connection still answers."""
        return await self.invoke("Unsubscribe", "nothing") == {"type": 3, "invocationId": "raw"}


class RawHttp:
    """The HTTP side of the hub, as one client uses it.

    Args:
        client: makes the requests.
        server: the server.
        query: of every request, besides what the request adds.
    """

    def __init__(self, client: httpx.AsyncClient, server: Endpoint, query: dict[str, str]) -> None:
        self.client = client
        self.query = query
        self._server = server

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, server: Endpoint, token: str | None, **query: str) -> AsyncIterator["RawHttp"]:
        """Make a client that has not asked for anything yet."""
        if token is not None:
            query["access_token"] = token
        async with httpx.AsyncClient(verify=trust(server), timeout=30) as client:
            yield cls(client, server, query)

    @classmethod
    @contextlib.asynccontextmanager
    async def negotiated(cls, server: Endpoint, token: str, **query: str) -> AsyncIterator["RawHttp"]:
        """Make a client that has negotiated."""
        async with cls.open(server, token, **query) as http:
            http.query["id"] = (await http.negotiate()).json()["connectionToken"]
            yield http

    @classmethod
    @contextlib.asynccontextmanager
    async def polling(cls, server: Endpoint, token: str, **query: str) -> AsyncIterator["RawHttp"]:
        """Make a client that has agreed on JSON over long polling."""
        async with cls.negotiated(server, token, **query) as http:
            first = await http.get()
            assert (first.status_code, first.content) == (200, b"")
            assert (await http.post(HANDSHAKE)).status_code == 200
            assert records((await http.get()).content) == [{}]
            yield http

    async def negotiate(self, **query: str) -> httpx.Response:
        return await self._request("POST", "/negotiate", {"negotiateVersion": "1", **query})

    async def get(self, **headers: str) -> httpx.Response:
        """Poll, or with another ``accept`` something else."""
        return await self._request("GET", headers=headers)

    async def post(self, *messages: Message | bytes) -> httpx.Response:
        """Post messages in JSON, or bytes as they are."""
        return await self._request(
            "POST", content=b"".join(m if isinstance(m, bytes) else json_record(m) for m in messages)
        )

    async def delete(self) -> httpx.Response:
        return await self._request("DELETE")

    @contextlib.asynccontextmanager
    async def event_stream(self, **headers: str) -> AsyncIterator["EventStream"]:
        """Open Server-Sent Events."""
        url = f"{self._server.url}/push"
        accept = {"accept": "text/event-stream", **headers}
        async with self.client.stream("GET", url, params=self.query, headers=accept) as response:
            yield EventStream(response)

    async def _request(
        self,
        method: str,
        path: str = "",
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        url = f"{self._server.url}/push{path}"
        return await self.client.request(
            method, url, params={**self.query, **(query or {})}, headers=headers, content=content
        )


class EventStream:
    """A response of Server-Sent Events."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = _lines(response)
        self._messages: deque[Message] = deque()

    async def receive(self) -> Message:
        """The next message; pings are left out."""
        while True:
            while self._messages:
                message = self._messages.popleft()
                if message != PING:
                    return message
            self._messages += records(await self._event())

    async def is_over(self) -> bool:
        """Wait until the server says no more; whether nothing but comments came until then."""
        return not [line async for line in self._lines if line and not line.startswith(b":")]

    async def _event(self) -> bytes:
        lines: list[bytes] = []
        async for line in self._lines:
            if line.startswith(b"data:"):
                lines.append(line.removeprefix(b"data:").removeprefix(b" "))
            elif not line and lines:
                return b"\n".join(lines)
        raise AssertionError("The stream has ended.")


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """A response's lines. httpx would end them at record separators as well."""
    rest = b""
    async for data in response.aiter_bytes():
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r")
