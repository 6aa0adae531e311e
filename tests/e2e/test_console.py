"""The console, in a browser, of a server that works: what a person sees and does there.

With SKUBBER_SCREENSHOTS=1 the walk through its pages leaves the documents' pictures in docs/img (`make screenshots`).
"""

import json
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.support.console import PHONE, WIDE, Console
from e2e.support.javascript import JavaScript
from e2e.support.server import Server
from e2e.support.traffic import BusyApp
from support.webhook_receiver import Receiver

PICTURES = Path(__file__).parents[2] / "docs" / "img"
PICTURED = {
    "console-overview.png",
    "console-overview-phone.png",
    "console-apps-shop.png",
    "console-apps-shop-debug.png",
    "console-apps-shop-keys.png",
    "console-nodes.png",
}
FIRST_LOAD_BYTES = 200 * 1024

PAGES = {
    "": "Overview",
    "/apps": "Apps",
    "/nodes": "Nodes",
    "/usage": "Usage",
    "/plans": "Plans",
    "/tokens": "Admin tokens",
    "/audit": "Audit log",
    "/apps/shop": "shop",
    "/apps/shop/debug": "Debug console",
    "/apps/shop/channels": "Channels",
    "/apps/shop/channels/presence-support": "presence-support",
    "/apps/shop/users": "Users",
    "/apps/shop/connections": "Connections",
    "/apps/shop/keys": "Keys",
    "/apps/shop/webhooks": "Webhooks",
    "/apps/shop/settings": "Settings",
    "/nowhere": "There is no such page",
}

LIVE = {
    "": ".figure dd:text-matches('[1-9]')",
    "/apps/shop": ".figure dd:text-matches('[1-9]')",
    "/apps/shop/debug": ".log-line:has-text('order-shipped')",
    "/apps/shop/channels": "role=link[name='orders']",
    "/apps/shop/users": "main:has-text('margaret')",
}
"""What shows that a page is alive."""


class Site:
    """A server as a newcomer starts it, with an app besides the demo app's.

    Attributes:
        server: the server.
        token: the owner's token that was printed at the start.
        shop: the app.
    """

    def __init__(self, directory: Path) -> None:
        (directory / "skubber.toml").write_text('webhook_allowed_networks = ["127.0.0.0/8"]')
        self.server = Server(directory / "server.log", is_demo=True)
        found = re.search(r"token\s+(mpa_\w+)", self.server.log)
        assert found is not None, self.server.log
        self.token = found[1]
        self.admin = httpx.Client(
            base_url=f"{self.server.url}/api/admin", headers={"Authorization": f"Bearer {self.token}"}, timeout=30
        )
        created: Any = self.post("/apps", id="shop", clientEvents=True)["key"]
        self.shop = BusyApp("shop", created["key"], created["secret"])
        # The console's own look at the app: servers take a new one over within a second.
        while self.admin.get("/apps/shop/channels").status_code == 404:
            time.sleep(0.02)

    def post(self, path: str, **fields: object) -> dict[str, Any]:
        """Make something; the fields are those of the JSON."""
        response = self.admin.post(path, json=fields)
        assert response.status_code in {200, 201}, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def stop(self) -> None:
        self.admin.close()
        self.server.stop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, web_assets: None) -> Iterator[Site]:
    """A server of this module's."""
    site = Site(tmp_path_factory.mktemp("console"))
    yield site
    site.stop()


@pytest.fixture
async def door(site: Site, quiet_browser: JavaScript) -> Console:
    """The console as a stranger sees it."""
    return await Console.opened(quiet_browser, site.server.url)


@pytest.fixture
async def console(site: Site, door: Console) -> Console:
    """The console as its owner sees it."""
    await door.sign_in(site.token)
    return door


@pytest.fixture
async def busy(site: Site) -> AsyncIterator[BusyApp]:
    """The app, in use."""
    async with site.shop.in_use(site.server):
        yield site.shop


async def test_a_newcomer_comes_to_a_first_event_without_leaving_the_page(console: Console) -> None:
    await console.go("/apps", "Apps")
    await console.press("Create an app")
    await console.fill("Id", "first")
    await console.press("Create the app")
    await console.wait_for("code:text-matches('^mps_')")
    await console.press("Go to the app")
    await console.is_at("first")
    await console.wait_for("text=Subscribed to my-channel")
    await console.press("Send a test event")
    await console.wait_for("ol.steps >> text=Hello, world")


async def test_every_page_is_whole_on_any_screen_and_open_to_everybody(
    console: Console, busy: BusyApp, tmp_path: Path
) -> None:
    is_wanted = bool(os.environ.get("SKUBBER_SCREENSHOTS"))
    for path, heading in PAGES.items():
        await console.go(path, heading)
        if path in LIVE:
            await console.wait_for(LIVE[path])
        name = path.strip("/").replace("/", "-") or "overview"
        for size, scheme, suffix in ((WIDE, "light", ""), (PHONE, "dark", "-phone")):
            await console.look(size, scheme)
            assert await console.fits(), (path, size)
            assert await console.barriers() == [], (path, scheme)
            file = f"console-{name}{suffix}.png"
            await console.photograph((PICTURES if is_wanted and file in PICTURED else tmp_path) / file)
        await console.look()


async def test_the_door_is_open_to_everybody(door: Console) -> None:
    for size, scheme in ((WIDE, "dark"), (PHONE, "light")):
        await door.look(size, scheme)
        assert await door.fits()
        assert await door.barriers() == []


async def test_the_first_load_is_small(console: Console) -> None:
    await console.go("", "Overview")
    await console.wait_for("canvas")
    sizes = "performance.getEntriesByType('resource').map((each) => [each.name, each.encodedBodySize])"
    loaded: dict[str, int] = dict(await console.evaluate(sizes))
    files = {name: size for name, size in loaded.items() if "/assets/" in name}
    assert len(files) >= 3
    assert sum(files.values()) < FIRST_LOAD_BYTES, files


async def test_nothing_comes_from_elsewhere(site: Site, console: Console) -> None:
    await console.go("/apps/shop", "shop")
    names = await console.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    assert [name for name in names if not name.startswith(site.server.url)] == []


async def test_the_sessions_cookie_is_out_of_the_reach_of_scripts(console: Console) -> None:
    assert await console.evaluate("document.cookie") == ""
    stored = await console.evaluate("JSON.stringify({...localStorage})")
    assert "mpa_" not in stored


async def test_who_signs_out_is_out(site: Site, console: Console) -> None:
    await console.press("Sign out")
    await console.wait_for("role=textbox[name='Admin token']")
    await console.open()
    await console.wait_for("role=textbox[name='Admin token']")


async def test_who_may_only_look_finds_nothing_to_change_with(site: Site, door: Console, busy: BusyApp) -> None:
    await door.sign_in(site.post("/tokens", name="looker", role="read_only")["token"])
    for path, heading in PAGES.items():
        await door.go(path, heading)
        found = await door.buttons()
        forbidden = {
            text for text in found if re.match(r"(Create|Delete|Revoke|Rotate|Edit|Save|Send|Terminate|End)", text)
        }
        assert forbidden == set(), path


async def test_what_happens_in_an_app_is_seen_as_it_happens(site: Site, console: Console, busy: BusyApp) -> None:
    await console.go("/apps/shop/debug", "Debug console")
    await console.wait_for(".log-line:has-text('order-shipped')")
    await console.fill("Event, or prefix*", "from-the-*", role="searchbox")
    await console.fill("Channel", "orders", role="combobox")
    await console.fill("Event", "from-the-console")
    # With another filter the stream begins anew, and nothing on the page tells when.
    rows = "[...document.querySelectorAll('.log-line')].map((row) => row.innerText).join()"
    while "from-the-console" not in await console.evaluate(rows):
        await console.press("Send")
    assert "order-shipped" not in await console.evaluate(rows)


async def test_a_connection_is_looked_at_and_ended(site: Site, console: Console) -> None:
    async with site.shop.in_use(site.server) as clients:
        socket_id = clients[0].socket_id
        await console.go(f"/apps/shop/connections/{socket_id}", socket_id)
        await console.wait_for("main:has-text('presence-support')")
        await console.press("End connection")
        await console.click("dialog >> role=button[name='End connection']")
        await clients[0].connection.wait_closed()
        assert clients[0].connection.close_code == 4009


async def test_a_webhook_is_tried_out_and_what_was_sent_is_shown(site: Site, console: Console) -> None:
    receiver = Receiver()
    receiver.status = 500
    webhook = site.post("/apps/shop/webhooks", url=receiver.url("/hook"))
    await console.go(f"/apps/shop/webhooks/{webhook['id']}", "Webhook")
    await console.press("Send a test event")
    await console.wait_for("main:has-text('500')")
    assert json.loads(receiver.requests[0].body)["events"]
    assert await console.barriers() == []
    receiver.stop()


async def test_the_keyboard_is_enough_to_get_to_the_content(console: Console) -> None:
    await console.go("/apps", "Apps")
    # Whoever comes to a page is at its heading. This is the way back there, past all the links.
    await console.evaluate("document.querySelector('.skip').focus()")
    await console.key("Enter")
    await console.key("Tab")
    assert await console.evaluate("document.querySelector('main').contains(document.activeElement)")
