"""What is left of connections that are gone, where the garbage collector does not run."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from server.http_client import PATIENCE, upgrade
from server.live import LiveServer
from server.signalr_client import HANDSHAKE, EventStreamClient, PollingClient, access_token
from server.websocket_client import text
from skubber.server.http_lane import HttpLane
from skubber.server.stream_edge import StreamEdge
from skubber.server.ws_edge import WebSocketEdge
from skubber.sessions.client_session import ClientSession
from support.apps import KEY
from support.signalr_messages import json_record

KINDS = (HttpLane, WebSocketEdge, StreamEdge, ClientSession)


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Nothing but reference counts frees anything."""
    gc.collect()
    gc.freeze()  # what other tests have left is not among what is looked for
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


def alive() -> list[Any]:
    return [each for each in gc.get_objects() if isinstance(each, KINDS)]


async def nobody_connected(live: LiveServer) -> None:
    async with asyncio.timeout(PATIENCE):
        while live.connections:  # noqa: ASYNC110 - the set is uvicorn's
            await asyncio.sleep(0)
    for _ in range(3):
        await asyncio.sleep(0)


async def test_nothing_is_left_of_an_http_connection(live: LiveServer) -> None:
    http = await live.connect()
    http.send(b"GET /apps/4711/channels HTTP/1.1\r\nHost: x\r\n\r\n")
    await http.answer()
    await http.close()
    await nobody_connected(live)
    assert alive() == []


async def test_nothing_is_left_of_a_pusher_client(live: LiveServer) -> None:
    http = await live.connect()
    http.send(upgrade(f"/app/{KEY}?protocol=7"))
    await http.reader.readuntil(b"connection_established")
    await http.close()
    await nobody_connected(live)
    assert alive() == []


async def test_nothing_is_left_of_a_signalr_client_over_a_websocket(live: LiveServer) -> None:
    http = await live.connect()
    query = urlencode({"access_token": await access_token(http)})
    http.send(upgrade(f"/push?{query}"))
    await http.reader.readuntil(b"\r\n\r\n")
    http.send(text(HANDSHAKE), text(json_record({"type": 1, "target": "Subscribe", "arguments": ["c"]})))
    await http.reader.readuntil(b"SubscriptionSucceeded")
    await http.close()
    await nobody_connected(live)
    assert alive() == []


@pytest.mark.parametrize("transport", [EventStreamClient, PollingClient])
async def test_nothing_is_left_of_a_signalr_client_over_http(
    live: LiveServer, transport: type[EventStreamClient | PollingClient]
) -> None:
    client = await transport.opened(live)
    await client.subscribe("c")
    live.runtime.signalr.drain()
    if isinstance(client, PollingClient):
        assert [message["type"] for message in await client.messages()] == [7]
        assert (await client.polled()).status == 204
    await client.http.close()
    await client.sending.close()
    await nobody_connected(live)
    assert alive() == []
