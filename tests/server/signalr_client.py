"""SignalR clients over real connections, on the transports that use more than one."""

import asyncio
import json
import ssl
from typing import Any, Self
from urllib.parse import urlencode

from server.http_client import PATIENCE, Answer, HttpClient, request
from server.live import LiveServer
from support.apps import KEY, SECRET
from support.signalr_client import READERS, Query, event_data
from support.signalr_messages import Said, json_record

HANDSHAKE = b'{"protocol":"json","version":1}\x1e'
ACCEPT = "Accept: text/event-stream"


async def access_token(http: HttpClient, **asked: Any) -> str:
    """Get a token as a back end does."""
    body = json.dumps({"apiKey": KEY, "apiSecret": SECRET, **asked}).encode()
    http.send(request("POST", "/api/auth/signalr-token", body=body))
    token: str = json.loads((await http.answer()).body)["token"]
    return token


async def negotiated(http: HttpClient, query: Query) -> Query:
    """Negotiate a connection; returns the query of the requests that follow."""
    http.send(request("POST", f"/push/negotiate?{urlencode({**query, 'negotiateVersion': '1'})}", body=b""))
    return {**query, "id": json.loads((await http.answer()).body)["connectionToken"]}


class _Client:
    """What such clients have in common.

    Attributes:
        http: the connection it listens on.
        sending: the one it sends on.
        query: the query of its requests.
    """

    def __init__(self, http: HttpClient, sending: HttpClient, query: Query) -> None:
        self.http = http
        self.sending = sending
        self.query = query

    @property
    def target(self) -> str:
        """What it asks for."""
        return f"/push?{urlencode(self.query)}"

    async def post(self, data: bytes) -> Answer:
        """Post something."""
        self.sending.send(request("POST", self.target, body=data))
        return await self.sending.answer()

    async def send(self, *messages: Said) -> None:
        """Post messages, which must be taken."""
        assert (await self.post(b"".join(map(json_record, messages)))).status == 200


class EventStreamClient(_Client):
    """A client of an event stream."""

    @classmethod
    async def opened(cls, live: LiveServer, tls: ssl.SSLContext | None = None, **asked: Any) -> Self:
        """Open an event stream, and shake hands on it; what is asked for is asked of the token."""
        http, sending = await live.connect(tls), await live.connect(tls)
        query = await negotiated(sending, {"access_token": await access_token(sending, **asked)})
        client = cls(http, sending, query)
        http.send(request("GET", client.target, ACCEPT))
        assert (await client.head()).startswith(b"HTTP/1.1 200 ")
        assert (await client.post(HANDSHAKE)).status == 200
        assert await client.event() == b"{}\x1e"
        return client

    async def head(self) -> bytes:
        """The head of the response and, behind it, the comment that is there at once."""
        async with asyncio.timeout(PATIENCE):
            head = await self.http.reader.readuntil(b"\r\n\r\n")
            assert await self.http.reader.readuntil(b"\r\n\r\n") == b":\r\n\r\n"
        return head

    async def event(self) -> bytes:
        """The next server-sent event's data."""
        async with asyncio.timeout(PATIENCE):
            block = await self.http.reader.readuntil(b"\r\n\r\n")
        return event_data(block.removesuffix(b"\r\n\r\n"))

    async def message(self) -> Said:
        """The next message, alone in its event."""
        (message,), _ = READERS["json"](await self.event())
        return message

    async def subscribe(self, channel: str) -> None:
        """Subscribe to a channel."""
        await self.send({"type": 1, "target": "Subscribe", "arguments": [channel]})
        assert (await self.message())["target"] == "SubscriptionSucceeded"


class PollingClient(_Client):
    """A client that polls."""

    @classmethod
    async def opened(cls, live: LiveServer) -> Self:
        """Open a connection for polling, and shake hands on it."""
        http, sending = await live.connect(), await live.connect()
        query = await negotiated(sending, {"access_token": await access_token(sending)})
        client = cls(http, sending, query)
        assert (await client.polled()).body == b""
        assert (await client.post(HANDSHAKE)).status == 200
        assert (await client.polled()).body == b"{}\x1e"
        return client

    def poll(self) -> None:
        """Start to poll."""
        self.http.send(request("GET", self.target))

    async def polled(self) -> Answer:
        """Poll once."""
        self.poll()
        return await self.http.answer()

    async def messages(self) -> list[Said]:
        """What one poll fetches."""
        messages, _ = READERS["json"]((await self.polled()).body)
        return messages

    async def subscribe(self, channel: str) -> None:
        """Subscribe to a channel."""
        await self.send({"type": 1, "target": "Subscribe", "arguments": [channel]})
        assert [message["target"] for message in await self.messages()] == ["SubscriptionSucceeded"]
