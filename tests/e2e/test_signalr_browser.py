"""Microsoft's client in Chromium, in a page of another origin."""

import json
import signal
from typing import Any

import pytest

from e2e.support.javascript import CLIENTS, JavaScript
from e2e.support.other_origin import OtherOrigin
from e2e.support.server import NewServer, Server
from e2e.support.signalr import TRANSPORTS, WAYS, WEBSOCKETS, Way, publish, publish_numbers, token_request
from e2e.support.signalr_network import Network

SCRIPTS = [
    CLIENTS / "node_modules/@microsoft/signalr/dist/browser/signalr.min.js",
    CLIENTS / "node_modules/@microsoft/signalr-protocol-msgpack/dist/browser/signalr-protocol-msgpack.min.js",
    CLIENTS / "signalr_page.js",
]


class Page:
    """A page with Microsoft's client in it."""

    def __init__(self, browser: JavaScript) -> None:
        self._browser = browser

    @classmethod
    async def open(cls, browser: JavaScript, origin: OtherOrigin) -> "Page":
        await browser.call("open", page="application", url=origin.url)
        for script in SCRIPTS:
            await browser.call("add_script", page="application", path=str(script))
        return cls(browser)

    async def connect(self, url: str, client: str, channel: str, way: Way, **options: Any) -> Any:
        """Fetch a token in the page, connect and subscribe with it, and return what ``Subscribe`` returned."""
        transport, protocol = way
        parameters = {
            "client": client,
            "server": url,
            "tokenRequest": token_request(userId=client, channels=["*"]),
            "channel": channel,
            "transport": transport,
            "protocol": protocol,
            **options,
        }
        return await self._evaluate(f"connect({json.dumps(parameters)})")

    async def trigger(self, client: str, channel: str, event: str, data: Any) -> None:
        await self._evaluate(
            f"clients.{client}.connection.invoke('Trigger', {json.dumps([channel, event, data])[1:-1]})"
        )

    async def stop(self, client: str) -> None:
        await self._evaluate(f"clients.{client}.connection.stop()")

    async def kept(self, client: str, what: str, count: int) -> list[Any]:
        """Wait until so many words are kept for a client, and return all there are."""
        await self._browser.call(
            "wait_until", page="application", expression=f"clients.{client}.{what}.length >= {count}"
        )
        words: list[Any] = await self._evaluate(f"clients.{client}.{what}")
        return words

    async def reconnected(self, client: str) -> None:
        """Wait until a client has come back and is subscribed again."""
        expression = f"clients.{client}.reconnections === 1"
        await self._browser.call("wait_until", page="application", expression=expression)

    async def _evaluate(self, expression: str) -> Any:
        return await self._browser.call("evaluate", page="application", expression=expression)


@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
async def test_a_page_of_another_origin_fetches_a_token_and_connects_over_every_transport(
    browser: JavaScript, server: Server, tls_server: Server, other_origin: OtherOrigin, is_tls: bool
) -> None:
    target = tls_server if is_tls else server
    page = await Page.open(browser, other_origin)
    for way in WAYS:
        channel = f"presence-browser-{'-'.join(way)}"
        await page.connect(target.url, "ann", channel, way)
        members = (await page.connect(target.url, "bob", channel, way))["members"]
        assert [member["userId"] for member in members] == ["ann", "bob"]
        publish(target, channel, data="grüße\n€𝄞")
        await page.kept("ann", "received", 1)
        await page.trigger("bob", channel, "client-typing", {"on": True})
        assert await page.kept("ann", "received", 2) == ["grüße\n€𝄞", {"on": True}]
        assert await page.kept("bob", "received", 1) == ["grüße\n€𝄞"]
        await page.stop("bob")
        assert await page.kept("ann", "members", 2) == ["bob", "-bob"]
        await page.stop("ann")
    # A client that stops says so by a message and by leaving, both at once: what comes second finds nobody.
    assert [complaint for complaint in await browser.call("complaints") if "404 (Not Found)" not in complaint] == []


async def test_a_page_comes_back_after_a_restart_whatever_its_transport(
    browser: JavaScript, new_server: NewServer, other_origin: OtherOrigin
) -> None:
    server = new_server()
    page = await Page.open(browser, other_origin)
    for client, transport in zip(("ann", "bob", "cat"), TRANSPORTS, strict=True):
        await page.connect(server.url, client, "presence-restart", (transport, "json"))
    server.signal(signal.SIGTERM)
    server.wait()
    server.start()
    for client in ("ann", "bob", "cat"):
        await page.reconnected(client)
    publish(server, "presence-restart")
    for client in ("ann", "bob", "cat"):
        assert await page.kept(client, "received", 1) == ["hello"]


async def test_a_page_resumes_a_cut_connection(browser: JavaScript, server: Server, other_origin: OtherOrigin) -> None:
    page = await Page.open(browser, other_origin)
    async with Network.before(server) as network:
        url = network.through(f"{server.url}/").rstrip("/")
        await page.connect(url, "ann", "presence-cut-page", (WEBSOCKETS, "messagepack"), resume=True)
        for start in (0, 30):
            publish_numbers(server, "presence-cut-page", range(start, start + 10))
            network.lose()
            publish_numbers(server, "presence-cut-page", range(start + 10, start + 20))
            network.cut()
            publish_numbers(server, "presence-cut-page", range(start + 20, start + 30))
            received = await page.kept("ann", "received", start + 30)
            assert received == [str(number) for number in range(start + 30)]
        await page.stop("ann")
