"""Real servers and real clients, one fixture each."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import require
from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.certificate import make_certificate
from e2e.support.javascript import JavaScript
from e2e.support.other_origin import OtherOrigin
from e2e.support.server import Server
from e2e.support.signalr import SignalR, access_token


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


@pytest.fixture(scope="session")
def token(shared_server: Server) -> str:
    """A SignalR access token of the shared server's, good for any channel."""
    return access_token(shared_server, userId="raw", channels=["*"])


@pytest.fixture
async def signalr(node: None) -> AsyncIterator[SignalR]:
    """@microsoft/signalr, in Node."""
    script = await SignalR.start("signalr.mjs", dict(os.environ))
    yield script
    await script.stop()


@pytest.fixture
async def tls_signalr(node: None, tls_server: Server) -> AsyncIterator[SignalR]:
    """@microsoft/signalr, in a Node that trusts ``tls_server``."""
    script = await SignalR.start("signalr.mjs", {**os.environ, "NODE_EXTRA_CA_CERTS": str(tls_server.certificate)})
    yield script
    await script.stop()


@pytest.fixture(scope="session")
def web_assets() -> None:
    """What the demo page has from npm, set up as for a person."""
    require("The demo page's SignalR client", "make", "npm")
    subprocess.run(["make", "--silent", "web-assets"], cwd=Path(__file__).parents[2], check=True)


@pytest.fixture(scope="session")
def shared_demo_server(tmp_path_factory: pytest.TempPathFactory, web_assets: None) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("demo") / "server.log", is_demo=True)
    yield server
    server.stop()


@pytest.fixture
def demo_server(shared_demo_server: Server) -> Server:
    """A server as a newcomer starts it."""
    return shared_demo_server


@pytest.fixture(scope="session")
def other_origin() -> Iterator[OtherOrigin]:
    """An application's own web server."""
    origin = OtherOrigin()
    yield origin
    origin.stop()


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[JavaScript]:
    """Headless Chromium."""
    script = await JavaScript.start("browser.mjs", {**os.environ, "CHROMIUM": chromium})
    yield script
    await script.stop()


@pytest.fixture
async def quiet_browser(browser: JavaScript) -> AsyncIterator[JavaScript]:
    """A browser that must have no reason to complain, of the Content-Security-Policy say."""
    yield browser
    assert await browser.call("complaints") == []


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
