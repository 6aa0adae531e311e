"""Markup from elsewhere on the pages, in a browser: it is text. See ``test_demo.py`` for events on the demo page."""

import json
from urllib.parse import quote

import pytest

from e2e.support.api import with_headers
from e2e.support.demo_page import CLIENTS, DemoPage, demo_app
from e2e.support.javascript import JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, Server
from e2e.test_pages import SwaggerUi
from support.pusher_client import subscription

ATTACK = "<img src=x onerror=window.attacked=true>"
ELSEWHERE = quote('data:application/json,{"openapi":"3.1.0","info":{"title":"attacked","version":"1"},"paths":{}}')
INJECTED = "document.querySelectorAll('img[src=x]').length + Number(window.attacked ?? 0)"


async def test_members_names_are_text(quiet_browser: JavaScript, demo_server: Server) -> None:
    demo = await DemoPage.opened(quiet_browser, demo_server)
    await demo.enter_channel("presence-room")
    await demo.listens_to("presence-room")
    app = demo_app(demo_server)
    async with RawClient.opened(demo_server, f"/app/{app['key']}?protocol=7") as client:
        socket_id = json.loads((await client.receive())["data"])["socket_id"]
        member = json.dumps({"user_id": ATTACK, "user_info": {"name": ATTACK}})
        signed = subscription(socket_id, "presence-room", member, key=app["key"], secret=app["secret"])
        await client.send({"event": "pusher:subscribe", "data": signed})
        for panel in CLIENTS:
            await demo.wait_for(f"#{panel}-client .members:has-text('{ATTACK}')")
    assert await demo.evaluate(INJECTED) == 0


async def test_what_is_typed_into_the_demo_page_is_text(quiet_browser: JavaScript, demo_server: Server) -> None:
    demo = await DemoPage.opened(quiet_browser, demo_server)
    await demo.fill("#event-name", ATTACK)
    await demo.fill("#event-data", ATTACK)
    await demo.enter_channel(ATTACK)
    for panel in CLIENTS:
        await demo.wait_for(f"#{panel}-client .listening:has-text('Channel names consist of')")
    assert await demo.evaluate(INJECTED) == 0


async def test_the_documentation_shows_what_is_answered_as_text(quiet_browser: JavaScript, server: Server) -> None:
    event = {"name": ATTACK, "channel": "cache-markup", "data": ATTACK}
    assert with_headers(server, "POST", "/events", event).status_code == 200
    docs = await SwaggerUi.opened(quiet_browser, server)
    await docs.authorize(X_Api_Key=KEY, X_Api_Secret=SECRET)
    _, response = await docs.try_out("showChannel", appId=APP_ID, channelName="cache-markup", info="cache")
    assert ATTACK in response
    url, response = await docs.try_out("terminateConnections", appId=APP_ID, userId=ATTACK)
    assert (quote(ATTACK) in url, response[:3]) == (True, "200")
    assert await docs.evaluate(INJECTED) == 0


@pytest.mark.parametrize("path", ["/docs", "/docs/realtime", "/demo"])
async def test_nothing_in_its_address_changes_a_page(quiet_browser: JavaScript, demo_server: Server, path: str) -> None:
    query = f"url={ELSEWHERE}&configUrl={ELSEWHERE}&urls.primaryName={quote(ATTACK)}&channel={quote(ATTACK)}"
    url = f"{demo_server.url}{path}?{query}#/{quote(ATTACK)}"
    await quiet_browser.call("open", page="page", url=url)
    await quiet_browser.call("wait_for", page="page", selector=".listening:has-text('Subscribed'), .opblock, .message")
    text = await quiet_browser.call("text", page="page", selector="body")
    assert "attacked" not in text
    assert await quiet_browser.call("evaluate", page="page", expression=INJECTED) == 0
