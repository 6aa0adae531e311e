"""The pages, in a browser."""

import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from hashlib import md5
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.support.api import with_headers
from e2e.support.javascript import CLIENTS, JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, NewServer, Server

PUSHER_JS = CLIENTS / "node_modules/pusher-js/dist/web/pusher.min.js"
ATTACK = "<img src=x onerror=window.attacked=true>"


@pytest.fixture(scope="session")
def shared_demo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("demo") / "server.log", is_demo=True)
    yield server
    server.stop()


@pytest.fixture
def demo_server(shared_demo_server: Server) -> Server:
    """A server as a newcomer starts it."""
    return shared_demo_server


@pytest.fixture
async def quiet_browser(browser: JavaScript) -> AsyncIterator[JavaScript]:
    """A browser that must have no reason to complain, of the Content-Security-Policy say."""
    yield browser
    assert await browser.call("complaints") == []


async def open_demo(browser: JavaScript, server: Server) -> None:
    """Open the demo page of a server with a demo app, and wait until it listens."""
    await browser.call("open", page="demo", url=server.url)
    await browser.call("wait_for", page="demo", selector=".listening:has-text('Subscribed to my-channel')")


async def text(browser: JavaScript, selector: str, page: str = "demo") -> str:
    result: str = await browser.call("text", page=page, selector=selector)
    return result


async def shown_event(browser: JavaScript, name: str) -> dict[str, str]:
    """Wait for an event on the demo page; what is shown of it."""
    row = f".event:has(.event-name:text-is({json.dumps(name)}))"
    await browser.call("wait_for", page="demo", selector=row)
    return {part: await text(browser, f"{row} .event-{part}") for part in ("channel", "data", "latency")}


def demo_app(server: Server) -> dict[str, str]:
    app: dict[str, str] = httpx.get(f"{server.url}/demo/app.json").json()["app"]
    return app


def publish_as_demo(server: Server, **event: str) -> None:
    app = demo_app(server)
    headers = {"X-Api-Key": app["key"], "X-Api-Secret": app["secret"]}
    answer = httpx.post(
        f"{server.url}/apps/{app['id']}/events", headers=headers, json={"channel": "my-channel", **event}
    )
    assert (answer.status_code, answer.text) == (200, "{}")


def run_in_shell(command: str, **environment: str) -> None:
    """Paste a line into a terminal."""
    result = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ, **environment},
    )
    assert result.stdout == "{}", result


async def test_the_line_printed_at_the_start_makes_an_event_appear(
    quiet_browser: JavaScript, demo_server: Server
) -> None:
    await open_demo(quiet_browser, demo_server)
    banner = demo_server.log
    run_in_shell(banner[banner.index("curl ") : banner.index("API documentation")])
    assert json.loads((await shown_event(quiet_browser, "hello"))["data"]) == {"text": "Hello from curl"}


async def test_the_demo_shows_what_another_program_publishes(quiet_browser: JavaScript, demo_server: Server) -> None:
    await open_demo(quiet_browser, demo_server)
    assert await text(quiet_browser, ".state") == "Connected"
    publish_as_demo(demo_server, name="order-shipped", data='{"orderId":42}')
    shown = await shown_event(quiet_browser, "order-shipped")
    assert shown == {"channel": "my-channel", "data": '{"orderId":42}', "latency": "from elsewhere"}


@pytest.mark.parametrize("data", ['{"text":"Hello, world"}', """it's "quoted" $HOME `id` \\n 'twice' ü"""])
async def test_the_demos_curl_line_works_as_it_is(quiet_browser: JavaScript, demo_server: Server, data: str) -> None:
    await open_demo(quiet_browser, demo_server)
    await quiet_browser.call("fill", page="demo", selector="#event-name", value="from-curl")
    await quiet_browser.call("fill", page="demo", selector="#event-data", value=data)
    run_in_shell(await text(quiet_browser, "#curl"))
    assert (await shown_event(quiet_browser, "from-curl"))["data"] == data


async def test_the_form_publishes_to_everyone_and_tells_the_time_it_took(
    quiet_browser: JavaScript, demo_server: Server
) -> None:
    await open_demo(quiet_browser, demo_server)
    path = f"/app/{demo_app(demo_server)['key']}?protocol=7&client=test&version=1"
    async with RawClient.opened(demo_server, path) as client:
        await client.receive()
        await client.subscribe("my-channel")
        await quiet_browser.call("fill", page="demo", selector="#event-name", value="form")
        await quiet_browser.call("click", page="demo", selector="#publish")
        event = await client.receive()
        assert (event["event"], event["data"]) == ("form", '{"text":"Hello, world"}')
    shown = await shown_event(quiet_browser, "form")
    assert shown["latency"].endswith(" ms after Publish")
    assert 0 < float(shown["latency"].split()[0]) < 10_000
    await quiet_browser.call("wait_for", page="demo", selector="#publish-result:text-is('Published on my-channel')")


async def test_the_demo_listens_on_the_channel_that_is_entered(quiet_browser: JavaScript, demo_server: Server) -> None:
    await open_demo(quiet_browser, demo_server)
    await quiet_browser.call("fill", page="demo", selector="#channel", value="other")
    await quiet_browser.call("click", page="demo", selector="#event-name")
    await quiet_browser.call("wait_for", page="demo", selector=".listening:has-text('Subscribed to other')")
    publish_as_demo(demo_server, name="unheard", data="")
    publish_as_demo(demo_server, name="heard", data="", channel="other")
    assert (await shown_event(quiet_browser, "heard"))["channel"] == "other"
    assert (
        await quiet_browser.call("evaluate", page="demo", expression="document.querySelectorAll('.event').length") == 1
    )


async def test_a_refused_subscription_is_explained(quiet_browser: JavaScript, demo_server: Server) -> None:
    await open_demo(quiet_browser, demo_server)
    await quiet_browser.call("fill", page="demo", selector="#channel", value="private-room")
    await quiet_browser.call("click", page="demo", selector="#event-name")
    await quiet_browser.call("wait_for", page="demo", selector=".listening:has-text('signature')")


async def test_html_in_an_event_is_text(quiet_browser: JavaScript, demo_server: Server) -> None:
    await open_demo(quiet_browser, demo_server)
    publish_as_demo(demo_server, name=ATTACK, data=ATTACK)
    assert (await shown_event(quiet_browser, ATTACK))["data"] == ATTACK
    long_data = json.dumps({"attack": [ATTACK, ATTACK]})
    publish_as_demo(demo_server, name="long", data=long_data)
    assert json.loads((await shown_event(quiet_browser, "long"))["data"]) == json.loads(long_data)
    await quiet_browser.call("fill", page="demo", selector="#event-data", value=ATTACK)
    images = "document.querySelectorAll('main img, main script, main iframe').length"
    assert await quiet_browser.call("evaluate", page="demo", expression=images) == 0
    assert await quiet_browser.call("evaluate", page="demo", expression="window.attacked ?? null") is None


async def test_the_demo_finds_the_demo_app_of_a_server_that_was_restarted(
    browser: JavaScript, new_server: NewServer
) -> None:
    server = new_server(is_demo=True)
    await open_demo(browser, server)
    old = demo_app(server)
    server.stop()
    await browser.call("wait_for", page="demo", selector=".state[data-state=waiting]")
    server.start()
    assert demo_app(server) != old
    await browser.call("wait_for", page="demo", selector=".state[data-state=connected]")
    await browser.call("wait_for", page="demo", selector=".listening:has-text('Subscribed to my-channel')")
    publish_as_demo(server, name="after", data="")
    await shown_event(browser, "after")
    await browser.call("click", page="demo", selector="#publish")
    await shown_event(browser, "hello")


async def enter_app(browser: JavaScript, app_id: str, key: str, secret: str) -> None:
    for field, value in (("#app-id", app_id), ("#app-key", key), ("#app-secret", secret)):
        await browser.call("fill", page="demo", selector=field, value=value)
    await browser.call("click", page="demo", selector="#own-app button")


async def test_an_operator_enters_an_app_which_only_the_pages_memory_knows(
    quiet_browser: JavaScript, server: Server
) -> None:
    await quiet_browser.call("open", page="demo", url=f"{server.url}/demo")
    await quiet_browser.call("wait_for", page="demo", selector="#own-app")
    await enter_app(quiet_browser, APP_ID, KEY, SECRET)
    await quiet_browser.call("wait_for", page="demo", selector=".listening:has-text('Subscribed to my-channel')")
    await quiet_browser.call("fill", page="demo", selector="#event-name", value="own")
    await quiet_browser.call("click", page="demo", selector="#publish")
    assert (await shown_event(quiet_browser, "own"))["latency"] != "from elsewhere"
    curl = await text(quiet_browser, "#curl")
    assert SECRET not in await text(quiet_browser, "body")
    await quiet_browser.call("evaluate", page="demo", expression="document.querySelector('.events').replaceChildren()")
    run_in_shell(curl, SKUBBER_SECRET=SECRET)
    assert (await shown_event(quiet_browser, "own"))["latency"] == "from elsewhere"
    kept = "[localStorage.length, sessionStorage.length, document.cookie, location.href]"
    assert await quiet_browser.call("evaluate", page="demo", expression=kept) == [0, 0, "", f"{server.url}/demo"]


async def test_wrong_credentials_are_explained(browser: JavaScript, server: Server) -> None:
    await browser.call("open", page="demo", url=f"{server.url}/demo")
    await browser.call("wait_for", page="demo", selector="#own-app")
    await enter_app(browser, APP_ID, "no-such-key", SECRET)
    await browser.call("wait_for", page="demo", selector=".state[data-state=stopped]:has-text('key')")
    await enter_app(browser, APP_ID, KEY, "wrong")
    await browser.call("wait_for", page="demo", selector=".state[data-state=connected]")
    await browser.call("click", page="demo", selector="#publish")
    await browser.call("wait_for", page="demo", selector="#publish-result.problem:has-text('invalid_credentials')")


async def test_pages_say_when_others_can_see_the_demo_apps_secret(
    new_server: NewServer, demo_server: Server, quiet_browser: JavaScript
) -> None:
    exposed = new_server("--host", "0.0.0.0", is_demo=True)
    for server, is_said in ((demo_server, False), (exposed, True)):
        for path in ("/demo", "/docs"):
            await quiet_browser.call("open", page=path, url=server.url + path)
            await quiet_browser.call("wait_for", page=path, selector=".listening:has-text('Subscribed'), .opblock")
            is_hidden = await quiet_browser.call(
                "evaluate", page=path, expression="document.querySelector('#exposed').hidden"
            )
            assert is_hidden is not is_said


@pytest.mark.parametrize("path", ["/demo", "/docs"])
async def test_pages_fit_a_phone(quiet_browser: JavaScript, demo_server: Server, tmp_path: Path, path: str) -> None:
    await quiet_browser.call("open", page="phone", url=demo_server.url + path)
    await quiet_browser.call("wait_for", page="phone", selector=".listening:has-text('Subscribed'), .opblock")
    await quiet_browser.call("screenshot", page="phone", path=str(tmp_path / "phone.png"), width=360, height=740)
    widths = "[document.documentElement.scrollWidth, innerWidth]"
    assert await quiet_browser.call("evaluate", page="phone", expression=widths) == [360, 360]


async def test_pusher_js_receives_in_a_browser(quiet_browser: JavaScript, server: Server) -> None:
    # Any document of the server's origin will do. The pages' own policy would keep the script out.
    await quiet_browser.call("open", page="page", url=f"{server.url}/health")
    await quiet_browser.call("add_script", page="page", path=str(PUSHER_JS))
    options = {
        "wsHost": "127.0.0.1",
        "wsPort": server.port,
        "forceTLS": False,
        "cluster": "",
        "enabledTransports": ["ws"],
    }
    script = f"""
        window.received = [];
        const channel = new Pusher({json.dumps(KEY)}, {json.dumps(options)}).subscribe("browser-channel");
        channel.bind("pusher:subscription_succeeded", () => (window.isSubscribed = true));
        channel.bind("greeting", (data) => received.push(data));
    """
    await quiet_browser.call("evaluate", page="page", expression=f"(() => {{ {script} }})()")
    await quiet_browser.call("wait_until", page="page", expression="window.isSubscribed")
    event = {"name": "greeting", "channel": "browser-channel", "data": '{"text":"Grüße"}'}
    assert with_headers(server, "POST", "/events", event).text == "{}"
    await quiet_browser.call("wait_until", page="page", expression="received.length")
    assert await quiet_browser.call("evaluate", page="page", expression="received") == [{"text": "Grüße"}]


class SwaggerUi:
    """The API's documentation, open in a browser."""

    def __init__(self, browser: JavaScript) -> None:
        self._browser = browser

    @classmethod
    async def opened(cls, browser: JavaScript, server: Server) -> "SwaggerUi":
        await browser.call("open", page="docs", url=f"{server.url}/docs")
        await browser.call("wait_for", page="docs", selector=".opblock")
        return cls(browser)

    async def evaluate(self, expression: str) -> Any:
        return await self._browser.call("evaluate", page="docs", expression=expression)

    async def authorize(self, **values: str) -> None:
        """Fill in security schemes; their names have underscores for hyphens where a name has capitals."""
        await self._click(".auth-wrapper > .authorize")
        for scheme, value in values.items():
            name = scheme.replace("_", "-") if scheme[0].isupper() else scheme
            container = f".auth-container:has(h4 code:text-is('{name}'))"
            await self._fill(f"{container} input", value)
            await self._click(f"{container} .auth.authorize")
        await self._click(".close-modal")

    async def try_out(self, operation: str, body: str | None = None, **parameters: str) -> tuple[str, str]:
        """Open an operation, fill it in and execute it; the URL requested, and what is shown as the response."""
        block = f".opblock[id$='-{operation}']"
        await self._click(f"{block} .opblock-summary-control")
        await self._click(f"{block} .try-out__btn")
        for name, value in parameters.items():
            await self._fill(f"{block} tr[data-param-name='{name}'] input", value)
        if body is not None:
            await self._fill(f"{block} .body-param__text", body)
        await self._click(f"{block} .execute")
        response = f"{block} .live-responses-table .response"
        await self._browser.call("wait_for", page="docs", selector=response)
        return await text(self._browser, f"{block} .request-url", "docs"), await text(self._browser, response, "docs")

    async def _click(self, selector: str) -> None:
        await self._browser.call("click", page="docs", selector=selector)

    async def _fill(self, selector: str, value: str) -> None:
        await self._browser.call("fill", page="docs", selector=selector, value=value)


async def test_a_newcomer_publishes_from_the_documentation_with_three_clicks(
    quiet_browser: JavaScript, demo_server: Server
) -> None:
    await open_demo(quiet_browser, demo_server)
    docs = await SwaggerUi.opened(quiet_browser, demo_server)
    _, response = await docs.try_out("triggerEvent")
    assert response.startswith("200")
    assert (await shown_event(quiet_browser, "order-shipped"))["data"] == '{"orderId": 42}'


@pytest.mark.parametrize(
    ("credentials", "names"),
    [
        ({"X_Api_Key": KEY, "X_Api_Secret": SECRET}, set()),
        ({"apiKey": KEY, "apiSecret": SECRET}, {"apiKey", "apiSecret"}),
        (
            {"auth_key": KEY, "auth_signature": SECRET},
            {"auth_key", "auth_timestamp", "auth_version", "body_md5", "auth_signature"},
        ),
        (
            # A wrong secret beside: were it sent, it would be refused.
            {"X_Api_Key": KEY, "X_Api_Secret": "wrong", "auth_key": KEY, "auth_signature": SECRET},
            {"auth_key", "auth_timestamp", "auth_version", "body_md5", "auth_signature"},
        ),
    ],
    ids=["headers", "query", "signature", "signature-and-headers"],
)
async def test_each_way_to_authenticate_publishes_from_the_documentation(
    quiet_browser: JavaScript, server: Server, credentials: dict[str, str], names: set[str]
) -> None:
    docs = await SwaggerUi.opened(quiet_browser, server)
    await docs.authorize(**credentials)
    async with RawClient.connected(server) as client:
        await client.subscribe("docs-channel")
        body = json.dumps({"name": "tried-out", "channel": "docs-channel", "data": "Grüße & 50 %"}, ensure_ascii=False)
        url, response = await docs.try_out("triggerEvent", body, appId=APP_ID)
        assert response.startswith("200")
        event = await client.receive()
        assert (event["event"], event["data"]) == ("tried-out", "Grüße & 50 %")
    assert set(httpx.URL(url.strip().removeprefix("Request URL").strip()).params) == names
    if "auth_signature" in names:
        assert SECRET not in url


async def test_signed_queries_and_paths_are_right_too(quiet_browser: JavaScript, server: Server) -> None:
    docs = await SwaggerUi.opened(quiet_browser, server)
    await docs.authorize(auth_key=KEY, auth_signature=SECRET)
    async with RawClient.connected(server) as client:
        await client.subscribe("odd@name,1;a=b")
        parameters = {"filter_by_prefix": "odd@name,1;a=", "info": "subscription_count"}
        _, response = await docs.try_out("listChannels", appId=APP_ID, **parameters)
        assert response.startswith("200")
        assert '"odd@name,1;a=b"' in response
        _, response = await docs.try_out("showChannel", appId=APP_ID, channelName="odd@name,1;a=b")
        assert response.startswith("200")
        assert '"subscription_count": 1' in response


async def test_half_a_signature_is_not_sent(quiet_browser: JavaScript, server: Server) -> None:
    docs = await SwaggerUi.opened(quiet_browser, server)
    await docs.authorize(auth_signature=SECRET)
    url, response = await docs.try_out("listChannels", appId=APP_ID)
    assert "Authorize with both auth_key and auth_signature." in response
    assert SECRET not in url


async def test_a_page_that_cannot_sign_says_why(quiet_browser: JavaScript, server: Server) -> None:
    docs = await SwaggerUi.opened(quiet_browser, server)
    # As on a page from http:// and another machine.
    await docs.evaluate("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    await docs.authorize(auth_key=KEY, auth_signature=SECRET)
    url, response = await docs.try_out("listChannels", appId=APP_ID)
    assert "WebCrypto" in response
    assert "https://" in response
    assert SECRET not in url


async def test_md5_is_that_of_rfc_1321(quiet_browser: JavaScript, server: Server) -> None:
    await quiet_browser.call("open", page="page", url=f"{server.url}/docs")
    lengths = [*range(140), 1000, 10_240]
    script = f"""import("/assets/md5.js").then(({{ md5 }}) =>
        {lengths}.map((length) => md5(Uint8Array.from({{ length }}, (_, position) => (position * 7) % 256))))"""
    digests = await quiet_browser.call("evaluate", page="page", expression=script)
    assert digests == [md5(bytes(position * 7 % 256 for position in range(length))).hexdigest() for length in lengths]
