"""nginx, Caddy and HAProxy as they are configured under ``deploy/``, each in front of two servers."""

import asyncio
import secrets
import signal
import ssl
from functools import partial
from pathlib import Path

import httpx
import pytest

from conftest import go_without
from deploy.front import FRONTS, Front, Site
from e2e.support.api import HEADERS
from e2e.support.javascript import JavaScript, Message
from e2e.support.pusher_js import client_options
from e2e.support.server import APP_ID, KEY, Endpoint
from e2e.support.signalr import SERVER_SENT_EVENTS, TOKEN_PATH, TRANSPORTS, SignalR, access_token, publish
from e2e.support.signalr_raw import HANDSHAKE, RawHttp, call

RECONNECT = [0, *[200] * 100]
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 18)]
"""Of this machine, too: clients that come from elsewhere."""


def from_address(front: Front, address: str) -> httpx.AsyncClient:
    """An HTTP client of an address."""
    transport = httpx.AsyncHTTPTransport(
        verify=ssl.create_default_context(cafile=front.certificate), local_address=address
    )
    return httpx.AsyncClient(base_url=front.url, transport=transport, timeout=30)


async def connect(javascript: JavaScript, front: Endpoint, client: str, transport: str = "ws") -> None:
    """Connect pusher-js through the front and subscribe it to ``c``."""
    options = client_options(front)
    options |= {"enabledTransports": [transport], "httpHost": "127.0.0.1", "httpsPort": front.port}
    await javascript.call("connect", client=client, key=KEY, options=options)
    await javascript.state(client, "connected")
    await javascript.call("subscribe", client=client, channel="c")
    await javascript.event(client, "c", "pusher:subscription_succeeded")


@pytest.mark.parametrize("kind", FRONTS, ids=lambda kind: kind.program)
def test_the_program_accepts_the_configuration(
    kind: type[Front], tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    if kind.find() is None:
        go_without("A front", kind.program)
    result = kind(tmp_path, certificate, [5187, 5188]).check()
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("transport", ["ws", "xhr_streaming", "xhr_polling"])
async def test_pusher_js_hears_what_is_published(javascript: JavaScript, front: Front, transport: str) -> None:
    # An event is small: a front that gathers what it passes on would keep it.
    await connect(javascript, front, "ann", transport)
    for data in ('"one"', '"two"'):
        publish(front, "c", data=data)
        assert (await javascript.event("ann", "c", "greeting"))["data"] == data.strip('"')


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_signalr_hears_what_is_published(signalr: SignalR, front: Front, transport: str) -> None:
    await signalr.connect(front, "ann", (transport, "json"))
    await signalr.subscribe("ann", "c")
    for data in ("one", "two"):
        publish(front, "c", data=data)
        (delivery,) = await signalr.called("ann", "Event")
        assert delivery["data"] == data


async def test_a_browser_connects_beside_http_2(browser: JavaScript, front: Front) -> None:
    # Over HTTP/2 an upgrade is something else (RFC 8441): a front translates it, or lets the browser use HTTP/1.1.
    await browser.call("open", page="any", url=f"{front.url}/health")
    protocol = "performance.getEntriesByType('navigation')[0].nextHopProtocol"
    assert await browser.call("evaluate", page="any", expression=protocol) == "h2"
    greeting = f"""new Promise((resolve, reject) => {{
        const socket = new WebSocket("{front.websocket_url}/app/{KEY}?protocol=7");
        socket.onmessage = (message) => resolve(JSON.parse(message.data).event);
        socket.onclose = ({{ code }}) => reject(new Error(`closed with ${{code}}`));
    }})"""
    established = await browser.call("evaluate", page="any", expression=greeting)
    assert established == "pusher:connection_established"


async def test_who_breaks_a_stream_off_is_gone(signalr: SignalR, front: Front) -> None:
    # Else the server would find out after signalr_client_timeout, 30 s, which is longer than this waits.
    await signalr.connect(front, "ann", (SERVER_SENT_EVENTS, "json"))
    await signalr.subscribe("ann", "presence-c")
    async with RawHttp.negotiated(front, access_token(front, userId="bob", channels=["*"])) as bob:
        async with bob.event_stream():
            await bob.post(HANDSHAKE)
            await bob.post(call("Subscribe", "presence-c"))
            await signalr.called("ann", "MemberAdded")
        (removed,) = await signalr.called("ann", "MemberRemoved")
        assert removed["userId"] == "bob"


async def test_a_hub_connection_stays_with_one_server_and_clients_are_spread(site: Site) -> None:
    token = access_token(site.front)
    for address in ADDRESSES:
        async with from_address(site.front, address) as http:
            negotiated = await http.post("/push/negotiate", params={"negotiateVersion": "1", "access_token": token})
            connection = {"id": negotiated.json()["connectionToken"], "access_token": token}
            assert (await http.get("/push", params=connection)).status_code == 200
            assert (await http.delete("/push", params=connection)).status_code == 202
    for server in site.servers:
        server.wait_for_log("/push/negotiate")


async def test_wrong_guesses_are_those_of_the_clients_own_address(front: Front) -> None:
    lie = {"X-Forwarded-For": "198.51.100.1"}
    async with from_address(front, "127.0.1.1") as guesser, from_address(front, "127.0.1.2") as other:
        while 401 in await guesses(guesser, 4):  # by one server and the other
            pass
        assert (await guesses(guesser, 30, lie)).count(429) > 20  # one in five seconds is allowed
        assert await guesses(other, 4) == [401] * 4


async def guesses(http: httpx.AsyncClient, count: int, headers: dict[str, str] | None = None) -> list[int]:
    """Ask for tokens with made-up keys, none of them twice; returns the statuses."""
    answers = [
        await http.post(TOKEN_PATH, json={"apiKey": secrets.token_hex(), "apiSecret": "x"}, headers=headers)
        for _ in range(count)
    ]
    return [answer.status_code for answer in answers]


def test_no_publish_is_lost_to_a_server_that_is_gone(site: Site) -> None:
    gone, _ = site.servers
    gone.signal(signal.SIGTERM)
    gone.wait()
    for _ in "1234":  # it is the turn of either
        publish(site.front, "c")
    gone.start()


async def test_clients_of_a_server_that_stops_come_back_by_the_other(
    javascript: JavaScript, signalr: SignalR, site: Site
) -> None:
    pushers = [f"pusher-{number}" for number in range(4)]
    for client in pushers:
        await connect(javascript, site.front, client)
    for transport in TRANSPORTS:
        await signalr.connect(site.front, transport, (transport, "json"), reconnect=RECONNECT, resubscribe=["c"])
        await signalr.subscribe(transport, "c")
    one, two = site.servers
    one.signal(signal.SIGTERM)
    one.wait()
    await until_all_hear(site.front, "one", javascript, pushers, signalr)
    one.start()
    two.signal(signal.SIGTERM)
    two.wait()
    await until_all_hear(site.front, "two", javascript, pushers, signalr)
    two.start()


async def until_all_hear(
    front: Front, event: str, javascript: JavaScript, pushers: list[str], signalr: SignalR
) -> None:
    """Publish an event again and again until every client has had it once."""
    waiting = [
        *(javascript.message(partial(is_event, client=name, event=event), 60) for name in pushers),
        *(signalr.message(partial(is_call, client=name, event=event), 60) for name in TRANSPORTS),
    ]
    everybody = asyncio.gather(*waiting)
    async with from_address(front, "127.0.0.1") as http:
        while not everybody.done():
            body = {"name": event, "channel": "c", "data": "d"}
            # With the other server just back, a front may not have noticed yet.
            answer = await http.post(f"/apps/{APP_ID}/events", headers=HEADERS, json=body)
            assert answer.status_code in {200, 502, 503}, answer.text
            await asyncio.wait([everybody], timeout=0.1)
    await everybody


def is_event(message: Message, client: str, event: str) -> bool:
    """Whether a pusher-js client has had an event."""
    return message["kind"] == "event" and (message["client"], message["event"]) == (client, event)


def is_call(message: Message, client: str, event: str) -> bool:
    """Whether a SignalR client has."""
    is_delivery = message["kind"] == "call" and (message["client"], message["target"]) == (client, "Event")
    return is_delivery and message["args"][0]["event"] == event
