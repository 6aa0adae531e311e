"""The pages, in a browser; the demo page has a module of its own."""

import json
from hashlib import md5
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.support.api import with_headers
from e2e.support.demo_page import DemoPage
from e2e.support.javascript import CLIENTS, JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, NewServer, Server

PUSHER_JS = CLIENTS / "node_modules/pusher-js/dist/web/pusher.min.js"


async def text(browser: JavaScript, selector: str, page: str) -> str:
    result: str = await browser.call("text", page=page, selector=selector)
    return result


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


@pytest.mark.parametrize("path", ["/demo", "/docs", "/docs/realtime"])
async def test_pages_fit_a_phone(quiet_browser: JavaScript, demo_server: Server, tmp_path: Path, path: str) -> None:
    await quiet_browser.call("open", page="phone", url=demo_server.url + path)
    await quiet_browser.call("wait_for", page="phone", selector=".listening:has-text('Subscribed'), .opblock, .message")
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
    demo = await DemoPage.opened(quiet_browser, demo_server)
    docs = await SwaggerUi.opened(quiet_browser, demo_server)
    _, response = await docs.try_out("triggerEvent")
    assert response.startswith("200")
    assert (await demo.shown("order-shipped"))["data"] == '{"orderId": 42}'


async def test_a_newcomer_fetches_a_token_and_negotiates_from_the_documentation(
    quiet_browser: JavaScript, demo_server: Server
) -> None:
    docs = await SwaggerUi.opened(quiet_browser, demo_server)
    _, response = await docs.try_out("issueToken")
    assert response.startswith("200")
    await docs.authorize(bearer=json.JSONDecoder().raw_decode(response[response.index("{") :])[0]["token"])
    _, response = await docs.try_out("negotiate")
    assert response.startswith("200")
    assert '"availableTransports"' in response


async def test_a_link_within_the_realtime_page_shows_its_message(
    quiet_browser: JavaScript, demo_server: Server
) -> None:
    await quiet_browser.call("open", page="realtime", url=f"{demo_server.url}/docs/realtime")
    await quiet_browser.call("click", page="realtime", selector="#signalr-receive-subscribe .hint a >> nth=1")
    await quiet_browser.call("wait_for", page="realtime", selector="#signalr-send-subscriptionError:target")
    title = await text(quiet_browser, "#signalr-send-subscriptionError h4", "realtime")
    assert title == "SubscriptionError"


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
