"""Where the console is, how its files travel, and what is said where it was not built."""

import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from skubber.web.console import console_routes

SCRIPT = b"console.log('console');" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A console as Vite leaves it."""
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Console</title>")
    (assets / "index-1a2b.js").write_bytes(SCRIPT)
    (assets / "index-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    (assets / "plain.js").write_bytes(SCRIPT)
    return tmp_path


NewClient = Callable[[Path], httpx.AsyncClient]


@pytest.fixture
async def new_client() -> AsyncIterator[NewClient]:
    clients: list[httpx.AsyncClient] = []

    def make(built: Path) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(Starlette(routes=console_routes(built)))
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://test"))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


@pytest.mark.parametrize("address", ["/console", "/console/", "/console/apps/my-app/channels/presence-room%2F1"])
async def test_every_address_of_the_console_answers_with_its_page(
    built: Path, new_client: NewClient, address: str
) -> None:
    response = await new_client(built).get(address)
    assert (response.status_code, response.text) == (200, "<!doctype html><title>Console</title>")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("accepted", ["gzip", "deflate, gzip;q=0.9, br"])
async def test_files_are_sent_as_they_were_compressed(built: Path, new_client: NewClient, accepted: str) -> None:
    response = await new_client(built).get(
        "/assets/console/assets/index-1a2b.js", headers={"accept-encoding": accepted}
    )
    assert (response.status_code, response.content) == (200, SCRIPT)
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) < len(SCRIPT)
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["vary"] == "accept-encoding"
    assert "immutable" in response.headers["cache-control"]


@pytest.mark.parametrize(("name", "accepted"), [("index-1a2b.js", "identity"), ("plain.js", "gzip")])
async def test_files_are_sent_plain_where_nothing_else_will_do(
    built: Path, new_client: NewClient, name: str, accepted: str
) -> None:
    response = await new_client(built).get(f"/assets/console/assets/{name}", headers={"accept-encoding": accepted})
    assert (response.status_code, response.content) == (200, SCRIPT)
    assert "content-encoding" not in response.headers


async def test_nothing_beside_the_files_is_given_away(built: Path, new_client: NewClient) -> None:
    client = new_client(built)
    assert (await client.get("/assets/console/assets/%2e%2e/index.html")).status_code == 404
    assert (await client.get("/assets/console/assets/none.js")).status_code == 404


async def test_a_server_without_the_console_says_how_to_come_by_it(tmp_path: Path, new_client: NewClient) -> None:
    client = new_client(tmp_path)
    response = await client.get("/console")
    assert response.status_code == 503
    assert "make web-assets" in response.text
    assert (await client.get("/assets/console/assets/index.js")).status_code == 404
