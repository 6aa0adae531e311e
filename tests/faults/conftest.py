"""Servers that share a Redis of the test's own, and what goes wrong between them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import go_without, require
from e2e.conftest import auth_endpoint, javascript, new_server, signalr
from e2e.support.server import Server
from faults.cluster import FaultyRedis
from faults.network import Cable, missing_for_cables
from faults.proxy import Proxy
from support.webhook_receiver import Receiver

__all__ = ["auth_endpoint", "javascript", "new_server", "signalr"]

LEASE = 2
"""Seconds."""

NewNode = Callable[..., Server]


@pytest.fixture
def faulty_redis(tmp_path: Path) -> Iterator[FaultyRedis]:
    """A Redis of one test's own."""
    require("A test with Redis", "redis-server")
    server = FaultyRedis(directory=tmp_path)
    yield server
    server.kill()


@pytest.fixture
def new_node(faulty_redis: FaultyRedis, new_server: Callable[..., Server]) -> NewNode:
    """Starts servers that share the Redis, each perhaps by a way of its own."""

    def start(*flags: str, broker: str = faulty_redis.url, lease: float = LEASE, **more: Any) -> Server:
        options = [f"broker={broker}", f"broker_lease={lease}"]
        if "--config" not in flags:
            options.append("database=")
        return new_server(*(part for option in options for part in ("--set", option)), *flags, **more)

    return start


@pytest.fixture
def new_proxy() -> Iterator[Callable[..., Proxy]]:
    """Starts proxies."""
    proxies: list[Proxy] = []

    def start(*targets: int) -> Proxy:
        proxies.append(Proxy(*targets))
        return proxies[-1]

    yield start
    for proxy in proxies:
        proxy.stop()


@pytest.fixture
def cable() -> Iterator[Cable]:
    """A cable to pull."""
    missing = missing_for_cables()
    if missing is not None:
        go_without("A network that can be cut", missing)
    cable = Cable()
    yield cable
    cable.remove()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A back end that takes webhooks."""
    receiver = Receiver()
    yield receiver
    receiver.stop()
