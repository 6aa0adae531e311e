"""Several servers with one Redis, and questions to them."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx

from e2e.support.api import HEADERS
from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.pusher_js import subscribe
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, Server
from e2e.support.signalr import SignalR, access_token
from faults.proxy import Proxy
from support.redis import RedisServer

PATIENCE = 30
"""Seconds a test waits for what must come. The machine may be busy."""


class FaultyRedis(RedisServer):
    """A Redis that can be stopped and continued, and that may keep its data."""

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def save(self) -> None:
        """Write everything down, for ``start`` to read."""
        with self.client() as client:
            client.save()

    def connections(self) -> int:
        """How many connections of servers there are."""
        with self.client() as client:
            return len(client.client_list()) - 1


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that has to be asked for again and again."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.02)


async def get(server: Server, path: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        return await http.get(f"{server.url}{path}", headers=HEADERS)


async def publish(server: Server, channel: str, data: str = "d") -> httpx.Response:
    """Publish an event ``e`` on a channel."""
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        event = {"name": "e", "channel": channel, "data": data}
        return await http.post(f"{server.url}/apps/{APP_ID}/events", headers=HEADERS, json=event)


async def publish_everywhere(servers: Sequence[Server], channel: str) -> None:
    """Publish one event from each server, whose data is ``from`` and its place."""
    for place, server in enumerate(servers):
        assert (await publish(server, channel, f"from {place}")).status_code == 200


async def until_ready_answers(status: int, *servers: Server) -> None:
    """Wait until ``/ready`` has a status everywhere."""

    async def answer() -> bool:
        return all([(await get(server, "/ready")).status_code == status for server in servers])

    await until(answer)


async def users_on(server: Server, channel: str) -> list[str] | None:
    """Who is on a presence channel, as a server knows it; None: it does not know for the time being."""
    answer = await get(server, f"/apps/{APP_ID}/channels/{channel}/users")
    if answer.status_code == 503:
        return None
    assert answer.status_code == 200, answer.text
    return sorted(user["id"] for user in answer.json()["users"])


async def count_on(server: Server, channel: str) -> int | None:
    """How many are subscribed to a channel, as a server knows it; None: it does not know for the time being."""
    answer = await get(server, f"/apps/{APP_ID}/channels/{channel}?info=subscription_count")
    if answer.status_code == 503:
        return None
    assert answer.status_code == 200, answer.text
    count: int = answer.json().get("subscription_count", 0)
    return count


async def until_users_are(users: list[str], channel: str, *servers: Server) -> None:
    """Wait until a roster is the same on all servers."""

    async def agree() -> bool:
        return all([await users_on(server, channel) == users for server in servers])

    await until(agree)


async def until_count_is(count: int, channel: str, *servers: Server) -> None:
    """Wait until all servers count so many subscriptions."""

    async def agree() -> bool:
        return all([await count_on(server, channel) == count for server in servers])

    await until(agree)


async def join(
    javascript: JavaScript, endpoint: AuthEndpoint, client: str, at: Server | Proxy, channel: str
) -> list[str]:
    """Connect a pusher-js client and join a presence channel as the user of that name; returns who is there."""
    options = {
        "wsHost": "127.0.0.1",
        "wsPort": at.port,
        "forceTLS": False,
        "enabledTransports": ["ws"],
        "cluster": "",
        "disableStats": True,
        "channelAuthorization": {"endpoint": f"{endpoint.url}?user={client}", "transport": "ajax"},
    }
    await javascript.call("connect", client=client, key=KEY, options=options)
    await javascript.state(client, "connected")
    roster = await subscribe(javascript, client, channel)
    return sorted(roster["members"])


async def join_with_signalr(signalr: SignalR, client: str, issuer: Server, at: Server | Proxy, channel: str) -> None:
    """Connect a SignalR client that subscribes again whenever it has reconnected, and join a presence channel."""
    token = access_token(issuer, userId=client, channels=["*"], userInfo={"name": client})
    url = f"http://127.0.0.1:{at.port}/push?{urlencode({'access_token': token})}"
    await signalr.connect(issuer, client, url=url, reconnect=[100] * 200, resubscribe=[channel])
    await signalr.subscribe(client, channel)


def news_of(javascript: JavaScript, client: str, channel: str) -> list[tuple[str, str]]:
    """Who came and went, as a pusher-js client has been told."""
    heard = javascript.seen(lambda m: m["kind"] == "event" and (m["client"], m["channel"]) == (client, channel))
    return [
        (message["event"].removeprefix("pusher:member_"), message["data"]["id"])
        for message in heard
        if message["event"].startswith("pusher:member_")
    ]


def signalr_news_of(signalr: SignalR, client: str) -> list[tuple[str, str]]:
    """Likewise, of a SignalR client."""
    targets = {"MemberAdded": "added", "MemberRemoved": "removed"}
    return [
        (targets[message["target"]], message["args"][0]["userId"])
        for message in signalr.unexpected(client)
        if message["kind"] == "call" and message["target"] in targets
    ]


async def message_named(client: RawClient, name: str) -> dict[str, Any]:
    """The next message of a name that a client gets."""
    async with asyncio.timeout(PATIENCE):
        while (message := await client.receive())["event"] != name:
            pass
    return message
