"""A Pusher client without a library: what goes over the wire, in the test's hands."""

import base64
import contextlib
import json
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import websockets
from pusher import Pusher

from .server import APP_ID, KEY, SECRET, Endpoint


class RawClient:
    """One WebSocket to ``/app/{key}``."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection
        self.socket_id = ""

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(cls, server: Endpoint, path: str) -> AsyncIterator["RawClient"]:
        """Open a WebSocket at any path and say nothing."""
        tls = ssl.create_default_context(cafile=server.certificate) if server.is_tls else None
        url = server.websocket_url + path
        async with websockets.connect(url, ssl=tls, max_size=None, max_queue=None, proxy=None) as connection:
            yield cls(connection)

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, server: Endpoint) -> AsyncIterator["RawClient"]:
        """Open a WebSocket with the app's key and take the greeting."""
        async with cls.opened(server, f"/app/{KEY}?protocol=7&client=test&version=1") as client:
            greeting = await client.receive()
            assert greeting["event"] == "pusher:connection_established"
            client.socket_id = json.loads(greeting["data"])["socket_id"]
            yield client

    @staticmethod
    def socket(server: Endpoint) -> socket.socket:
        """A plain TCP connection to the server."""
        return socket.create_connection(("127.0.0.1", server.port), 10)

    async def send(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.connection.recv())
        return message

    async def subscribe(self, channel: str, **data: str) -> dict[str, Any]:
        """Subscribe and return the data of the success."""
        await self.send({"event": "pusher:subscribe", "data": {"channel": channel, **data}})
        answer = await self.receive()
        assert answer["event"] == "pusher_internal:subscription_succeeded", answer
        result: dict[str, Any] = json.loads(answer["data"])
        return result

    async def subscribe_private(self, channel: str) -> dict[str, Any]:
        return await self.subscribe(channel, auth=_sdk().authenticate(channel, self.socket_id)["auth"])

    async def subscribe_presence(self, channel: str, user_id: str) -> dict[str, Any]:
        data = {"user_id": user_id, "user_info": {"name": user_id}}
        return await self.subscribe(channel, **_sdk().authenticate(channel, self.socket_id, data))

    async def close_code(self) -> int:
        """Read on until the server closes; returns its code."""
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await self.connection.recv()
        code = self.connection.close_code
        assert code is not None
        return code


def _sdk() -> Pusher:
    master_key = base64.b64encode(b"m" * 32).decode()
    return Pusher(app_id=APP_ID, key=KEY, secret=SECRET, encryption_master_key_base64=master_key)
