"""SignalR requests that reach another node than the one that has the connection."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.types import Message, Scope

from skubber.brokers.memory import MemoryBroker
from skubber.core.connection import EndReason
from skubber.core.errors import ConflictError, ForbiddenError, NotFoundError
from skubber.core.event import Event
from skubber.core.post import NobodyListensError
from skubber.server.eager import run_detached
from skubber.sessions.long_poll import RETURN_TIMEOUT
from skubber.sessions.session import UpgradeRequest
from skubber.sessions.signalr.connections import NEGOTIATION_TIMEOUT, SignalRConnection
from skubber.sessions.signalr.transports import Transport
from skubber.web import signalr
from skubber.web.application import web_application
from skubber.web.signalr import HubRoutes
from support.apps import OTHER_KEY
from support.signalr_client import READERS, Query, SignalRNode, event
from support.signalr_messages import Said, json_record
from web.conftest import lifespan

BODY_BYTES, UNREAD_BYTES = 50_000, 10_000
HANDSHAKE = json_record({"protocol": "json", "version": 1})
SUBSCRIBE = json_record({"type": 1, "invocationId": "0", "target": "Subscribe", "arguments": ["c"]})


class Request:
    """One request on its way through an application, whose client may hang up.

    Attributes:
        status: what it was answered with, once it is.
        body: likewise.
    """

    def __init__(self, site: "Site", method: str, query: Query, body: bytes) -> None:
        self.status = 0
        self.body = b""
        self._content: bytes | None = body
        self._hung_up = asyncio.Event()
        scope: Scope = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": query.get("path", "/push"),
            "query_string": urlencode(query).encode(),
            "headers": [],
        }
        self.task: asyncio.Task[None] = asyncio.create_task(site.application(scope, self._receive, self._send))

    def hang_up(self) -> None:
        """Lose the connection."""
        self._hung_up.set()

    async def _receive(self) -> Message:
        if self._content is not None:
            content, self._content = self._content, None
            return {"type": "http.request", "body": content, "more_body": False}
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.body += message["body"]


class Site:
    """The web application with the hub of a node."""

    def __init__(self, node: SignalRNode) -> None:
        self.node = node
        routes = HubRoutes(
            node.connections, node.apps, lambda: node.now, run_detached, BODY_BYTES, UNREAD_BYTES, lambda: None
        ).routes()
        self.application = web_application(routes, lifespan)

    def start(self, method: str, query: Query, body: bytes = b"") -> Request:
        """Make a request that may take its time."""
        return Request(self, method, query, body)

    async def ask(self, method: str, query: Query, body: bytes = b"") -> tuple[int, bytes]:
        """Make a request; returns the status and the body it is answered with."""
        request = self.start(method, query, body)
        async with asyncio.timeout(10):
            await request.task
        return request.status, request.body

    async def error(self, method: str, query: Query, body: bytes = b"") -> tuple[int, str]:
        """Make a request that is refused; returns the status and the error's code."""
        status, answer = await self.ask(method, query, body)
        return status, json.loads(answer)["code"]

    async def negotiate(self, query: Query, version: str = "1") -> Query:
        """Negotiate a connection; returns the query that its requests have."""
        path = {"path": "/push/negotiate", "negotiateVersion": version}
        status, body = await self.ask("POST", {**query, **path})
        assert status == 200
        answer = json.loads(body)
        return {**query, "id": answer["connectionToken" if version == "1" else "connectionId"]}

    def connection(self, query: Query) -> SignalRConnection:
        """The connection, which this node has."""
        return self.node.connections._by_token[query["id"]]


Sites = tuple[Site, Site]


@pytest.fixture
def sites() -> Sites:
    """Two nodes that can ask each other."""
    brokers = MemoryBroker(), MemoryBroker()
    brokers[1]._post = brokers[0].post
    return (Site(SignalRNode(broker=brokers[0])), Site(SignalRNode(broker=brokers[1])))


async def connected(negotiating: Site, owner: Site, query: Query | None = None) -> Query:
    """Connect a polling client; returns the query of its requests. Not all that it sends goes to the owner."""
    query = await negotiating.negotiate(query or negotiating.node.query())
    assert await owner.ask("GET", query) == (200, b"")
    assert await negotiating.ask("POST", query, HANDSHAKE) == (200, b"")
    assert await negotiating.ask("GET", query) == (200, b"{}\x1e")
    return query


async def next_turn(owner: Site, query: Query, turn: int) -> None:
    """Wait until the owner has been asked to end its poll, or for another."""
    poll = owner.connection(query).poll
    assert poll is not None
    async with asyncio.timeout(10):
        while poll.turn == turn:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)


async def waiting(site: Site, owner: Site, query: Query) -> Request:
    """A poll that waits at the owner."""
    poll = owner.connection(query).poll
    assert poll is not None
    turn = poll.turn
    request = site.start("GET", query)
    await next_turn(owner, query, turn)
    return request


async def publish(site: Site, name: str = "e") -> None:
    """Publish an event, and let it go out."""
    await site.node.hub.publish(site.node.app, ("c",), Event(name, b'"d"'))
    site.node.iteration.end()


def messages(body: bytes) -> list[Said]:
    """The messages of an answer."""
    said, rest = READERS["json"](body)
    assert rest == b""
    return said


def delivery(name: str = "e") -> Said:
    return {"type": 1, "target": "Event", "arguments": [event(name, "c")]}


async def subscribed(sites: Sites) -> Query:
    """A client of the second node that has subscribed."""
    here, owner = sites
    query = await connected(here, owner)
    assert await here.ask("POST", query, SUBSCRIBE) == (200, b"")
    _, body = await here.ask("GET", query)
    assert [message["type"] for message in messages(body)] == [1, 3]
    return query


def assert_nothing_is_kept(sites: Sites) -> None:
    for site in sites:
        site.node.assert_nothing_is_kept()
        assert site.node.broker.post._answers == {}


class TestOpening:
    @pytest.mark.parametrize("version", ["0", "1"])
    async def test_a_connection_is_opened_on_another_node_than_negotiated_it(self, sites: Sites, version: str) -> None:
        here, there = sites
        negotiated = await here.negotiate(here.node.query(dispatch="name"), version)
        connection = here.connection(negotiated)
        assert await there.ask("GET", negotiated) == (200, b"")
        assert negotiated["id"] not in here.node.connections
        taken = there.connection(negotiated)
        assert (taken.connection_id, taken.options) == (connection.connection_id, connection.options)

    async def test_what_is_posted_before_goes_along(self, sites: Sites) -> None:
        here, there = sites
        query = await here.negotiate(here.node.query())
        assert await there.ask("POST", query, HANDSHAKE) == (200, b"")
        assert await there.ask("GET", query) == (200, b"")
        assert await here.ask("GET", query) == (200, b"{}\x1e")

    async def test_a_connection_is_opened_once(self, sites: Sites) -> None:
        here, there = sites
        query = await here.negotiate(here.node.query())
        answers = await asyncio.gather(there.ask("GET", query), there.ask("GET", query))
        assert min(status for status, _ in answers) == 200
        opening = here.node.entry(Transport.SERVER_SENT_EVENTS)(upgrade(query))
        assert not callable(opening)
        with pytest.raises(ConflictError):
            await opening

    @pytest.mark.parametrize("transport", [Transport.WEBSOCKETS, Transport.SERVER_SENT_EVENTS])
    async def test_streams_and_websockets_take_it_too(self, sites: Sites, transport: Transport) -> None:
        here, there = sites
        query = await here.negotiate(here.node.query())
        opening = there.node.entry(transport)(upgrade(query))
        assert not callable(opening)
        assert callable(await opening)
        assert query["id"] not in here.node.connections
        assert query["id"] in there.node.connections

    async def test_nobody_is_asked_for_an_open_websocket(self, sites: Sites) -> None:
        here, there = sites
        query = await here.negotiate(here.node.query())
        client = here.node.connect_client(id=query["id"])
        assert await there.error("POST", query, SUBSCRIBE) == (404, "no_such_connection")
        assert await there.error("GET", query) == (404, "no_such_connection")
        opening = there.node.entry(Transport.WEBSOCKETS)(upgrade(query))
        assert not callable(opening)
        with pytest.raises(NotFoundError):
            await opening
        client.hang_up()
        assert_nothing_is_kept(sites)

    async def test_one_that_nobody_opens_is_forgotten_everywhere(self, sites: Sites) -> None:
        here, there = sites
        query = await here.negotiate(here.node.query())
        here.node.pass_time(NEGOTIATION_TIMEOUT)
        assert await there.error("GET", query) == (404, "no_such_connection")
        query = await here.negotiate(here.node.query())
        await there.node.connections.take(query["id"], here.connection(query).principal)  # and then its client is gone
        there.node.pass_time(NEGOTIATION_TIMEOUT)
        assert_nothing_is_kept(sites)


class TestWhoMayAsk:
    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    async def test_a_connection_is_its_users_alone_on_every_node(self, sites: Sites, method: str) -> None:
        here, owner = sites
        query = await connected(here, owner, here.node.query(here.node.token("ada")))
        for token in (
            here.node.token("bob"),
            here.node.token(),
            here.node.token("ada", key=OTHER_KEY),
        ):
            assert await here.error(method, {**query, "access_token": token}) == (403, "user_mismatch")

    async def test_nor_can_others_take_it_before_it_is_open(self, sites: Sites) -> None:
        here, there = sites
        query = await here.negotiate(here.node.query(here.node.token("ada")))
        opening = there.node.entry(Transport.WEBSOCKETS)(upgrade({**query, "access_token": here.node.token("bob")}))
        assert not callable(opening)
        with pytest.raises(ForbiddenError):
            await opening
        assert query["id"] in here.node.connections

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    @pytest.mark.parametrize("token", ["nobody", "x" * 10_000, "\x00\ud7ff{}"])
    async def test_what_no_node_has_is_not_found(self, sites: Sites, method: str, token: str) -> None:
        query = sites[0].node.query(id=token)
        assert await sites[0].error(method, query) == (404, "no_such_connection")

    async def test_a_token_that_has_expired_is_good_nowhere(self, sites: Sites) -> None:
        here, owner = sites
        query = await connected(here, owner, here.node.query(here.node.token(lifetime=5)))
        owner.node.pass_time(6)
        here.node.now += 6
        assert await here.error("GET", query) == (401, "invalid_access_token")
        fresh = {**query, "access_token": here.node.token()}
        _, body = await here.ask("GET", fresh)
        assert "expired" in messages(body)[0]["error"]


class TestPostsAndPolls:
    async def test_whatever_node_is_asked_the_owner_answers(self, sites: Sites) -> None:
        query = await subscribed(sites)
        for site in sites:
            poll = await waiting(site, sites[1], query)
            await publish(sites[1])
            await poll.task
            assert (poll.status, messages(poll.body)) == (200, [delivery()])
            await publish(sites[1], "f")
            assert messages((await site.ask("GET", query))[1]) == [delivery("f")]

    async def test_a_body_that_is_too_large_is_not_passed_on(self, sites: Sites) -> None:
        query = await subscribed(sites)
        assert await sites[0].error("POST", query, b"x" * (BODY_BYTES + 1)) == (413, "body_too_large")

    async def test_what_is_posted_at_the_same_time_is_done_in_its_order(self, sites: Sites) -> None:
        query = await subscribed(sites)
        calls = [
            json_record({"type": 1, "invocationId": str(n), "target": "Unsubscribe", "arguments": [f"c{n}"]})
            for n in range(20)
        ]
        answers = await asyncio.gather(*(sites[0].ask("POST", query, call) for call in calls))
        assert set(answers) == {(200, b"")}
        _, body = await sites[0].ask("GET", query)
        assert [message["invocationId"] for message in messages(body)] == [str(n) for n in range(20)]

    async def test_a_poll_for_which_nothing_comes_is_answered_empty_in_the_end(
        self, sites: Sites, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        query = await subscribed(sites)
        monkeypatch.setattr(signalr, "POLL_TIMEOUT", 0.01)
        assert await sites[0].ask("GET", query) == (200, b"")

    @pytest.mark.parametrize("second", [0, 1])
    async def test_a_second_poll_ends_the_first_whichever_nodes_they_reach(self, sites: Sites, second: int) -> None:
        query = await subscribed(sites)
        poll = await waiting(sites[0], sites[1], query)
        later = sites[second].start("GET", query)
        await poll.task
        assert (poll.status, poll.body) == (204, b"")
        await publish(sites[1])
        await later.task
        assert messages(later.body) == [delivery()]

    async def test_a_poll_whose_client_has_hung_up_swallows_nothing(self, sites: Sites) -> None:
        query = await subscribed(sites)
        poll = await waiting(sites[0], sites[1], query)
        poll.hang_up()
        await poll.task
        await publish(sites[1])
        assert messages((await sites[0].ask("GET", query))[1]) == [delivery()]

    async def test_nor_does_one_that_had_been_answered_by_then(
        self, sites: Sites, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, owner = sites
        query = await subscribed(sites)
        post = here.node.broker.post
        ask = post.ask
        answered, may_arrive = asyncio.Event(), asyncio.Event()

        async def slow(address: str, question: bytes, seconds: float) -> bytes:
            answer = await ask(address, question, seconds)
            if b"e" in answer and not answered.is_set():
                answered.set()
                await may_arrive.wait()
            return answer

        monkeypatch.setattr(post, "ask", slow)
        poll = await waiting(here, owner, query)
        await publish(owner)
        await answered.wait()
        waiting_poll = owner.connection(query).poll
        assert waiting_poll is not None
        turn = waiting_poll.turn
        poll.hang_up()
        await next_turn(owner, query, turn)
        may_arrive.set()
        await poll.task
        await publish(owner, "f")
        assert messages((await here.ask("GET", query))[1]) == [delivery(), delivery("f")]

    async def test_a_client_that_stays_away_is_gone(self, sites: Sites) -> None:
        query = await subscribed(sites)
        sites[1].node.pass_time(RETURN_TIMEOUT)
        assert await sites[0].error("GET", query) == (404, "no_such_connection")
        assert_nothing_is_kept(sites)


class TestTheEnd:
    async def test_a_client_may_close_on_any_node(self, sites: Sites) -> None:
        query = await subscribed(sites)
        poll = await waiting(sites[0], sites[1], query)
        assert await sites[0].ask("DELETE", query) == (202, b"")
        await poll.task
        assert poll.status == 204
        assert await sites[0].error("DELETE", query) == (404, "no_such_connection")
        assert_nothing_is_kept(sites)

    async def test_only_what_is_polled_is_deleted(self, sites: Sites) -> None:
        query = await sites[1].negotiate(sites[1].node.query())
        assert await sites[0].error("DELETE", query) == (400, "not_polled")

    @pytest.mark.parametrize("reason", EndReason)
    async def test_a_poll_on_any_node_brings_the_reason(self, sites: Sites, reason: EndReason) -> None:
        query = await subscribed(sites)
        poll = await waiting(sites[0], sites[1], query)
        session = sites[1].connection(query).session
        assert session is not None
        session.end(reason)
        await poll.task
        (close,) = messages(poll.body)
        assert close["type"] == 7
        assert await sites[0].ask("GET", query) == (204, b"")
        assert_nothing_is_kept(sites)

    async def test_a_node_that_stops_answers_the_polls_of_other_nodes_clients(self, sites: Sites) -> None:
        query = await subscribed(sites)
        poll = await waiting(sites[0], sites[1], query)
        sites[0].node.connections.drain()
        await poll.task
        assert (poll.status, poll.body) == (200, b"")
        await publish(sites[1])
        assert messages((await sites[1].ask("GET", query))[1]) == [delivery()]

    async def test_a_poll_that_waits_for_a_node_that_dies_is_not_found(
        self, sites: Sites, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        query = await subscribed(sites)
        died = asyncio.Event()

        async def ask(*_: Any) -> bytes:
            await died.wait()
            raise NobodyListensError

        monkeypatch.setattr(sites[0].node.broker.post, "ask", ask)
        poll = sites[0].start("GET", query)
        died.set()
        await poll.task
        assert poll.status == 404


def upgrade(query: Query) -> UpgradeRequest:
    """The request that opens a stream or a WebSocket."""
    return UpgradeRequest("/push", urlencode(query).encode(), [], False)
