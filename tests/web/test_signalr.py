"""The hub's HTTP side: negotiation, long polling, and what clients post."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.types import Message, Scope

from skubber.codecs.access_token import Permission
from skubber.core.app import ApiKey, App
from skubber.core.connection import EndReason
from skubber.core.event import Event
from skubber.core.limits import Limits
from skubber.server.eager import run_detached
from skubber.sessions.long_poll import RETURN_TIMEOUT
from skubber.sessions.signalr.connections import LAST_POLL_TIMEOUT, NEGOTIATION_TIMEOUT, SignalRConnection
from skubber.sessions.signalr.session import SignalRSession
from skubber.web import signalr
from skubber.web.application import web_application
from skubber.web.signalr import HubRoutes
from support.apps import DISABLED_KEY, KEY, OTHER_KEY, SECRET, make_app
from support.edge_client import settled
from support.signalr_client import IN_JSON, READERS, Query, SignalRNode, WebSocketClient, event
from support.signalr_messages import ENCODINGS, Encoding, Said, json_record
from support.slow_broker import SlowBroker
from web.conftest import lifespan

BODY_BYTES, UNREAD_BYTES = 50_000, 10_000
SUBSCRIBE: Said = {"type": 1, "invocationId": "0", "target": "Subscribe", "arguments": ["c"]}
ORIGIN = "https://shop.example.com"

IN_BOTH_ENCODINGS = pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)


class Site:
    """The web application with the hub of a node."""

    def __init__(self, node: SignalRNode) -> None:
        self.node = node
        self.slow_clients = 0
        routes = HubRoutes(
            node.connections, node.apps, lambda: node.now, run_detached, BODY_BYTES, UNREAD_BYTES, self._count
        ).routes()
        self.application = web_application(routes, lifespan)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.application), base_url="http://server")

    def _count(self) -> None:
        self.slow_clients += 1

    async def negotiate(self, query: Query | None = None, **options: Any) -> httpx.Response:
        """Negotiate a connection."""
        return await self.http.post("/push/negotiate", params=query or self.node.query(), **options)

    async def polling(self, query: Query | None = None, encoding: Encoding = IN_JSON) -> "PollingClient":
        """Negotiate a connection and open it for polling. It waits for the handshake."""
        query = query or self.node.query()
        answer = (await self.negotiate({**query, "negotiateVersion": "1"})).json()
        client = PollingClient(self, {**query, "id": answer["connectionToken"]}, encoding)
        assert await client.polled() == b""  # at once: the client learns that its transport works
        return client

    async def connect_client(self, query: Query | None = None, encoding: Encoding = IN_JSON) -> "PollingClient":
        """Connect a client that polls; it must be let in."""
        client = await self.polling(query, encoding)
        handshake = {"protocol": encoding.protocol.name, "version": 1}
        assert (await client.post(json_record(handshake))).status_code == 200
        assert await client.polled() == b"{}\x1e"
        return client


class PollingClient:
    """A client that polls."""

    def __init__(self, site: Site, query: Query, encoding: Encoding) -> None:
        self.query = query
        self._site = site
        self._encoding = encoding

    @property
    def connection(self) -> SignalRConnection:
        """The server's side of it."""
        return self._site.node.connections._by_token[self.query["id"]]

    @property
    def session(self) -> SignalRSession:
        """The server's side of the conversation."""
        assert self.connection.session is not None
        return self.connection.session

    async def poll(self) -> httpx.Response:
        """Poll once."""
        return await self._site.http.get("/push", params=self.query)

    async def polled(self) -> bytes:
        """Poll once; something must come, if only nothing."""
        answer = await self.poll()
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer.content

    async def received(self) -> list[Said]:
        """The messages that one poll fetches, up to the end of this event-loop iteration."""
        self._site.node.iteration.end()
        messages, rest = READERS[self._encoding.protocol.name](await self.polled())
        assert rest == b""
        return messages

    async def waiting(self) -> "asyncio.Task[httpx.Response]":
        """A poll that waits."""
        task = asyncio.create_task(self.poll())
        await self.waits()
        return task

    async def waits(self) -> None:
        """Wait until one more poll waits."""
        poll = self.connection.poll
        assert poll is not None
        turn = poll.turn
        async with asyncio.timeout(10):
            while poll.turn == turn:  # noqa: ASYNC110 - nothing tells that it waits
                await asyncio.sleep(0)

    async def post(self, data: bytes) -> httpx.Response:
        """Post something."""
        return await self._site.http.post("/push", params=self.query, content=data)

    async def send(self, *messages: Said) -> httpx.Response:
        """Post messages."""
        return await self.post(b"".join(map(self._encoding.write, messages)))

    async def delete(self) -> httpx.Response:
        """Close the connection."""
        return await self._site.http.delete("/push", params=self.query)


@pytest.fixture
def broker() -> SlowBroker:
    """A broker that is quick until told to be slow."""
    return SlowBroker()


@pytest.fixture
def node(broker: SlowBroker) -> SignalRNode:
    """A node with nobody connected."""
    return SignalRNode(broker=broker)


@pytest.fixture
async def site(node: SignalRNode) -> AsyncIterator[Site]:
    """The node's web application."""
    site = Site(node)
    async with site.http:
        yield site


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error, which must come with a sentence."""
    body = answer.json()
    assert body.keys() == {"code", "error"}
    assert body["error"].endswith(".")
    return answer.status_code, body["code"]


async def publish(node: SignalRNode, name: str = "e", data: str = "d") -> None:
    """Publish an event, and let it go out."""
    await node.hub.publish(node.app, ("c",), Event(name, json.dumps(data).encode()))
    node.iteration.end()


def delivery(name: str = "e") -> Said:
    return {"type": 1, "target": "Event", "arguments": [event(name, "c")]}


class TestNegotiation:
    async def test_a_client_is_told_its_ids_and_the_transports_there_are(self, site: Site) -> None:
        answer = await site.negotiate({**site.node.query(), "negotiateVersion": "1"})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.headers["cache-control"] == "no-store"
        body = answer.json()
        (connection,) = site.node.connections._by_token.values()
        assert body == {
            "negotiateVersion": 1,
            "connectionId": connection.connection_id,
            "connectionToken": connection.token,
            "availableTransports": [
                {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
                {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
                {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
            ],
        }

    async def test_an_old_client_is_told_one_id(self, site: Site) -> None:
        body = (await site.negotiate()).json()
        assert body["negotiateVersion"] == 0
        assert "connectionToken" not in body
        assert body["connectionId"] in site.node.connections._by_token

    @pytest.mark.parametrize(("asked", "answered"), [("true", True), ("false", None)])
    async def test_stateful_reconnect_is_had_for_the_asking(
        self, site: Site, asked: str, answered: bool | None
    ) -> None:
        answer = await site.negotiate(site.node.query(useStatefulReconnect=asked))
        assert answer.json().get("useStatefulReconnect") is answered

    async def test_a_token_may_come_in_the_authorization_header(self, site: Site) -> None:
        headers = {"Authorization": f"Bearer {site.node.token()}"}
        assert (await site.negotiate({"userId": "ada"}, headers=headers)).status_code == 200

    @pytest.mark.parametrize(
        ("query", "error"),
        [
            ({"x": ""}, (401, "missing_access_token")),
            ({"access_token": ""}, (401, "missing_access_token")),
            ({"access_token": "junk"}, (401, "invalid_access_token")),
            ({"token": "ada", "userId": "bob"}, (403, "user_mismatch")),
            ({"key": DISABLED_KEY}, (403, "app_disabled")),
            ({"token": "", "userId": "x" * 129}, (400, "invalid_user_id")),
        ],
    )
    async def test_who_may_not_come_in_is_told_why(self, site: Site, query: Query, error: tuple[int, str]) -> None:
        if "token" in query or "key" in query:
            token = site.node.token(query.pop("token", None) or None, key=query.pop("key", KEY))
            query = {**query, "access_token": token}
        assert error_of(await site.negotiate(query)) == error
        assert site.node.connections._by_token == {}

    async def test_a_token_that_has_expired_negotiates_nothing(self, site: Site) -> None:
        query = site.node.query(site.node.token(lifetime=10))
        site.node.pass_time(10)
        assert error_of(await site.negotiate(query)) == (401, "invalid_access_token")

    async def test_an_app_may_insist_on_tls(self) -> None:
        node = SignalRNode(App.with_keys("4711", [ApiKey(KEY, SECRET)], tls_only=True))
        site = Site(node)
        async with site.http:
            assert error_of(await site.negotiate()) == (403, "tls_required")
            answer = await site.http.post("https://server/push/negotiate", params=node.query())
            assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("GET", "/push/negotiate", "OPTIONS, POST"),
            ("PUT", "/push/negotiate", "OPTIONS, POST"),
            ("PUT", "/push", "DELETE, GET, HEAD, OPTIONS, POST"),
        ],
    )
    async def test_a_wrong_method_is_told_what_is_right(self, site: Site, method: str, path: str, allowed: str) -> None:
        answer = await site.http.request(method, path, params=site.node.query())
        assert error_of(answer) == (405, "method_not_allowed")
        assert answer.headers["allow"] == allowed


class TestOrigins:
    """Browsers may use the hub from any site, and send their cookies, which mean nothing here."""

    @pytest.mark.parametrize(("method", "path"), [("POST", "/push/negotiate"), ("POST", "/push"), ("DELETE", "/push")])
    async def test_a_browser_may_ask_first(self, site: Site, method: str, path: str) -> None:
        wanted = "authorization,content-type,x-requested-with,x-signalr-user-agent"
        answer = await site.http.options(
            path,
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": wanted,
            },
        )
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert method in answer.headers["access-control-allow-methods"]
        assert set(answer.headers["access-control-allow-headers"].split(",")) >= set(wanted.split(","))

    @pytest.mark.parametrize(("query", "status"), [(None, 200), ({"access_token": "junk"}, 401)])
    async def test_it_may_read_the_answer_errors_included(self, site: Site, query: Query | None, status: int) -> None:
        answer = await site.negotiate(query, headers={"Origin": ORIGIN, "Cookie": "a=b"})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "origin" in answer.headers["vary"].lower()

    @pytest.mark.parametrize("path", ["/push/negotiate", "/push"])
    async def test_who_asks_without_wanting_anything_gets_nothing(self, site: Site, path: str) -> None:
        answer = await site.http.options(path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert site.node.connections._by_token == {}


class TestPolling:
    @IN_BOTH_ENCODINGS
    async def test_messages_go_both_ways(self, site: Site, encoding: Encoding) -> None:
        client = await site.connect_client(encoding=encoding)
        answer = await client.send(SUBSCRIBE)
        assert (answer.status_code, answer.content) == (200, b"")
        assert [message["type"] for message in await client.received()] == [1, 3]
        await publish(site.node, "first")
        await publish(site.node, "second")
        assert await client.received() == [delivery("first"), delivery("second")]

    async def test_a_poll_waits_for_what_comes(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        await client.received()
        poll = await client.waiting()
        await publish(site.node)
        assert READERS["json"]((await poll).content) == ([delivery()], b"")

    async def test_a_poll_for_which_nothing_comes_is_answered_empty_in_the_end(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client = await site.connect_client()
        monkeypatch.setattr(signalr, "POLL_TIMEOUT", 0)
        assert await client.polled() == b""
        assert await client.polled() == b""

    async def test_a_second_poll_ends_the_first(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        await client.received()
        first = await client.waiting()
        second = await client.waiting()
        assert ((await first).status_code, (await first).content) == (204, b"")
        await publish(site.node)
        assert READERS["json"]((await second).content) == ([delivery()], b"")

    async def test_messages_may_be_split_over_posts(self, site: Site) -> None:
        client = await site.connect_client()
        text = json_record(SUBSCRIBE)
        for byte in text:
            assert (await client.post(bytes((byte,)))).status_code == 200
        assert [message["type"] for message in await client.received()] == [1, 3]

    async def test_polls_are_a_sign_of_life_and_the_server_does_not_ping(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        await client.received()
        for _ in range(5):
            site.node.pass_time(RETURN_TIMEOUT - 1)
            await publish(site.node)
            assert await client.received() == [delivery()]

    async def test_a_client_gone_while_it_waits_loses_nothing(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        await client.received()
        poll = RawPoll(site, client)
        await client.waits()
        poll.hang_up()
        await poll.task
        await publish(site.node)
        assert poll.sent == [b""]
        assert await client.received() == [delivery()]

    async def test_a_client_gone_when_it_polls_again_loses_nothing_either(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        await client.received()
        gone, back = RawPoll(site, client), RawPoll(site, client)
        gone.hang_up()
        await gone.task
        await publish(site.node)
        await back.task
        assert gone.sent == [b""]
        assert READERS["json"](back.sent[0]) == ([delivery()], b"")

    @pytest.mark.parametrize("permissions", [[], list(Permission)])
    async def test_a_user_is_signed_in_here_too(self, site: Site, permissions: list[Permission]) -> None:
        client = await site.connect_client(site.node.query(site.node.token("ada", permissions=permissions)))
        await site.node.hub.publish(site.node.app, ("#server-to-user-ada",), Event("e", b'"d"'))
        assert await client.received() == [
            {"type": 1, "target": "Event", "arguments": [event("e", "#server-to-user-ada")]}
        ]


class RawPoll:
    """A poll whose client may hang up.

    Attributes:
        task: its way through the application.
        sent: the bodies it was answered with.
    """

    def __init__(self, site: Site, client: PollingClient) -> None:
        self.sent: list[bytes] = []
        self._hung_up = asyncio.Event()
        self._is_read = False
        scope: Scope = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": "/push",
            "query_string": urlencode(client.query).encode(),
            "headers": [],
        }
        self.task: asyncio.Task[None] = asyncio.create_task(site.application(scope, self._receive, self._send))

    def hang_up(self) -> None:
        """Lose the connection."""
        self._hung_up.set()

    async def _receive(self) -> Message:
        if not self._is_read:
            self._is_read = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            self.sent.append(message["body"])


class TestTheEnd:
    async def test_a_client_may_close(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        await client.received()
        poll = await client.waiting()
        answer = await client.delete()
        assert (answer.status_code, answer.content) == (202, b"")
        assert (await poll).status_code == 204
        assert error_of(await client.poll()) == (404, "no_such_connection")
        assert error_of(await client.delete()) == (404, "no_such_connection")
        site.node.assert_nothing_is_kept()

    async def test_what_was_not_fetched_when_it_closed_waits_for_a_while(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        for _ in range(2):
            assert (await client.delete()).status_code == 202
        assert [message["type"] for message in await client.received()] == [1, 3]
        assert (await client.poll()).status_code == 204
        assert error_of(await client.poll()) == (404, "no_such_connection")
        site.node.assert_nothing_is_kept()

    @pytest.mark.parametrize("reason", EndReason)
    async def test_the_poll_that_waits_brings_the_reason(self, site: Site, reason: EndReason) -> None:
        client = await site.connect_client()
        poll = await client.waiting()
        client.session.end(reason)
        (close,), _ = READERS["json"]((await poll).content)
        assert close["type"] == 7
        assert close.get("allowReconnect", False) is (reason in {EndReason.DRAINING, EndReason.TOO_SLOW})
        assert (await client.poll()).status_code == 204
        site.node.assert_nothing_is_kept()

    async def test_the_reason_waits_for_the_next_poll(self, site: Site) -> None:
        client = await site.connect_client(site.node.query(site.node.token("ada")))
        await site.node.broker.terminate_user(site.node.app.id, "ada")
        site.node.pass_time(LAST_POLL_TIMEOUT - 1)
        (close,) = await client.received()
        assert close == {"type": 7, "error": "The connection was terminated by the application."}
        assert (await client.poll()).status_code == 204
        site.node.assert_nothing_is_kept()

    async def test_last_words_that_nobody_fetches_are_forgotten(self, site: Site) -> None:
        client = await site.connect_client()
        client.session.end(EndReason.DRAINING)
        site.node.pass_time(LAST_POLL_TIMEOUT)
        site.node.assert_nothing_is_kept()
        assert error_of(await client.poll()) == (404, "no_such_connection")

    async def test_last_words_that_are_fetched_and_not_asked_about_again_are_too(self, site: Site) -> None:
        client = await site.connect_client()
        client.session.end(EndReason.DRAINING)
        await client.received()
        site.node.pass_time(LAST_POLL_TIMEOUT)
        site.node.assert_nothing_is_kept()

    async def test_a_client_that_stays_away_is_gone(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        await client.received()
        site.node.pass_time(RETURN_TIMEOUT - 1)
        assert (await site.node.broker.occupancy(site.node.app.id, "c")).subscriptions == 1
        site.node.pass_time(1)
        site.node.assert_nothing_is_kept()

    async def test_a_client_that_never_shakes_hands_is_gone(self, site: Site) -> None:
        client = await site.polling()
        site.node.pass_time(site.node.connections.context.handshake_timeout)
        assert await client.polled() == b'{"error":"The handshake did not come in time."}\x1e'
        assert (await client.poll()).status_code == 204
        site.node.assert_nothing_is_kept()

    async def test_a_handshake_that_cannot_be_is_answered_by_the_next_poll(self, site: Site) -> None:
        client = await site.polling()
        assert (await client.post(b"junk\x1e")).status_code == 200
        assert (await client.polled()).startswith(b'{"error":"The first message')
        assert (await client.poll()).status_code == 204
        await settled()
        site.node.assert_nothing_is_kept()

    async def test_an_app_that_is_full_says_so_in_the_handshake(self) -> None:
        site = Site(SignalRNode(make_app(limits=Limits(connections=1))))
        async with site.http:
            await site.connect_client()
            client = await site.polling()
            await client.post(b'{"protocol":"json","version":1}\x1e')
            assert await client.polled() == b'{"error":"The app is over its connection quota."}\x1e'
            assert (await client.poll()).status_code == 204

    async def test_the_token_ends_it_to_the_second(self, site: Site) -> None:
        client = await site.connect_client(site.node.query(site.node.token(lifetime=20)))
        poll = await client.waiting()
        site.node.pass_time(19)
        assert not poll.done()
        site.node.pass_time(1)
        (close,), _ = READERS["json"]((await poll).content)
        assert close["error"].startswith("The access token has expired")

    async def test_draining_ends_every_poll(self, site: Site) -> None:
        clients = [await site.connect_client() for _ in range(3)]
        polls = [await client.waiting() for client in clients[:2]]
        site.node.connections.drain()
        for poll in polls:
            assert b'"allowReconnect":true' in (await poll).content
        assert b'"allowReconnect":true' in await clients[2].polled()
        site.node.pass_time(LAST_POLL_TIMEOUT)
        site.node.assert_nothing_is_kept()

    async def test_who_is_opened_twice_is_the_first(self, site: Site) -> None:
        """Polls race for a connection that nobody has opened: one opens it, the other waits on it."""
        query = {**site.node.query(), "negotiateVersion": "1"}
        client = PollingClient(site, {**query, "id": (await site.negotiate(query)).json()["connectionToken"]}, IN_JSON)
        first, second = asyncio.create_task(client.poll()), asyncio.create_task(client.poll())
        assert (await first).content == b""
        assert await client.delete()
        assert (await second).status_code == 204
        site.node.assert_nothing_is_kept()


class TestSlowClients:
    async def test_a_client_that_leaves_too_much_unread_is_ended_and_counted(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        await client.received()
        data = "x" * 4000
        for _ in range(3):
            await publish(site.node, data=data)
        await asyncio.sleep(0)
        for _ in range(100):
            await publish(site.node, data=data)
        poll = client.connection.poll
        assert poll is not None
        assert poll._bytes < 4 * 4200
        *events, close = await client.received()
        assert [message["arguments"][0]["data"] for message in events] == [data] * 3
        assert close == {"type": 7, "error": "The client reads too slowly.", "allowReconnect": True}
        assert (await client.poll()).status_code == 204
        assert site.slow_clients == 1
        site.node.assert_nothing_is_kept()

    async def test_a_client_that_waits_for_it_may_be_sent_any_amount_at_once(self, site: Site) -> None:
        client = await site.connect_client()
        await client.send(SUBSCRIBE)
        await client.received()
        poll = await client.waiting()
        await publish(site.node, data="x" * (2 * UNREAD_BYTES))
        assert len((await poll).content) > 2 * UNREAD_BYTES
        await publish(site.node)
        assert await client.received() == [delivery()]
        assert site.slow_clients == 0


def _connect_negotiated(node: SignalRNode) -> WebSocketClient:
    return node.connect_client(id=node.negotiate(node.query()).token)


class TestPosts:
    async def test_what_comes_before_the_first_poll_is_dealt_with_then(self, site: Site) -> None:
        query = {**site.node.query(), "negotiateVersion": "1"}
        token = (await site.negotiate(query)).json()["connectionToken"]
        client = PollingClient(site, {**query, "id": token}, IN_JSON)
        for message in ({"protocol": "json", "version": 1}, SUBSCRIBE):
            assert (await client.post(json_record(message))).status_code == 200
        assert await client.polled() == b""
        assert [message.get("type") for message in await client.received()] == [None, 1, 3]

    async def test_not_much_is_kept_until_the_first_poll(self, site: Site) -> None:
        query = {**site.node.query(), "negotiateVersion": "1"}
        token = (await site.negotiate(query)).json()["connectionToken"]
        client = PollingClient(site, {**query, "id": token}, IN_JSON)
        most = site.node.connections.context.message_bytes
        assert (await client.post(b"x" * most)).status_code == 200
        assert error_of(await client.post(b"x")) == (413, "message_too_large")

    @pytest.mark.parametrize("connect", [_connect_negotiated, SignalRNode.connect_resumable])
    @pytest.mark.parametrize(
        ("method", "errors"),
        [
            ("POST", {(400, "not_posted_to")}),
            ("GET", {(409, "connection_in_use"), (404, "no_such_connection")}),
            ("DELETE", {(400, "not_polled")}),
        ],
    )
    async def test_a_websocket_is_no_matter_of_these_requests(
        self,
        site: Site,
        connect: Callable[[SignalRNode], Any],
        method: str,
        errors: set[tuple[int, str]],
    ) -> None:
        client = connect(site.node)
        query = {**client.query, "id": client.connection.token}
        content = json_record(SUBSCRIBE) if method == "POST" else None
        answer = await site.http.request(method, "/push", params=query, content=content)
        assert error_of(answer) in errors
        assert client.call("Subscribe", "c") == {"channel": "c"}

    async def test_an_event_stream_is_posted_to_and_neither_polled_nor_deleted(self, site: Site) -> None:
        client = site.node.connect_event_stream()
        post = await site.http.post("/push", params=client.query, content=json_record(SUBSCRIBE))
        assert (post.status_code, post.content) == (200, b"")
        assert [message["type"] for message in client.received()] == [1, 3]
        assert error_of(await site.http.get("/push", params=client.query)) == (409, "connection_in_use")
        assert error_of(await site.http.delete("/push", params=client.query)) == (400, "not_polled")
        assert client.received() == []
        assert not client.has_ended

    async def test_a_post_is_a_sign_of_life_of_an_event_stream(self, site: Site) -> None:
        client = site.node.connect_event_stream()
        timeout = site.node.connections.context.client_timeout
        for _ in range(3):
            site.node.pass_time(timeout - 1)
            await site.http.post("/push", params=client.query, content=json_record({"type": 6}))
        assert {message["type"] for message in client.received()} == {6}
        site.node.pass_time(timeout)
        assert client.close_message()["error"] == "The client was silent for too long."

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    async def test_a_connection_is_named_and_known_and_ones_own(self, site: Site, method: str) -> None:
        client = await site.connect_client(site.node.query(userId="ada"))
        strangers = [
            (site.node.query(), (400, "missing_connection_id")),
            (site.node.query(id=""), (400, "missing_connection_id")),
            (site.node.query(id="x"), (404, "no_such_connection")),
            (site.node.query(id=client.connection.connection_id, userId="ada"), (404, "no_such_connection")),
            ({**client.query, "userId": "bob"}, (403, "user_mismatch")),
            ({**client.query, "access_token": site.node.token(key=OTHER_KEY)}, (403, "user_mismatch")),
            ({**client.query, "access_token": "junk"}, (401, "invalid_access_token")),
            ({"id": client.query["id"]}, (401, "missing_access_token")),
        ]
        for query, error in strangers:
            assert error_of(await site.http.request(method, "/push", params=query)) == error
        assert (await client.send(SUBSCRIBE)).status_code == 200

    async def test_a_body_over_the_limit_is_refused_and_harms_nothing(self, site: Site) -> None:
        client = await site.connect_client()
        assert error_of(await client.post(b" " * (BODY_BYTES + 1))) == (413, "body_too_large")
        assert (await client.send(SUBSCRIBE)).status_code == 200
        assert [message["type"] for message in await client.received()] == [1, 3]

    async def test_junk_ends_the_connection_and_not_the_request(self, site: Site) -> None:
        client = await site.connect_client()
        assert (await client.post(b"junk\x1e")).status_code == 200
        (close,) = await client.received()
        assert close["type"] == 7
        await settled()
        assert (await client.poll()).status_code in {204, 404}
        site.node.assert_nothing_is_kept()

    async def test_posts_that_wait_are_told_when_the_connection_has_ended(self, site: Site, broker: SlowBroker) -> None:
        client = await site.connect_client()
        hold = broker.hold("subscribe")
        before = asyncio.create_task(client.send(SUBSCRIBE))
        await hold.reached()
        assert (await client.delete()).status_code == 202
        behind = asyncio.create_task(client.send(SUBSCRIBE))
        hold.release()
        assert (await before).status_code == 200
        assert error_of(await behind) == (404, "no_such_connection")
        await settled()
        site.node.assert_nothing_is_kept()

    async def test_a_connection_given_up_while_it_subscribes_leaves_nothing_behind(
        self, site: Site, broker: SlowBroker
    ) -> None:
        client = await site.connect_client(site.node.query(site.node.token("ada", "*")))
        hold = broker.hold("join")
        post = asyncio.create_task(client.send({**SUBSCRIBE, "arguments": ["presence-c"]}))
        await hold.reached()
        site.node.pass_time(RETURN_TIMEOUT)
        hold.release()
        await post
        await settled()
        site.node.assert_nothing_is_kept()

    async def test_a_negotiation_that_comes_to_nothing_is_forgotten(self, site: Site) -> None:
        for _ in range(10):
            await site.negotiate()
        site.node.pass_time(NEGOTIATION_TIMEOUT)
        site.node.assert_nothing_is_kept()
