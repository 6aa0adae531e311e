"""Floods: of connections, subscriptions and junk, against a server in a process of its own."""

import asyncio
import json

from abuse.support import connect, open_websocket, pour, resident_bytes
from e2e.support.raw_client import RawClient
from e2e.support.server import Server
from e2e.support.signalr import access_token, publish
from e2e.support.signalr_raw import RawHub, call
from server.http_client import PATIENCE, request
from server.websocket_client import text
from skubber.core.limits import Limits

MOST_CONNECTIONS = 20
JUNK_FRAMES = 1_000_000
MOST_GROWTH = 100_000_000
"""Bytes the server may grow by meanwhile; the junk itself has 9,000,000, one answer to each would have 100,000,000."""


async def test_connections_that_say_nothing_cannot_be_more_than_so_many(server: Server) -> None:
    clients = [await connect(server) for _ in range(MOST_CONNECTIONS)]
    clients[-1].send(request("GET", "/health"))
    assert (await clients[-1].answer()).status == 200
    one_too_many = await connect(server)
    answer = await one_too_many.answer()
    assert (answer.status, answer.closes) == (503, True)
    assert await one_too_many.is_cut()
    for client in (*clients[1:], one_too_many):
        await client.close()
    clients[0].send(request("GET", "/health"))
    assert (await clients[0].answer()).status == 200
    await clients[0].close()


async def test_a_connection_cannot_subscribe_to_channels_without_end(server: Server) -> None:
    most = Limits().subscriptions_per_connection
    async with RawClient.connected(server) as client:
        refused = 0
        for number in range(most + 5):
            await client.send({"event": "pusher:subscribe", "data": {"channel": f"flood-{number}"}})
            answer = await client.receive()
            if number >= most:
                assert (answer["event"], answer["data"]["status"]) == ("pusher:subscription_error", 403)
                refused += 1
            else:
                assert answer["event"] == "pusher_internal:subscription_succeeded"
        assert refused == 5


async def test_a_hub_connection_cannot_either(server: Server) -> None:
    most = Limits().subscriptions_per_connection
    async with RawHub.connected(server, access_token(server)) as hub:
        for start in range(0, most, 100):
            await hub.send(*(call("Subscribe", f"flood-{number}") for number in range(start, start + 100)))
        for number in range(most):
            message = await hub.receive()
            assert (message["target"], message["arguments"][0]["channel"]) == (
                "SubscriptionSucceeded",
                f"flood-{number}",
            )
        for number in range(5):
            assert "too_many_subscriptions" in (await hub.invoke("Subscribe", f"more-{number}"))["error"]
        assert "error" not in await hub.invoke("Unsubscribe", "flood-0")
        assert "error" not in await hub.invoke("Subscribe", "more-0")


async def test_a_million_junk_frames_are_bounded_and_delay_nobody(server: Server) -> None:
    before = resident_bytes(server)
    async with RawClient.connected(server) as bystander:
        await bystander.subscribe("calm")
        attacker = await open_websocket(server)
        flood = asyncio.create_task(pour(attacker, text(b"x"), JUNK_FRAMES))
        await asyncio.to_thread(publish, server, "calm", data="still here")
        async with asyncio.timeout(PATIENCE):
            assert json.dumps("still here")[1:-1] in str(await bystander.receive())
        await flood
        assert resident_bytes(server) - before < MOST_GROWTH
        attacker.writer.transport.abort()
