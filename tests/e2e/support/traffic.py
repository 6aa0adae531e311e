"""An app that is in use: clients on several kinds of channels, and a back end that publishes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from skubber.codecs.signing import sign

from .raw_client import RawClient
from .server import Server

PUBLISHES_PER_SECOND = 40


@dataclass(frozen=True)
class BusyApp:
    """An app with a key of its own.

    Attributes:
        id: its id.
        key: its key.
        secret: the key's secret.
    """

    id: str
    key: str
    secret: str

    async def client(self, clients: contextlib.AsyncExitStack, server: Server, user_id: str | None = None) -> RawClient:
        """A client on public channels, and as a user on a presence channel. It reads all that it is sent."""
        path = f"/app/{self.key}?protocol=7&client=test&version=1"
        client = await clients.enter_async_context(RawClient.opened(server, path))
        client.socket_id = json.loads((await client.receive())["data"])["socket_id"]
        for channel in ("orders", "cache-prices"):
            await client.send({"event": "pusher:subscribe", "data": {"channel": channel}})
        if user_id is not None:
            await client.send({"event": "pusher:subscribe", "data": self._presence(client.socket_id, user_id)})
        reader = asyncio.create_task(_read(client))
        clients.callback(reader.cancel)
        return client

    async def publish(self, server: Server) -> None:
        """Publish over and over."""
        headers = {"X-Api-Key": self.key, "X-Api-Secret": self.secret}
        async with httpx.AsyncClient(base_url=server.url, headers=headers) as back_end:
            for number in range(1_000_000):
                channel = "cache-prices" if number % 4 == 0 else "orders"
                data = json.dumps({"orderId": number, "total": 19.9, "currency": "EUR"})
                body = {"name": "order-shipped", "channel": channel, "data": data}
                (await back_end.post(f"/apps/{self.id}/events", json=body)).raise_for_status()
                await asyncio.sleep(1 / PUBLISHES_PER_SECOND)

    def _presence(self, socket_id: str, user_id: str) -> dict[str, str]:
        channel = "presence-support"
        channel_data = json.dumps({"user_id": user_id, "user_info": {"name": user_id.title()}})
        signature = sign(self.secret, f"{socket_id}:{channel}:{channel_data}".encode())
        return {"channel": channel, "channel_data": channel_data, "auth": f"{self.key}:{signature}"}

    @contextlib.asynccontextmanager
    async def in_use(self, server: Server) -> AsyncIterator[list[RawClient]]:
        """Have it used, by a few users and more who are nobody."""
        users: list[str | None] = ["ada", "grace", "linus", "margaret"]
        async with contextlib.AsyncExitStack() as clients:
            opened = [await self.client(clients, server, user_id) for user_id in [*users, *[None] * 8]]
            publisher = asyncio.create_task(self.publish(server))
            yield opened
            publisher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await publisher


async def _read(client: RawClient) -> None:
    async for _ in client.connection:
        pass
