"""The programs that the console gives people to copy, run as they are shown."""

import asyncio
import hashlib
import hmac
import json
import ssl
from pathlib import Path

import httpx
import pytest

from e2e.support.api import HEADERS
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, OTHER_ID, OTHER_KEY, OTHER_SECRET, SECRET, Server
from e2e.support.snippets import PATIENCE, Snippet, snippets_for
from support.ports import free_port

pytestmark = pytest.mark.usefixtures("web_assets", "node")

BODY = b'{"time_ms":1700000000000,"events":[{"name":"channel_occupied","channel":"news"}]}'


@pytest.fixture(params=["plain", "tls"])
def any_server(request: pytest.FixtureRequest) -> Server:
    """A server without and one with TLS."""
    server: Server = request.getfixturevalue("server" if request.param == "plain" else "tls_server")
    return server


@pytest.mark.parametrize(("name", "suffix"), [("curl", ".sh"), ("javascript", ".mjs")])
async def test_what_publishes_reaches_a_subscriber(any_server: Server, tmp_path: Path, name: str, suffix: str) -> None:
    snippet = Snippet(tmp_path, snippets_for(any_server).app[name], suffix, any_server)
    async with RawClient.connected(any_server) as client:
        await client.subscribe("my-channel")
        await snippet.run()
        event = await client.receive()
    assert event["event"] == "my-event"
    assert json.loads(event["data"]) == {"message": "hello world"}


async def test_python_publishes_with_the_sdk(server: Server, tmp_path: Path) -> None:
    # Without TLS: the SDK brings its own authorities, which would not know who signed this certificate.
    async with RawClient.connected(server) as client:
        await client.subscribe("my-channel")
        await Snippet(tmp_path, snippets_for(server).app["python"], ".py").run()
        assert json.loads((await client.receive())["data"]) == {"message": "hello world"}


async def test_python_publishes_for_an_app_whose_id_the_sdk_does_not_take(any_server: Server, tmp_path: Path) -> None:
    text = snippets_for(any_server, OTHER_ID, OTHER_KEY, OTHER_SECRET).app["python"]
    async with RawClient.opened(any_server, f"/app/{OTHER_KEY}?protocol=7&client=test&version=1") as client:
        await client.receive()  # the greeting
        await client.subscribe("my-channel")
        await Snippet(tmp_path, text, ".py", any_server).run()
        assert json.loads((await client.receive())["data"]) == {"message": "hello world"}


@pytest.mark.parametrize("name", ["pusher-js", "signalr"])
async def test_what_listens_prints_the_event(any_server: Server, tmp_path: Path, name: str) -> None:
    snippet = Snippet(tmp_path, snippets_for(any_server).app[name], ".mjs", any_server)
    async with snippet.running() as output:
        await _publish_to_a_subscriber(any_server)
        # Microsoft's client says when it has connected.
        printed = await asyncio.wait_for(output.readuntil(b"hello world"), PATIENCE)
    assert b"my-event" in printed


async def test_laravel_echo_prints_the_event(server: Server, tmp_path: Path) -> None:
    snippet = Snippet(tmp_path, snippets_for(server).app["echo"], ".mjs")
    # It is for browsers, where `window` is what is global.
    async with snippet.running("--import", "data:text/javascript,globalThis.window = globalThis") as output:
        await _publish_to_a_subscriber(server)
        assert b"hello world" in await asyncio.wait_for(output.readline(), PATIENCE)


async def _publish_to_a_subscriber(server: Server) -> None:
    verify = ssl.create_default_context(cafile=server.certificate)
    address = f"{server.url}/apps/{APP_ID}"
    async with httpx.AsyncClient(headers=HEADERS, verify=verify) as http, asyncio.timeout(PATIENCE):
        while not (await http.get(f"{address}/channels/my-channel")).json()["occupied"]:  # noqa: ASYNC110 - it has to be asked
            await asyncio.sleep(0.05)
        event = {"name": "my-event", "channel": "my-channel", "data": json.dumps({"message": "hello world"})}
        assert (await http.post(f"{address}/events", json=event)).status_code == 200


@pytest.mark.parametrize(("name", "suffix"), [("node", ".mjs"), ("python", ".py")])
async def test_a_back_end_takes_what_is_signed_and_nothing_else(
    server: Server, tmp_path: Path, name: str, suffix: str
) -> None:
    port = free_port()
    good = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    snippet = Snippet(tmp_path, snippets_for(server).webhooks[name], suffix)
    async with snippet.running(PORT=str(port)) as output, httpx.AsyncClient() as http:
        assert await _status(http, port, good) == 200
        for bad in ("0" * 64, good[:-1], ""):
            assert await _status(http, port, bad) == 401
        line = await asyncio.wait_for(output.readline(), PATIENCE)
    assert line == b"channel_occupied news\n"


async def _status(http: httpx.AsyncClient, port: int, signature: str) -> int:
    """What a back end answers, once it is there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                headers = {"X-Pusher-Key": KEY, "X-Pusher-Signature": signature}
                return (await http.post(f"http://127.0.0.1:{port}/", content=BODY, headers=headers)).status_code
            except httpx.ConnectError:
                await asyncio.sleep(0.05)


def test_any_secret_keeps_its_characters_in_each_language(server: Server) -> None:
    awkward = """it's "a" \\ $ecret"""
    texts = snippets_for(server, secret=awkward).app
    assert r"""X-Api-Secret: it'\''s "a" \ $ecret'""" in texts["curl"]
    assert f"secret: {json.dumps(awkward)}" in texts["javascript"]
    assert f"secret={json.dumps(awkward)}" in texts["python"]
    assert r"""'it\'s "a" \\ $ecret'""" in texts["php"]
    assert json.dumps(awkward) in texts["csharp"]
    assert r'''PUSHER_APP_SECRET="it's \"a\" \\ \$ecret"''' in texts["laravel"]


def test_a_secret_that_is_not_known_has_a_placeholder_and_no_browser_gets_one(server: Server) -> None:
    texts = snippets_for(server, secret=None).app
    assert {name for name, text in texts.items() if "<your secret>" not in text} == {"pusher-js", "echo"}
    texts = snippets_for(server).app
    assert {name for name, text in texts.items() if SECRET not in text} == {"pusher-js", "echo"}
