"""The demo page in a browser, as a person uses it; and what goes on behind its back."""

import json
import os
import subprocess

import httpx

from .javascript import JavaScript
from .server import Server

CLIENTS = ("pusher", "signalr")


class DemoPage:
    """The demo page, open.

    Args:
        browser: the browser.
        url: the server's.
    """

    def __init__(self, browser: JavaScript, url: str) -> None:
        self._browser = browser
        self._url = url

    @classmethod
    async def opened(cls, browser: JavaScript, server: Server) -> "DemoPage":
        """Open the page of a server with a demo app, and wait until both clients listen."""
        page = cls(browser, server.url)
        await page.open()
        await page.listens_to("my-channel")
        return page

    async def open(self) -> None:
        """Open the page."""
        await self._browser.call("open", page="demo", url=f"{self._url}/demo")

    async def listens_to(self, channel: str) -> None:
        """Wait until both clients listen to a channel."""
        for client in CLIENTS:
            await self.wait_for(f"#{client}-client .listening:has-text('Subscribed to {channel}')")

    async def enter_app(self, app_id: str, key: str, secret: str) -> None:
        """Fill in an operator's app."""
        await self.wait_for("#own-app")
        for field, value in (("#app-id", app_id), ("#app-key", key), ("#app-secret", secret)):
            await self.fill(field, value)
        await self.click("#own-app button")

    async def enter_channel(self, channel: str) -> None:
        """Fill in a channel, and go on to the next field."""
        await self.fill("#channel", channel)
        await self.click("#event-name")

    async def shown(self, event: str, client: str = "pusher") -> dict[str, str]:
        """Wait for an event in a client's panel; what is shown of it."""
        row = f"#{client}-client .event:has(.event-name:text-is({json.dumps(event)}))"
        await self.wait_for(row)
        return {part: await self.text(f"{row} .event-{part}") for part in ("channel", "data", "origin")}

    async def wait_for(self, selector: str) -> None:
        await self._browser.call("wait_for", page="demo", selector=selector)

    async def fill(self, selector: str, value: str) -> None:
        await self._browser.call("fill", page="demo", selector=selector, value=value)

    async def click(self, selector: str) -> None:
        await self._browser.call("click", page="demo", selector=selector)

    async def text(self, selector: str) -> str:
        result: str = await self._browser.call("text", page="demo", selector=selector)
        return result

    async def evaluate(self, expression: str) -> object:
        result: object = await self._browser.call("evaluate", page="demo", expression=expression)
        return result


def demo_app(server: Server) -> dict[str, str]:
    """The demo app that the server has made up."""
    app: dict[str, str] = httpx.get(f"{server.url}/demo/app.json").json()["app"]
    return app


def publish_as_demo(server: Server, **event: str) -> None:
    """Publish an event of the demo app."""
    app = demo_app(server)
    headers = {"X-Api-Key": app["key"], "X-Api-Secret": app["secret"]}
    answer = httpx.post(
        f"{server.url}/apps/{app['id']}/events", headers=headers, json={"channel": "my-channel", **event}
    )
    assert (answer.status_code, answer.text) == (200, "{}")


def run_in_shell(command: str, **environment: str) -> None:
    """Paste a line that publishes into a terminal."""
    result = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ, **environment},
    )
    assert result.stdout == "{}", result
