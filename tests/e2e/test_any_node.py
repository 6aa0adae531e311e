"""Clients whose requests land on one server after another, as behind a load balancer that knows no stickiness."""

import asyncio
import itertools
import json
import os
import secrets
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import require
from e2e.support.api import HEADERS, error_code, with_headers
from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.balancer import Balancer
from e2e.support.javascript import JavaScript
from e2e.support.other_origin import OtherOrigin
from e2e.support.pusher_js import client_options, publish, subscribe
from e2e.support.pusher_page import PusherPage
from e2e.support.server import APP_ID, EXECUTABLE, KEY, Server
from e2e.support.signalr import (
    LONG_POLLING,
    SERVER_SENT_EVENTS,
    TOKEN_PATH,
    WAYS,
    WEBSOCKETS,
    SignalR,
    Way,
    access_token,
    hub_url,
    publish_numbers,
)
from e2e.support.signalr_raw import HANDSHAKE
from support.redis import RedisServer

LEASE = 2

AT_ONCE = [0, *([100] * 100)]
"""Delays between attempts to reconnect, milliseconds."""

BY_REQUESTS = [(SERVER_SENT_EVENTS, "json"), (LONG_POLLING, "json"), (LONG_POLLING, "messagepack")]
"""Where clients send by requests of their own."""

IN_NODE = ["xhr_streaming", "xhr_polling"]

Pair = tuple[Server, Server]


def start_pair(redis_url: str, new_server: Callable[..., Server]) -> Pair:
    """Start two servers that share nothing but a Redis."""
    flags = ("--set", f"broker={redis_url}", "--set", f"broker_lease={LEASE}", "--set", "database=")
    return new_server(*flags), new_server(*flags)


@pytest.fixture(scope="module")
def shared_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two servers that live on: each test has its own channels."""
    require("A test with Redis", "redis-server")
    redis = RedisServer()
    directory = tmp_path_factory.mktemp("pair")
    logs = (directory / f"{number}.log" for number in itertools.count())
    pair = start_pair(redis.url, lambda *flags: Server(next(logs), *flags))
    yield pair
    for server in pair:
        server.stop()
    redis.kill()


@pytest.fixture
def pair(redis_server: RedisServer, new_server: Callable[..., Server]) -> Pair:
    """Two servers, to be stopped and killed."""
    return start_pair(redis_server.url, new_server)


@pytest.fixture(params=["by connection", "by request"])
async def balancer(request: pytest.FixtureRequest, shared_pair: Pair) -> AsyncIterator[Balancer]:
    """What is in front of the servers: it changes over with every connection, or with every request."""
    async with Balancer.before(shared_pair, reuses_connections=request.param == "by connection") as balancer:
        yield balancer


@pytest.fixture
async def by_request(shared_pair: Pair) -> AsyncIterator[Balancer]:
    """A balancer that changes over with every request."""
    async with Balancer.before(shared_pair, reuses_connections=False) as balancer:
        yield balancer


@pytest.fixture
async def before_pair(pair: Pair) -> AsyncIterator[Balancer]:
    """Likewise, before servers to be stopped and killed."""
    async with Balancer.before(pair, reuses_connections=False) as balancer:
        yield balancer


@pytest.fixture
def channel() -> str:
    """A presence channel that no other test has."""
    return f"presence-{secrets.token_hex(4)}"


async def connect(signalr: SignalR, balancer: Balancer, pair: Pair, client: str, way: Way, **options: Any) -> str:
    """Connect a SignalR client by way of the balancer, with a token that the first server has issued."""
    token = access_token(pair[0], userId=client, channels=["*"], userInfo={"name": client})
    return await signalr.connect(pair[0], client, way, balancer.through(hub_url(pair[0], token)), **options)


class TestSignalR:
    @pytest.mark.parametrize("way", WAYS, ids="-".join)
    async def test_everything_works_wherever_requests_land(
        self, signalr: SignalR, balancer: Balancer, shared_pair: Pair, way: Way, channel: str
    ) -> None:
        await connect(signalr, balancer, shared_pair, "ann", way)
        await signalr.subscribe("ann", channel)
        await connect(signalr, balancer, shared_pair, "bob", way)
        roster = await signalr.subscribe("bob", channel)
        assert sorted(member["userId"] for member in roster["members"]) == ["ann", "bob"]
        assert (await signalr.called("ann", "MemberAdded"))[0]["userId"] == "bob"
        await signalr.invoke("bob", "Trigger", channel, "client-typing", {"on": True})
        typed = (await signalr.called("ann", "Event"))[0]
        assert (typed["event"], typed["data"], typed["userId"]) == ("client-typing", {"on": True}, "bob")
        await signalr.call("stream", client="ann", stream="s", method="StreamEvents", args=[f"streamed-{channel}"])
        await signalr.invoke("ann", "Unsubscribe", "nothing")  # the stream is open once this is answered
        await asyncio.to_thread(publish, shared_pair[1], f"streamed-{channel}", "e", "d")
        item = (await signalr.message(lambda m: m.get("stream") == "s"))["item"]
        assert (item["event"], item["data"]) == ("e", "d")
        await signalr.call("stop", client="bob")
        assert (await signalr.called("ann", "MemberRemoved"))[0]["userId"] == "bob"
        assert not signalr.unexpected("ann")
        # With a WebSocket there are but two requests for each client, and one of them may be by way of a kept
        # connection.
        assert len({port for _, port in balancer.requests}) == 2

    @pytest.mark.parametrize("way", WAYS, ids="-".join)
    async def test_events_arrive_in_order_and_once_while_the_client_sends(
        self, signalr: SignalR, by_request: Balancer, shared_pair: Pair, way: Way, channel: str
    ) -> None:
        await connect(signalr, by_request, shared_pair, "ann", way)
        await signalr.subscribe("ann", channel)

        async def send() -> None:
            for number in range(30):
                await signalr.invoke("ann", "Subscribe", f"other-{number}")

        sending = asyncio.create_task(send())
        for start in range(0, 300, 20):
            server = shared_pair[start // 20 % 2]
            await asyncio.to_thread(publish_numbers, server, channel, range(start, start + 20))
        assert await signalr.numbers("ann", 300) == list(range(300))
        await sending
        if way[0] != WEBSOCKETS:
            assert len(by_request.ports_of("POST /push")) == 2
        if way[0] == LONG_POLLING:
            assert len(by_request.ports_of("GET /push")) == 2

    async def test_calls_are_done_in_the_order_in_which_they_are_made(
        self, signalr: SignalR, by_request: Balancer, shared_pair: Pair
    ) -> None:
        for way in BY_REQUESTS:
            client = "-".join(way)
            await connect(signalr, by_request, shared_pair, client, way)
            for number in range(20):
                await signalr.call("send", client=client, method="Subscribe", args=[f"{client}-{number}"])
            done = [(await signalr.called(client, "SubscriptionSucceeded"))[0]["channel"] for _ in range(20)]
            assert done == [f"{client}-{number}" for number in range(20)]

    @pytest.mark.parametrize("protocol", ["json", "messagepack"])
    async def test_without_negotiation_there_is_nothing_to_find(
        self, signalr: SignalR, balancer: Balancer, shared_pair: Pair, protocol: str, channel: str
    ) -> None:
        for client in ("ann", "bob"):
            await connect(signalr, balancer, shared_pair, client, (WEBSOCKETS, protocol), skipNegotiation=True)
            await signalr.subscribe(client, channel)
        await asyncio.to_thread(publish_numbers, shared_pair[0], channel, range(10))
        for client in ("ann", "bob"):
            assert await signalr.numbers(client, 10) == list(range(10))
        assert len(balancer.ports_of("GET /push")) == 2

    @pytest.mark.parametrize("way", BY_REQUESTS, ids="-".join)
    async def test_when_the_owner_is_killed_the_client_comes_back_elsewhere(
        self, signalr: SignalR, before_pair: Balancer, pair: Pair, way: Way
    ) -> None:
        first_id = await connect(signalr, before_pair, pair, "ann", way, reconnect=AT_ONCE, resubscribe=["c"])
        await signalr.subscribe("ann", "c")
        owner, other = owner_first(before_pair, pair)
        before_pair.leave_out(owner)
        owner.signal(signal.SIGKILL)
        await signalr.told("ann", "reconnecting")
        assert (await signalr.told("ann", "reconnected"))["connectionId"] != first_id
        await signalr.called("ann", "SubscriptionSucceeded")
        await asyncio.to_thread(publish_numbers, other, "c", range(3))
        assert await signalr.numbers("ann", 3) == [0, 1, 2]

    @pytest.mark.parametrize("way", BY_REQUESTS, ids="-".join)
    async def test_when_the_owner_stops_the_client_is_told_and_comes_back_elsewhere(
        self, signalr: SignalR, before_pair: Balancer, pair: Pair, way: Way
    ) -> None:
        await connect(signalr, before_pair, pair, "ann", way, reconnect=AT_ONCE, resubscribe=["c"])
        await signalr.subscribe("ann", "c")
        owner, _ = owner_first(before_pair, pair)
        before_pair.leave_out(owner)
        owner.signal(signal.SIGTERM)
        assert "restarting" in (await signalr.told("ann", "reconnecting"))["error"]
        await signalr.told("ann", "reconnected")

    @pytest.mark.parametrize("way", BY_REQUESTS, ids="-".join)
    async def test_a_server_that_stops_takes_nothing_from_the_clients_of_others(
        self, signalr: SignalR, before_pair: Balancer, pair: Pair, way: Way
    ) -> None:
        await connect(signalr, before_pair, pair, "ann", way)
        await signalr.subscribe("ann", "c")
        owner, other = owner_first(before_pair, pair)
        before_pair.leave_out(other)
        other.signal(signal.SIGTERM)
        await asyncio.to_thread(other.wait)
        assert "timeout graceful shutdown exceeded" not in other.log
        await asyncio.to_thread(publish_numbers, owner, "c", range(20))
        assert await signalr.numbers("ann", 20) == list(range(20))
        await signalr.invoke("ann", "Unsubscribe", "c")
        assert not signalr.unexpected("ann")

    @pytest.mark.parametrize("protocol", ["json", "messagepack"])
    async def test_who_would_resume_on_another_server_comes_back_as_a_new_connection(
        self, signalr: SignalR, by_request: Balancer, shared_pair: Pair, protocol: str, channel: str
    ) -> None:
        options = {"resume": True, "reconnect": AT_ONCE, "resubscribe": [channel]}
        first_id = await connect(signalr, by_request, shared_pair, "ann", (WEBSOCKETS, protocol), **options)
        await signalr.subscribe("ann", channel)
        by_request.cut()  # the next turn is the other server's
        await signalr.told("ann", "reconnecting")
        assert (await signalr.told("ann", "reconnected"))["connectionId"] != first_id
        await signalr.called("ann", "SubscriptionSucceeded")
        await asyncio.to_thread(publish_numbers, shared_pair[0], channel, range(3))
        assert await signalr.numbers("ann", 3) == [0, 1, 2]

    @pytest.mark.parametrize("way", WAYS, ids="-".join)
    async def test_a_user_is_terminated_wherever_its_requests_land(
        self, signalr: SignalR, by_request: Balancer, shared_pair: Pair, way: Way
    ) -> None:
        for number, server in enumerate(shared_pair):
            client = f"ann{number}"
            await connect(signalr, by_request, shared_pair, client, way, reconnect=AT_ONCE)
            answer = await asyncio.to_thread(with_headers, server, "POST", f"/users/{client}/terminate_connections")
            assert answer.status_code == 200
            assert "terminated by the application" in (await signalr.told(client, "closed"))["error"]


@pytest.mark.parametrize("way", BY_REQUESTS, ids="-".join)
async def test_the_connections_of_a_revoked_key_end_wherever_their_requests_land(
    signalr: SignalR, redis_server: RedisServer, new_server: Callable[..., Server], tmp_path: Path, way: Way
) -> None:
    database = str(tmp_path / "apps.db")
    flags = ("--set", f"broker={redis_server.url}", "--set", f"database={database}")
    pair = [new_server(*flags, working_directory=tmp_path) for _ in range(2)]
    key = json.loads(administer(tmp_path, database, "apps create shop --json"))["key"]
    token = await token_of_all(pair, key["key"], key["secret"])
    async with Balancer.before(pair, reuses_connections=False) as balancer:
        url = balancer.through(hub_url(pair[0], token))
        for client in ("ann", "bob"):
            await signalr.connect(pair[0], client, way, url, reconnect=AT_ONCE)
            await signalr.subscribe(client, "c")
        await asyncio.to_thread(administer, tmp_path, database, f"keys revoke --yes shop {key['key']}")
        for client in ("ann", "bob"):
            assert "revoked" in (await signalr.told(client, "closed"))["error"]


def administer(directory: Path, database: str, command: str) -> str:
    """Run a command of skubber's; returns what it prints."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "SKUBBER_DATABASE": database}
    command_line = [str(EXECUTABLE), *command.split()]
    return subprocess.check_output(command_line, cwd=directory, env=environment, text=True, timeout=60)


async def token_of_all(servers: list[Server], key: str, secret: str) -> str:
    """A token, once all servers have noticed that the app is there."""
    async with asyncio.timeout(10):
        for server in servers:
            while (answer := await ask_for_token(server, key, secret)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    token: str = answer.json()["token"]
    return token


async def ask_for_token(server: Server, key: str, secret: str) -> httpx.Response:
    """Ask as a back end does."""
    async with httpx.AsyncClient() as http:
        return await http.post(server.url + TOKEN_PATH, json={"apiKey": key, "apiSecret": secret})


async def test_a_poll_that_waits_for_a_server_that_is_killed_is_not_found(pair: Pair) -> None:
    owner, other = pair
    query = {"access_token": access_token(owner), "negotiateVersion": "1"}
    async with httpx.AsyncClient(timeout=30) as http:
        negotiated = (await http.post(f"{other.url}/push/negotiate", params=query)).json()
        query["id"] = negotiated["connectionToken"]
        assert (await http.get(f"{owner.url}/push", params=query)).status_code == 200
        assert (await http.post(f"{other.url}/push", params=query, content=HANDSHAKE)).status_code == 200
        assert (await http.get(f"{other.url}/push", params=query)).content == b"{}\x1e"
        poll = asyncio.create_task(http.get(f"{other.url}/push", params=query))
        owner.signal(signal.SIGKILL)
        answer = await poll
    assert (answer.status_code, error_code(answer)) == (404, "no_such_connection")


def owner_first(balancer: Balancer, pair: Pair) -> Pair:
    """The server that has the one SignalR connection there is, then the other: it got the first GET."""
    port = next(port for request, port in balancer.requests if request.startswith("GET /push"))
    one, two = pair
    return (one, two) if one.port == port else (two, one)


class TestPusher:
    @pytest.mark.parametrize("transport", IN_NODE)
    async def test_node_lives_without_websockets(
        self,
        javascript: JavaScript,
        balancer: Balancer,
        shared_pair: Pair,
        auth_endpoint: AuthEndpoint,
        transport: str,
        channel: str,
    ) -> None:
        for user in ("ann", "bob"):
            await connect_pusher(javascript, balancer, shared_pair, user, transport, auth_endpoint)
            await subscribe(javascript, user, channel)
        added = await javascript.event("ann", channel, "pusher:member_added")
        assert added["data"]["id"] == "bob"
        for server in shared_pair:
            await asyncio.to_thread(publish, server, channel, data='{"text":"ü\\n€"}')
            for user in ("ann", "bob"):
                assert (await javascript.event(user, channel, "greeting"))["data"] == {"text": "ü\n€"}
        await javascript.call("trigger", client="bob", channel=channel, event="client-typing", data={"on": True})
        assert (await javascript.event("ann", channel, "client-typing"))["data"] == {"on": True}
        await asyncio.to_thread(with_headers, shared_pair[0], "POST", "/users/bob/terminate_connections")
        error = await javascript.message(lambda m: m["kind"] == "error" and m["client"] == "bob")
        assert error["error"]["data"]["code"] == 4009
        await javascript.state("bob", "disconnected")
        await javascript.event("ann", channel, "pusher:member_removed")
        await javascript.call("disconnect", client="ann")
        assert len(balancer.ports_of("POST /pusher")) == 2

    @pytest.mark.parametrize("transport", [*IN_NODE, "sockjs"])
    async def test_no_event_is_lost_or_doubled_however_many_come(
        self,
        browser: JavaScript,
        by_request: Balancer,
        shared_pair: Pair,
        other_origin: OtherOrigin,
        auth_endpoint: AuthEndpoint,
        transport: str,
        channel: str,
    ) -> None:
        page = await PusherPage.open(browser, other_origin, by_request)
        await page.connect("ann", [transport], auth_endpoint)
        await page.subscribe("ann", channel)
        sent: list[str] = []
        for count in range(40, 161, 40):  # more than a stream takes, four times
            texts = [f"{count}.{number} {'x' * 9000}ü€𝄞" for number in range(40)]
            await asyncio.to_thread(publish_much, shared_pair[count // 40 % 2], channel, texts)
            sent += texts
            assert await page.received("ann", channel, "much", count) == sent
        assert await page.evaluate("clients.ann.states") == ["connected"]
        await page.evaluate("clients.ann.pusher.disconnect()")
        assert len(by_request.ports_of("POST /pusher")) == 2

    @pytest.mark.parametrize("transport", IN_NODE)
    @pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
    async def test_when_the_owner_is_gone_the_client_comes_back_elsewhere(
        self,
        javascript: JavaScript,
        before_pair: Balancer,
        pair: Pair,
        auth_endpoint: AuthEndpoint,
        transport: str,
        ending: signal.Signals,
    ) -> None:
        await connect_pusher(javascript, before_pair, pair, "ann", transport, auth_endpoint)
        await subscribe(javascript, "ann", "c")
        opened_on = before_pair.requests[0][1]
        owner, other = pair if pair[0].port == opened_on else (pair[1], pair[0])
        before_pair.leave_out(owner)
        owner.signal(ending)
        await javascript.event("ann", "c", "pusher:subscription_succeeded")
        await asyncio.to_thread(publish, other, "c")
        assert (await javascript.event("ann", "c", "greeting"))["data"] == {"n": 1}
        await javascript.call("disconnect", client="ann")


async def connect_pusher(
    javascript: JavaScript, balancer: Balancer, pair: Pair, client: str, transport: str, auth: AuthEndpoint
) -> None:
    """Connect a client in Node over a transport, by way of the balancer."""
    options = client_options(pair[0], f"{auth.url}?user={client}")
    ports = {"wsPort": balancer.port, "httpPort": balancer.port, "httpHost": "127.0.0.1"}
    options |= {"enabledTransports": [transport], **ports}
    await javascript.call("connect", client=client, key=KEY, options=options)
    await javascript.state(client, "connected")


def publish_much(server: Server, channel: str, texts: list[str]) -> None:
    """Publish much, ten events a request."""
    for start in range(0, len(texts), 10):
        batch = [{"name": "much", "channel": channel, "data": text} for text in texts[start : start + 10]]
        answer = httpx.post(
            f"{server.url}/apps/{APP_ID}/batch_events", headers=HEADERS, content=json.dumps({"batch": batch})
        )
        assert answer.status_code == 200, answer.text
