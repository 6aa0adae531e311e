"""Where the metrics are served."""

import socket

import httpx
import pytest

from server.http_client import request
from server.live import LiveServer
from skubber.server.metrics_server import listen, metrics_server
from skubber.settings import SettingsError
from skubber.web.metrics import metrics_route
from support.ports import free_port

TOKEN = "a-token-of-16-or-more"


async def status(live: LiveServer, *headers: str) -> int:
    client = await live.connect()
    client.send(request("GET", "/metrics", *headers))
    return (await client.answer()).status


async def test_without_a_token_there_is_nothing_on_the_port_of_the_clients(live: LiveServer) -> None:
    assert await status(live) == 404
    assert await status(live, "Authorization: Bearer ") == 404


async def test_with_a_token_there_is_for_who_has_it() -> None:
    async with LiveServer(metrics_token=TOKEN) as live:
        assert await status(live) == 401
        assert await status(live, f"Authorization: Bearer {TOKEN}") == 200


async def test_a_port_of_its_own_serves_nothing_else_and_only_for_as_long_as_it_should(live: LiveServer) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(timeout=30) as client:
        async with metrics_server(metrics_route(live.runtime.metrics, ""), listen("localhost", port)):
            assert "\nskubber_ready 1.0\n" in (await client.get(f"{url}/metrics")).text
            for path in ("/", "/health", "/docs", "/apps/4711/channels"):
                assert (await client.get(url + path)).status_code == 404
        with pytest.raises(httpx.TransportError):
            await client.get(f"{url}/metrics")


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"port {port}, for metrics: Address already in use"):
            listen("127.0.0.1", port)
