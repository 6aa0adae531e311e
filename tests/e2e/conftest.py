"""Real servers and real clients, one fixture each."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.certificate import make_certificate
from e2e.support.javascript import JavaScript
from e2e.support.server import Server


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server") / "server.log")
    yield server
    server.stop()


@pytest.fixture
def server(shared_server: Server) -> Server:
    """A server that many tests share: each uses channels of its own."""
    return shared_server


@pytest.fixture(scope="session")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a certificate for localhost that it signed itself."""
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = make_certificate(directory)
    server = Server(
        directory / "server.log",
        "--tls-certificate",
        str(certificate),
        "--tls-key",
        str(key),
        certificate=certificate,
    )
    yield server
    server.stop()


@pytest.fixture(scope="session")
def auth_endpoint() -> Iterator[AuthEndpoint]:
    """A back end's authorization endpoint."""
    endpoint = AuthEndpoint()
    yield endpoint
    endpoint.stop()


@pytest.fixture
async def javascript(node: None) -> AsyncIterator[JavaScript]:
    """pusher-js and the pusher SDK, in Node."""
    script = await JavaScript.start("driver.mjs", dict(os.environ))
    yield script
    await script.stop()


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[JavaScript]:
    """Headless Chromium."""
    script = await JavaScript.start("browser.mjs", {**os.environ, "CHROMIUM": chromium})
    yield script
    await script.stop()


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers of a test's own, with any flags, and stops them when it is over."""
    servers: list[Server] = []

    def start(*flags: str, **options: Any) -> Server:
        servers.append(Server(tmp_path / f"server{len(servers)}.log", *flags, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
