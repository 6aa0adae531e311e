"""Requests of Pusher clients over HTTP that reach another node than the one that has the connection."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from skubber.brokers.memory import MemoryBroker
from skubber.codecs import sockjs
from skubber.core.connection import EndReason
from skubber.core.errors import UnavailableError
from skubber.server.eager import run_detached
from skubber.sessions.pusher_http import RETURN_TIMEOUT, STREAM_BYTES
from skubber.sessions.pusher_stream_door import PusherStreamDoor
from skubber.sessions.relayed_stream import RelayedStream
from skubber.sessions.session import UpgradeRequest
from skubber.web.application import web_application
from skubber.web.pusher_http import PusherHttpRoutes
from support.apps import KEY
from support.pusher_http_client import (
    MESSAGE_BYTES,
    Frame,
    PusherHttpNode,
    data_of,
    publish,
    read_frames,
    read_messages,
)
from web.conftest import lifespan

BODY_BYTES = 10_000
ADDRESS = f"/pusher/app/{KEY}/12/abcdefgh"
SOCKJS_ADDRESS = "/pusher/12/abcdefgh"
PING = json.dumps({"event": "pusher:ping"})
SUBSCRIBE = json.dumps({"event": "pusher:subscribe", "data": {"channel": "c"}})


class Site:
    """A node with its web application."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.node = PusherHttpNode(broker=broker)
        self.door = PusherStreamDoor(self.node.connections)
        application = web_application(PusherHttpRoutes(self.node.connections, BODY_BYTES).routes(), lifespan)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://server")

    async def poll(self, address: str = ADDRESS) -> list[Frame]:
        """Poll once."""
        self.node.iteration.end()
        answer = await self.http.post(f"{address}/xhr?protocol=7")
        assert answer.status_code == 200
        return read_frames(answer.content)

    async def post(self, *messages: str, address: str = ADDRESS) -> httpx.Response:
        """Post messages."""
        return await self.http.post(f"{address}/xhr_send", content=json.dumps(messages))

    async def stream(self, address: str = ADDRESS) -> "Stream":
        """Open a stream, which another node's connection is to feed."""
        opening = self.door(UpgradeRequest(f"{address}/xhr_streaming", b"protocol=7", [], False))
        assert not callable(opening)
        stream = Stream()
        session = (await opening)(stream)
        assert isinstance(session, RelayedStream)
        stream.session = session
        session.opened()
        return stream

    async def publish(self, *data: str) -> None:
        """Publish events, and let them go out."""
        for each in data:
            await publish(self.node, data=each)
        self.node.iteration.end()


class Stream:
    """A stream without a socket. Implements ``Peer``, and treats the session as the edge does."""

    def __init__(self) -> None:
        self.text = b""
        self.is_open = True
        self.session: RelayedStream
        self._changed = asyncio.Event()

    def write(self, data: bytes) -> None:
        if self.is_open:
            self.text += data
            self._changed.set()

    def close(self, code: int, reason: str) -> None:
        if self.is_open:
            self.is_open = False
            self._changed.set()
            run_detached(self.session.closed())

    async def until_closed(self) -> None:
        """Wait until the server has ended it."""
        async with asyncio.timeout(10):
            while self.is_open:
                self._changed.clear()
                await self._changed.wait()

    async def data(self, count: int) -> list[str]:
        """Wait until so many events have come; their data."""
        async with asyncio.timeout(10):
            while self.text.count(b'\\"e\\"') < count:
                self._changed.clear()
                await self._changed.wait()
        return data_of(self.frames())

    def frames(self) -> list[Frame]:
        """What has come, but for what a stream begins with and heartbeats."""
        assert self.text.startswith(sockjs.PRELUDE)
        return [frame for frame in read_frames(self.text) if frame[0] != "h"]


Sites = tuple[Site, Site]


@pytest.fixture
async def sites() -> AsyncIterator[Sites]:
    """Two nodes that can ask each other."""
    brokers = MemoryBroker(), MemoryBroker()
    brokers[1]._post = brokers[0].post
    here, owner = Site(brokers[0]), Site(brokers[1])
    async with here.http, owner.http:
        yield here, owner


async def subscribed(sites: Sites, address: str = ADDRESS) -> None:
    """A client of the second node that has subscribed, by way of the first."""
    here, owner = sites
    opening, *_ = await owner.poll(address)
    assert opening == ("o", None)
    if address == SOCKJS_ADDRESS:
        await here.post(json.dumps({"path": f"/app/{KEY}?protocol=7"}), address=address)
        await here.poll(address)
    assert (await here.post(SUBSCRIBE, address=address)).status_code == 204
    (succeeded,) = read_messages(await here.poll(address))
    assert succeeded["event"] == "pusher_internal:subscription_succeeded"


async def waits(owner: Site, turn: int, address: str = ADDRESS) -> None:
    """Wait until the owner's connection has had so many polls, or ends of polls."""
    connection = owner.node.connections.find(f"{address}/xhr")
    async with asyncio.timeout(10):
        while connection.turn < turn:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)


def turn(owner: Site) -> int:
    """How many polls, and ends of polls, there have been."""
    return owner.node.connections.find(f"{ADDRESS}/xhr").turn


def assert_nothing_is_kept(sites: Sites) -> None:
    for site in sites:
        site.node.assert_nothing_is_kept()
        assert site.node.broker.post._answers == {}


class TestPollsAndPosts:
    async def test_any_node_takes_them(self, sites: Sites) -> None:
        here, owner = sites
        await subscribed(sites)
        assert len(here.node.connections) == 0
        for site in sites:
            await owner.publish("1", "2")
            assert data_of(await site.poll()) == ["1", "2"]
            assert (await site.post(PING, PING)).status_code == 204
            assert [message["event"] for message in read_messages(await site.poll())] == ["pusher:pong"] * 2

    async def test_what_is_refused_is_refused_everywhere(self, sites: Sites) -> None:
        here, _ = sites
        await subscribed(sites)
        too_long = json.dumps(["x" * (MESSAGE_BYTES + 1)])
        for body, status in ((b"{", 400), (too_long.encode(), 413), (b"x" * (BODY_BYTES + 1), 413)):
            assert (await here.http.post(f"{ADDRESS}/xhr_send", content=body)).status_code == status

    async def test_posting_to_nobody_is_not_found(self, sites: Sites) -> None:
        answer = await sites[0].post(PING)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_connection")

    async def test_a_second_poll_ends_the_first(self, sites: Sites) -> None:
        here, owner = sites
        await subscribed(sites)
        polls = turn(owner)
        first = asyncio.create_task(here.poll())
        await waits(owner, polls + 1)
        second = asyncio.create_task(here.poll())
        assert await first == [("c", [2010, "Another connection still open"])]
        await owner.publish("1")
        assert data_of(await second) == ["1"]

    async def test_a_poll_tells_how_the_connection_ended(self, sites: Sites) -> None:
        here, owner = sites
        await subscribed(sites)
        owner.node.connections.find(f"{ADDRESS}/xhr").session.end(EndReason.TERMINATED)
        *_, (letter, (code, _)) = await here.poll()
        assert (letter, code) == ("c", 4009)
        assert_nothing_is_kept(sites)

    async def test_a_node_that_stops_answers_the_polls_of_other_nodes_clients(self, sites: Sites) -> None:
        here, owner = sites
        await subscribed(sites)
        polls = turn(owner)
        poll = asyncio.create_task(here.poll())
        await waits(owner, polls + 1)
        here.node.connections.drain()
        assert await poll == [("h", None)]
        await owner.publish("1")
        assert data_of(await owner.poll()) == ["1"]


class TestStreams:
    @pytest.mark.parametrize("address", [ADDRESS, SOCKJS_ADDRESS])
    async def test_a_stream_is_fed_from_wherever_the_connection_is(self, sites: Sites, address: str) -> None:
        here, owner = sites
        await subscribed(sites, address)
        await owner.publish("0")
        stream = await here.stream(address)
        assert await stream.data(1) == ["0"]
        for number in range(1, 5):
            await owner.publish(str(number))
            assert await stream.data(number + 1) == [str(n) for n in range(number + 1)]

    @pytest.mark.parametrize("address", [ADDRESS, SOCKJS_ADDRESS])
    async def test_one_that_is_full_gives_way_to_the_next_with_nothing_lost(self, sites: Sites, address: str) -> None:
        here, owner = sites
        await subscribed(sites, address)
        data = [f"{number} {'x' * 9000}" for number in range(STREAM_BYTES // 4500)]
        await owner.publish(*data[: len(data) // 2])
        first = await here.stream(address)
        await owner.publish(*data[len(data) // 2 :])
        received: list[str] = []
        streams = [first]
        while len(received) < len(data):
            stream = streams[-1]
            more = len(data) - len(received)
            # As much as pusher-js reads of one: up to the end of the frame with which it is too long.
            async with asyncio.timeout(10):
                while len(stream.text) <= STREAM_BYTES and stream.text.count(b'\\"e\\"') < more:
                    stream._changed.clear()
                    await stream._changed.wait()
            received += data_of(stream.frames())
            assert stream.text.rfind(b"\n", 0, -1) < STREAM_BYTES + 1
            streams.append(await here.stream(address))
        assert received == data
        assert len(streams) > 2
        assert {stream.is_open for stream in streams[:-2]} == {address == ADDRESS}

    async def test_a_full_stream_that_is_not_left_ends(self, sites: Sites) -> None:
        here, owner = sites
        await subscribed(sites)
        stream = await here.stream()
        await owner.publish("x" * 250_000)
        await owner.publish("y" * 50_000)
        await stream.data(2)
        async with asyncio.timeout(10):
            while not any(here.node.wheel._slots):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
        for _ in range(RETURN_TIMEOUT + 1):
            here.node.wheel.advance()
        assert not stream.is_open

    async def test_one_whose_client_has_gone_swallows_nothing(self, sites: Sites) -> None:
        here, owner = sites
        await subscribed(sites)
        polls = turn(owner)
        stream = await here.stream()
        await waits(owner, polls + 1)
        stream.close(0, "")
        await waits(owner, polls + 2)
        await owner.publish("1")
        assert data_of(await here.poll()) == ["1"]

    async def test_it_ends_with_the_connection(self, sites: Sites) -> None:
        here, owner = sites
        await subscribed(sites)
        stream = await here.stream()
        owner.node.connections.find(f"{ADDRESS}/xhr").session.end(EndReason.TERMINATED)
        await stream.until_closed()
        *_, (letter, (code, _)) = stream.frames()
        assert (letter, code) == ("c", 4009)
        assert_nothing_is_kept(sites)

    async def test_a_client_that_does_not_read_it_is_ended(self, sites: Sites) -> None:
        here, _ = sites
        await subscribed(sites)
        stream = await here.stream()
        stream.session.end(EndReason.TOO_SLOW)
        assert not stream.is_open
        *_, (letter, (code, _)) = await here.poll()
        assert (letter, code) == ("c", 4100)

    async def test_a_node_that_stops_ends_it_and_not_the_connection(self, sites: Sites) -> None:
        here, owner = sites
        await subscribed(sites)
        polls = turn(owner)
        stream = await here.stream()
        await waits(owner, polls + 1)
        stream.session.end(EndReason.DRAINING)
        await waits(owner, polls + 2)
        await owner.publish("1")
        assert data_of(await owner.poll()) == ["1"]

    async def test_without_the_other_nodes_a_connection_is_opened_here(
        self, sites: Sites, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, _ = sites

        async def fail(address: str, question: bytes, seconds: float) -> bytes:
            raise UnavailableError("broker_unavailable", "Try again later.")

        monkeypatch.setattr(here.node.broker.post, "ask", fail)
        opening = here.door(UpgradeRequest(f"{ADDRESS}/xhr_streaming", b"protocol=7", [], False))
        assert not callable(opening)
        assert callable(await opening)
        assert len(here.node.connections) == 1
        assert (await here.poll(ADDRESS.replace("abcdefgh", "ijklmnop")))[0] == ("o", None)
