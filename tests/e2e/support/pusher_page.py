"""pusher-js in Chromium, in a page of another origin."""

import json
from typing import Any

from .auth_endpoint import AuthEndpoint
from .balancer import Balancer
from .javascript import CLIENTS, JavaScript
from .other_origin import OtherOrigin
from .server import KEY, Server

_DISTRIBUTION = CLIENTS / "node_modules/pusher-js/dist/web"


class PusherPage:
    """A page with pusher-js in it."""

    def __init__(self, browser: JavaScript, server: Server | Balancer) -> None:
        self._browser = browser
        self._server = server

    @classmethod
    async def open(
        cls, browser: JavaScript, origin: OtherOrigin, server: Server | Balancer, *, has_websocket: bool = True
    ) -> "PusherPage":
        """Open a page and add pusher-js to it, its SockJS library too, which it would fetch from a site of Pusher's."""
        await browser.call("open", page="application", url=origin.url)
        page = cls(browser, server)
        if not has_websocket:
            await page.evaluate("delete window.WebSocket")
        for script in (_DISTRIBUTION / "sockjs.min.js", _DISTRIBUTION / "pusher.min.js", CLIENTS / "pusher_page.js"):
            await browser.call("add_script", page="application", path=str(script))
        return page

    async def connect(
        self, client: str, transports: list[str] | None, auth: AuthEndpoint, *, is_tls: bool = False
    ) -> None:
        """Connect a client whose back end takes it for a user of its name, and wait until it is."""
        options: dict[str, Any] = {
            "cluster": "",
            "wsHost": "127.0.0.1",
            "wsPort": self._server.port,
            "httpHost": "127.0.0.1",
            "httpPort": self._server.port,
            "httpsPort": self._server.port,
            "forceTLS": is_tls,
            "channelAuthorization": {"endpoint": f"{auth.url}?user={client}", "transport": "ajax"},
        }
        if transports is not None:
            options["enabledTransports"] = transports
        await self.evaluate(f"connect({json.dumps([client, KEY, options])[1:-1]})")
        await self.until(f"clients.{client}.pusher.connection.state === 'connected'")

    async def subscribe(self, client: str, channel: str) -> None:
        """Subscribe, and wait until it is done."""
        await self.evaluate(f"subscribe({json.dumps([client, channel])[1:-1]})")
        await self.until(f"clients.{client}.pusher.channel({json.dumps(channel)}).subscribed")

    async def received(self, client: str, channel: str, event: str, count: int) -> list[Any]:
        """Wait until so many events of a name have come on a channel; the data of all there are."""
        arguments = json.dumps([client, channel, event])[1:-1]
        await self.until(f"received({arguments}).length >= {count}")
        data: list[Any] = await self.evaluate(f"received({arguments})")
        return data

    async def channel(self, client: str, channel: str, call: str) -> Any:
        """Do something with a channel."""
        return await self.evaluate(f"clients.{client}.pusher.channel({json.dumps(channel)}).{call}")

    async def until(self, expression: str) -> None:
        """Wait until something is so."""
        await self._browser.call("wait_until", page="application", expression=expression)

    async def evaluate(self, expression: str) -> Any:
        """Say something in the page's own language."""
        return await self._browser.call("evaluate", page="application", expression=expression)
