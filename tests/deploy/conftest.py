"""Two servers with one Redis behind a front, and clients that believe its certificate."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from conftest import go_without
from deploy.front import FRONTS, Front, Site
from e2e.support.certificate import make_certificate
from e2e.support.javascript import JavaScript
from e2e.support.server import APP_ID, KEY, SECRET, Server
from e2e.support.signalr import SignalR
from support.redis import RedisServer

# An app that takes nothing but TLS: what the front says of its clients has to be believed.
_CONFIGURATION = f"""
access_log = true

[[apps]]
id = "{APP_ID}"
keys = [{{ key = "{KEY}", secret = "{SECRET}" }}]
tls_only = true
"""


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module", params=FRONTS, ids=lambda kind: kind.program)
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    certificate: tuple[Path, Path],
    shared_redis_server: RedisServer,
) -> Iterator[Site]:
    """Two servers behind each front in turn."""
    kind: type[Front] = request.param
    if kind.find() is None:
        go_without("A front", kind.program)
    directory = tmp_path_factory.mktemp(kind.program)
    configuration = directory / "skubber.toml"
    configuration.write_text(_CONFIGURATION)
    flags = ("--config", str(configuration), "--set", f"broker={shared_redis_server.url}", "--set", "database=")
    one, two = (Server(directory / f"server{number}.log", *flags, is_demo=True) for number in (1, 2))
    front = kind(directory, certificate, [one.port, two.port])
    try:
        front.start()
        yield Site(front, (one, two))
    finally:
        front.stop()
        one.stop()
        two.stop()


@pytest.fixture
def front(site: Site) -> Front:
    """Each front in turn."""
    return site.front


@pytest.fixture
async def javascript(node: None, certificate: tuple[Path, Path]) -> AsyncIterator[JavaScript]:
    """pusher-js and the pusher SDK, in a Node that trusts the front."""
    script = await JavaScript.start("driver.mjs", {**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate[0])})
    yield script
    await script.stop()


@pytest.fixture
async def signalr(node: None, certificate: tuple[Path, Path]) -> AsyncIterator[SignalR]:
    """@microsoft/signalr, likewise."""
    script = await SignalR.start("signalr.mjs", {**os.environ, "NODE_EXTRA_CA_CERTS": str(certificate[0])})
    yield script
    await script.stop()


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[JavaScript]:
    """Headless Chromium, which minds no certificate."""
    script = await JavaScript.start("browser.mjs", {**os.environ, "CHROMIUM": chromium})
    yield script
    await script.stop()
