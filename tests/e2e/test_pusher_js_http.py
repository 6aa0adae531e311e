"""pusher-js over HTTP, in Node and in a browser, where no WebSocket comes through."""

import signal

import httpx
import pytest

from e2e.support.api import HEADERS, with_headers
from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.other_origin import OtherOrigin
from e2e.support.pusher_js import client_options, publish, subscribe
from e2e.support.pusher_page import PusherPage
from e2e.support.server import APP_ID, KEY, NewServer, Server

IN_NODE = ["xhr_streaming", "xhr_polling"]
IN_BROWSERS = [*IN_NODE, "sockjs"]


async def connect(
    javascript: JavaScript, server: Server, client: str, transport: str, auth: AuthEndpoint | None = None
) -> None:
    """Connect a client in Node over a transport."""
    options = client_options(server, None if auth is None else f"{auth.url}?user={client}")
    options |= {"enabledTransports": [transport], "httpHost": "127.0.0.1", "httpPort": server.port}
    await javascript.call("connect", client=client, key=KEY, options=options)
    await javascript.state(client, "connected")


def publish_much(server: Server, channel: str, count: int) -> list[str]:
    """Publish so much, ten events a request, that a stream has to be renewed; returns the data of the events."""
    padding = "x" * 9000 + "ü€𝄞"
    texts = [f"{number} {padding}" for number in range(count)]
    with httpx.Client(headers=HEADERS) as client:
        for start in range(0, count, 10):
            batch = [{"name": "much", "channel": channel, "data": text} for text in texts[start : start + 10]]
            assert client.post(f"{server.url}/apps/{APP_ID}/batch_events", json={"batch": batch}).status_code == 200
    return texts


@pytest.mark.parametrize("transport", IN_NODE)
async def test_node_lives_without_websockets(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint, transport: str
) -> None:
    channel = f"presence-node-{transport}"
    for user in ("ann", "bob"):
        await connect(javascript, server, user, transport, auth_endpoint)
        await subscribe(javascript, user, channel)
    added = await javascript.event("ann", channel, "pusher:member_added")
    assert added["data"]["id"] == "bob"
    publish(server, channel, data='{"text":"ü\\n€"}')
    for user in ("ann", "bob"):
        assert (await javascript.event(user, channel, "greeting"))["data"] == {"text": "ü\n€"}
    await javascript.call("trigger", client="bob", channel=channel, event="client-typing", data={"on": True})
    assert (await javascript.event("ann", channel, "client-typing"))["data"] == {"on": True}
    assert with_headers(server, "POST", "/users/bob/terminate_connections").json() == {}
    error = await javascript.message(lambda m: m["kind"] == "error" and m["client"] == "bob")
    assert error["error"]["data"]["code"] == 4009
    await javascript.state("bob", "disconnected")
    await javascript.event("ann", channel, "pusher:member_removed")
    await javascript.call("disconnect", client="ann")


@pytest.mark.parametrize("transport", IN_BROWSERS)
async def test_a_page_of_another_origin_lives_without_websockets(
    browser: JavaScript, server: Server, other_origin: OtherOrigin, auth_endpoint: AuthEndpoint, transport: str
) -> None:
    channel = f"presence-page-{transport}"
    page = await PusherPage.open(browser, other_origin, server)
    for user in ("ann", "bob"):
        await page.connect(user, [transport], auth_endpoint)
        assert await page.evaluate(f"transport('{user}')") == transport
        await page.subscribe(user, channel)
    assert await page.received("ann", channel, "pusher:member_added", 1) == [
        {"id": "bob", "info": {"name": "User bob"}}
    ]
    assert await page.channel("bob", channel, "members.count") == 2

    publish(server, channel, data='{"text":"ü\\n€"}')
    for user in ("ann", "bob"):
        assert await page.received(user, channel, "greeting", 1) == [{"text": "ü\n€"}]
    await page.channel("bob", channel, "trigger('client-typing', { on: true })")
    assert await page.received("ann", channel, "client-typing", 1) == [{"on": True}]
    assert await page.evaluate(f"received('bob', '{channel}', 'client-typing')") == []

    await page.subscribe("bob", f"left-{transport}")
    await page.evaluate(f"clients.bob.pusher.unsubscribe('left-{transport}')")
    # The unsubscription has been handled once a later message of the same client has been answered.
    await page.subscribe("bob", f"after-{transport}")
    publish(server, f"left-{transport}")
    publish(server, f"after-{transport}")
    await page.received("bob", f"after-{transport}", "greeting", 1)
    assert await page.evaluate(f"received('bob', 'left-{transport}', 'greeting')") == []

    assert with_headers(server, "POST", "/users/bob/terminate_connections").json() == {}
    await page.until("clients.bob.pusher.connection.state === 'disconnected'")
    assert set(await page.evaluate("clients.bob.errors")) == {4009}
    removed = await page.received("ann", channel, "pusher:member_removed", 1)
    assert [member["id"] for member in removed] == ["bob"]
    await page.evaluate("clients.ann.pusher.disconnect()")
    assert await browser.call("complaints") == []


async def test_a_browser_without_websockets_falls_back_by_itself(
    browser: JavaScript, server: Server, other_origin: OtherOrigin, auth_endpoint: AuthEndpoint
) -> None:
    page = await PusherPage.open(browser, other_origin, server, has_websocket=False)
    await page.connect("ann", None, auth_endpoint)
    assert await page.evaluate("transport('ann')") == "xhr_streaming"
    await page.subscribe("ann", "private-blocked")
    publish(server, "private-blocked")
    assert await page.received("ann", "private-blocked", "greeting", 1) == [{"n": 1}]
    await page.evaluate("clients.ann.pusher.disconnect()")


async def test_pages_come_back_after_a_restart_whatever_their_transport(
    browser: JavaScript, new_server: NewServer, other_origin: OtherOrigin, auth_endpoint: AuthEndpoint
) -> None:
    server = new_server()
    page = await PusherPage.open(browser, other_origin, server)
    for transport in IN_BROWSERS:
        await page.connect(transport, [transport], auth_endpoint)
        await page.subscribe(transport, "presence-restart")
    server.signal(signal.SIGTERM)
    server.wait()
    assert "timeout graceful shutdown exceeded" not in server.log
    server.start()
    for transport in IN_BROWSERS:
        await page.received(transport, "presence-restart", "pusher:subscription_succeeded", 2)
    publish(server, "presence-restart")
    for transport in IN_BROWSERS:
        assert await page.received(transport, "presence-restart", "greeting", 1) == [{"n": 1}]


@pytest.mark.parametrize("transport", IN_BROWSERS)
async def test_no_event_is_lost_or_doubled_however_many_come(
    browser: JavaScript, server: Server, other_origin: OtherOrigin, auth_endpoint: AuthEndpoint, transport: str
) -> None:
    page = await PusherPage.open(browser, other_origin, server)
    await page.connect("ann", [transport], auth_endpoint)
    await page.subscribe("ann", f"much-{transport}")
    sent: list[str] = []
    for count in range(40, 201, 40):  # more than a stream takes, five times
        sent += publish_much(server, f"much-{transport}", 40)
        assert await page.received("ann", f"much-{transport}", "much", count) == sent
    assert await page.evaluate("clients.ann.states") == ["connected"]
    await page.evaluate("clients.ann.pusher.disconnect()")


@pytest.mark.parametrize("transport", IN_BROWSERS)
async def test_all_of_it_works_over_tls(
    browser: JavaScript, tls_server: Server, other_origin: OtherOrigin, auth_endpoint: AuthEndpoint, transport: str
) -> None:
    page = await PusherPage.open(browser, other_origin, tls_server)
    await page.connect("ann", [transport], auth_endpoint, is_tls=True)
    await page.subscribe("ann", f"private-tls-{transport}")
    event = {"name": "greeting", "channel": f"private-tls-{transport}", "data": "1"}
    url = f"{tls_server.url}/apps/{APP_ID}/events"
    assert httpx.post(url, json=event, headers=HEADERS, verify=False).status_code == 200
    assert await page.received("ann", f"private-tls-{transport}", "greeting", 1) == [1]
    await page.evaluate("clients.ann.pusher.disconnect()")
