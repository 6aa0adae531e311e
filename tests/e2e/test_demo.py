"""The demo page, in a browser."""

import json
from pathlib import Path

import pytest

from e2e.support.demo_page import CLIENTS, DemoPage, demo_app, publish_as_demo, run_in_shell
from e2e.support.javascript import JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, NewServer, Server
from server.live import LiveServer
from skubber.web import pages

ATTACK = "<img src=x onerror=window.attacked=true>"


@pytest.fixture
async def demo(quiet_browser: JavaScript, demo_server: Server) -> DemoPage:
    """The page of a server as a newcomer starts it; both clients listen to my-channel."""
    return await DemoPage.opened(quiet_browser, demo_server)


async def test_the_line_printed_at_the_start_makes_an_event_appear(demo: DemoPage, demo_server: Server) -> None:
    banner = demo_server.log
    run_in_shell(banner[banner.index("curl ") : banner.index("API documentation")])
    for client in CLIENTS:
        assert json.loads((await demo.shown("hello", client))["data"]) == {"text": "Hello from curl"}


async def test_both_clients_show_what_another_program_publishes(demo: DemoPage, demo_server: Server) -> None:
    publish_as_demo(demo_server, name="order-shipped", data='{"orderId":42}')
    for client in CLIENTS:
        assert await demo.text(f"#{client}-client .state") == "Connected"
        assert await demo.shown("order-shipped", client) == {
            "channel": "my-channel",
            "data": '{"orderId":42}',
            "origin": "from elsewhere",
        }


@pytest.mark.parametrize("data", ['{"text":"Hello, world"}', """it's "quoted" $HOME `id` \\n 'twice' ü"""])
async def test_the_curl_line_works_as_it_is(demo: DemoPage, data: str) -> None:
    await demo.fill("#event-name", "from-curl")
    await demo.fill("#event-data", data)
    run_in_shell(await demo.text("#curl"))
    assert (await demo.shown("from-curl"))["data"] == data


async def test_the_form_publishes_to_everyone_and_tells_the_time_it_took(demo: DemoPage, demo_server: Server) -> None:
    path = f"/app/{demo_app(demo_server)['key']}?protocol=7&client=test&version=1"
    async with RawClient.opened(demo_server, path) as client:
        await client.receive()
        await client.subscribe("my-channel")
        await demo.fill("#event-name", "form")
        await demo.click("#publish")
        event = await client.receive()
        assert (event["event"], event["data"]) == ("form", '{"text":"Hello, world"}')
    for name in CLIENTS:
        origin = (await demo.shown("form", name))["origin"]
        assert origin.endswith(" ms after Publish")
        assert 0 < float(origin.split()[0]) < 10_000
    await demo.wait_for("#publish-result:text-is('Published on my-channel')")


async def test_both_clients_listen_on_the_channel_that_is_entered(demo: DemoPage, demo_server: Server) -> None:
    await demo.enter_channel("other")
    await demo.listens_to("other")
    publish_as_demo(demo_server, name="unheard", data="")
    publish_as_demo(demo_server, name="heard", data="", channel="other")
    for client in CLIENTS:
        assert (await demo.shown("heard", client))["channel"] == "other"
    assert await demo.evaluate("document.querySelectorAll('.event').length") == len(CLIENTS)


async def test_clients_of_both_protocols_see_and_hear_each_other(demo: DemoPage) -> None:
    await demo.click("[data-channel=presence-room]")
    await demo.listens_to("presence-room")
    for client in CLIENTS:
        for name in ("Pusher client", "SignalR client"):
            await demo.wait_for(f"#{client}-client .members:has-text('{name}')")
    for sender, receiver in (CLIENTS, CLIENTS[::-1]):
        await demo.fill(f"#{sender}-client .say input", f"Hello from {sender}")
        await demo.click(f"#{sender}-client .say button")
        row = f'#{receiver}-client .event:has(.event-data:text-is(\'{{"text":"Hello from {sender}"}}\'))'
        await demo.wait_for(f"{row} .event-name:text-is('client-message')")
        assert (await demo.text(f"{row} .event-origin")).endswith(" ms after Send")
    sent = ".event:has(.event-origin:text-is('sent from here'))"
    assert await demo.text(f"#signalr-client {sent} .event-data") == '{"text":"Hello from signalr"}'


async def test_another_page_is_another_pair_of_users(demo: DemoPage, browser: JavaScript, demo_server: Server) -> None:
    await demo.click("[data-channel=presence-room]")
    await demo.listens_to("presence-room")
    await browser.call("open", page="second", url=f"{demo_server.url}/demo")
    await browser.call("wait_for", page="second", selector="#signalr-client .listening:has-text('Subscribed')")
    await browser.call("click", page="second", selector="[data-channel=presence-room]")
    for client in CLIENTS:
        await browser.call("wait_for", page="second", selector=f"#{client}-client .say")
    await browser.call("fill", page="second", selector="#signalr-client .say input", value="Hello")
    await browser.call("click", page="second", selector="#signalr-client .say button")
    for client in CLIENTS:
        assert (await demo.shown("client-message", client))["origin"] == "from SignalR client"
        members = await demo.text(f"#{client}-client .members")
        assert (members.count("Pusher client"), members.count("SignalR client")) == (2, 2)
    await browser.call("evaluate", page="second", expression="location.href = '/health'")
    await demo.wait_for("#pusher-client .members:text-matches('^Here: [a-zA-Z]+ client, [a-zA-Z]+ client$')")


async def test_clients_cannot_talk_on_a_public_channel(demo: DemoPage) -> None:
    assert await demo.evaluate("[...document.querySelectorAll('.say')].every((form) => form.hidden)") is True


async def test_a_refused_subscription_is_explained(demo: DemoPage) -> None:
    await demo.enter_channel("no spaces")
    for client in CLIENTS:
        await demo.wait_for(f"#{client}-client .listening:has-text('Channel names consist of')")


async def test_html_in_an_event_is_text(demo: DemoPage, demo_server: Server) -> None:
    publish_as_demo(demo_server, name=ATTACK, data=ATTACK)
    long_data = json.dumps({"attack": [ATTACK, ATTACK]})
    publish_as_demo(demo_server, name="long", data=long_data)
    for client in CLIENTS:
        assert (await demo.shown(ATTACK, client))["data"] == ATTACK
        assert json.loads((await demo.shown("long", client))["data"]) == json.loads(long_data)
    await demo.fill("#event-data", ATTACK)
    assert await demo.evaluate("document.querySelectorAll('main img, main script, main iframe').length") == 0
    assert await demo.evaluate("window.attacked ?? null") is None


async def test_the_page_finds_the_demo_app_of_a_server_that_was_restarted(
    browser: JavaScript, new_server: NewServer, web_assets: None
) -> None:
    server = new_server(is_demo=True)
    demo = await DemoPage.opened(browser, server)
    old = demo_app(server)
    server.stop()
    for client in CLIENTS:
        await demo.wait_for(f"#{client}-client .state[data-state=waiting]")
    server.start()
    assert demo_app(server) != old
    await demo.listens_to("my-channel")
    publish_as_demo(server, name="after", data="")
    await demo.click("#publish")
    for client in CLIENTS:
        await demo.shown("after", client)
        await demo.shown("hello", client)


async def test_an_operator_enters_an_app_which_only_the_pages_memory_knows(
    quiet_browser: JavaScript, server: Server, web_assets: None
) -> None:
    demo = DemoPage(quiet_browser, server.url)
    await demo.open()
    await demo.enter_app(APP_ID, KEY, SECRET)
    await demo.listens_to("my-channel")
    await demo.fill("#event-name", "own")
    await demo.click("#publish")
    for client in CLIENTS:
        assert (await demo.shown("own", client))["origin"] != "from elsewhere"
    curl = await demo.text("#curl")
    assert SECRET not in await demo.text("body")
    await demo.evaluate("document.querySelector('.events').replaceChildren()")
    run_in_shell(curl, SKUBBER_SECRET=SECRET)
    assert (await demo.shown("own"))["origin"] == "from elsewhere"
    kept = "[localStorage.length, sessionStorage.length, document.cookie, location.href]"
    assert await demo.evaluate(kept) == [0, 0, "", f"{server.url}/demo"]


async def test_wrong_credentials_are_explained(browser: JavaScript, server: Server, web_assets: None) -> None:
    demo = DemoPage(browser, server.url)
    await demo.open()
    await demo.enter_app(APP_ID, "no-such-key", SECRET)
    await demo.wait_for("#pusher-client .state[data-state=stopped]:has-text('key')")
    await demo.wait_for("#signalr-client .state[data-state=stopped]:has-text('invalid_credentials')")
    await demo.enter_app(APP_ID, KEY, "wrong")
    await demo.wait_for("#pusher-client .state[data-state=connected]")
    await demo.wait_for("#signalr-client .state[data-state=stopped]:has-text('invalid_credentials')")
    await demo.click("#publish")
    await demo.wait_for("#publish-result.problem:has-text('invalid_credentials')")


async def test_a_page_without_microsofts_client_says_how_to_get_it(
    quiet_browser: JavaScript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_SIGNALR_SCRIPT", tmp_path / "signalr.min.js")
    async with LiveServer() as server:
        demo = DemoPage(quiet_browser, f"http://127.0.0.1:{server.port}")
        await demo.open()
        await demo.enter_app(APP_ID, KEY, SECRET)
        await demo.wait_for("#signalr-client .listening:has-text('make run')")
        await demo.wait_for("#pusher-client .listening:has-text('Subscribed')")
        await demo.click("#publish")
        await demo.shown("hello")
        assert await demo.text("#signalr-client .state") == "Not set up"
        await quiet_browser.call("close", page="demo")
