"""The metrics of real servers, as Prometheus reads them."""

import contextlib
import random
import socket
import subprocess
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import require
from e2e.support.api import with_headers
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, NewServer, Server
from support.redis import RedisServer

TOKEN = "a-token-of-16-or-more"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def scrape(url: str) -> str:
    # A worker may start later than the one by which the server is ready.
    with httpx.Client(transport=httpx.HTTPTransport(retries=6), timeout=30) as client:
        answer = client.get(f"{url}/metrics", headers=HEADERS)
    assert answer.status_code == 200
    return answer.text


def samples(text: str) -> dict[str, float]:
    """All samples, by name and labels."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def server(new_server: NewServer) -> Server:
    started: Server = new_server("--set", f"metrics_token={TOKEN}")
    return started


async def test_publishing_moves_the_counters(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("c")
        for _ in range(3):
            assert (
                with_headers(server, "POST", "/events", {"name": "e", "channel": "c", "data": "d"}).status_code == 200
            )
            await client.receive()
        assert with_headers(server, "POST", "/events", {"name": "e"}).status_code == 400
        values = samples(scrape(server.url))
    assert {
        name: values[f"skubber_{name}"]
        for name in (
            f"connections {APP_ID}",
            f"channels {APP_ID}",
            f"subscriptions {APP_ID}",
            f"messages_published_total {APP_ID}",
            f"messages_delivered_total {APP_ID}",
            "transport_connections pusher websockets",
            "api_requests_total publish 2xx",
            "api_requests_total publish 4xx",
            "publish_duration_seconds_count",
            "webhook_events_waiting",
        )
    } == {
        f"connections {APP_ID}": 1,
        f"channels {APP_ID}": 1,
        f"subscriptions {APP_ID}": 1,
        f"messages_published_total {APP_ID}": 3,
        f"messages_delivered_total {APP_ID}": 3,
        "transport_connections pusher websockets": 1,
        "api_requests_total publish 2xx": 3,
        "api_requests_total publish 4xx": 1,
        "publish_duration_seconds_count": 1,
        "webhook_events_waiting": 0,
    }
    assert values[f"skubber_delivered_bytes_total {APP_ID}"] > 3 * len('{"event":"e","channel":"c","data":"d"}')
    after = samples(scrape(server.url))
    assert after[f"skubber_messages_published_total {APP_ID}"] == 3


def test_promtool_finds_no_fault(server: Server) -> None:
    require("A check of metrics", "promtool")
    result = subprocess.run(
        ["promtool", "check", "metrics"],
        input=scrape(server.url),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_the_token_is_in_no_log_and_nobody_gets_in_without(server: Server) -> None:
    scrape(server.url)
    assert httpx.get(f"{server.url}/metrics").status_code == 401
    assert TOKEN not in server.log


@pytest.fixture
def ports() -> int:
    """The first of two ports in a row that nobody has, and that the kernel gives to nobody who asks for any."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for each in (port, port + 1):
                stack.enter_context(socket.create_server(("127.0.0.1", each)))
            return port


async def test_every_worker_has_a_port_of_its_own(new_server: NewServer, redis_server: RedisServer, ports: int) -> None:
    flags = [f"broker={redis_server.url}", "broker_lease=2", f"metrics_port={ports}", "drain_seconds=0", "database="]
    server = new_server("--workers", "2", *(part for flag in flags for part in ("--set", flag)))
    assert httpx.get(f"{server.url}/metrics").status_code == 404
    with_headers(server, "POST", "/events", {"name": "e", "channel": "c", "data": "d"})
    workers = [samples(scrape(f"http://127.0.0.1:{port}")) for port in (ports, ports + 1)]
    assert sorted(worker["skubber_api_requests_total publish 2xx"] for worker in workers) == [0, 1]
    assert [worker["skubber_broker_available"] for worker in workers] == [1, 1]
    assert not any("skubber_database_available" in worker for worker in workers)


async def test_refusals_are_counted_by_limit(new_server: NewServer, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(
        f'metrics_token = "{TOKEN}"\n[plans.unlimited]\n'
        "connections = 2\nchannels = 1\nsubscriptions_per_connection = 1\npublishes_per_second = 1\n"
    )
    server = new_server("--config", str(file))
    async with RawClient.connected(server) as first, RawClient.connected(server) as second:
        await first.subscribe("c")
        for client in (first, second):
            await client.send({"event": "pusher:subscribe", "data": {"channel": "d"}})
            assert (await client.receive())["event"] == "pusher:subscription_error"
        async with RawClient.opened(server, f"/app/{KEY}?protocol=7") as third:
            assert (await third.receive())["data"]["code"] == 4004
        event = {"name": "e", "channel": "c", "data": "d"}
        statuses = [with_headers(server, "POST", "/events", event).status_code for _ in range(10)]
        values = samples(scrape(server.url))
    assert {name: value for name, value in values.items() if name.startswith("skubber_refusals_total") and value} == {
        "skubber_refusals_total app_connections": 1,
        "skubber_refusals_total too_many_channels": 1,
        "skubber_refusals_total too_many_subscriptions": 1,
        "skubber_refusals_total publish_rate": statuses.count(429),
    }
