"""Clients at a door that has to ask other nodes before it lets anybody in."""

import asyncio
from functools import partial

import pytest

from server.http_client import HttpClient, request, upgrade
from server.live import LiveServer
from server.sessions import RecordingSession
from server.websocket_client import text
from skubber.core.errors import NotFoundError, SkubberError, UnavailableError
from skubber.server.stream_edge import StreamRoute
from skubber.sessions.session import OpenSession, Peer, UpgradeRequest

HEALTH = request("GET", "/health")
WEBSOCKET, STREAM = upgrade("/slow"), request("POST", "/slow", body=b"")
BOTH = pytest.mark.parametrize("asked", [WEBSOCKET, STREAM], ids=["websocket", "stream"])


class SlowDoor:
    """Lets clients in when the test says so, and turns them away if it says why.

    Attributes:
        is_asked: set when somebody waits.
        sessions: the sessions of those who were let in.
        refusal: why nobody is.
    """

    def __init__(self, live: LiveServer) -> None:
        self.is_asked = asyncio.Event()
        self.sessions: list[RecordingSession] = []
        self.refusal: Exception | None = None
        self._may_answer = asyncio.Event()
        self._has_answered = asyncio.Event()
        live.runtime.websocket_routes["slow"] = self
        live.runtime.stream_routes["slow"] = StreamRoute(self, b"POST", b"text/plain", lambda *_: True)

    async def __call__(self, request: UpgradeRequest) -> OpenSession:
        self.is_asked.set()
        await self._may_answer.wait()
        self._has_answered.set()
        if self.refusal is not None:
            raise self.refusal
        return partial(self._open, request)

    async def answer(self) -> None:
        """Let everybody in, now and later; returns when whoever waited has been."""
        self._may_answer.set()
        await self._has_answered.wait()
        await asyncio.sleep(0)

    def _open(self, request: UpgradeRequest, peer: Peer) -> RecordingSession:
        self.sessions.append(RecordingSession(request, peer))
        return self.sessions[-1]


@pytest.fixture
def door(live: LiveServer) -> SlowDoor:
    """The door of ``/slow``, for WebSockets and for streams."""
    return SlowDoor(live)


async def knocking(live: LiveServer, door: SlowDoor, *asked: bytes) -> HttpClient:
    """A client that waits."""
    client = await live.connect()
    client.send(*asked)
    await door.is_asked.wait()
    return client


async def test_a_websocket_is_opened_when_the_door_is(live: LiveServer, door: SlowDoor) -> None:
    client = await knocking(live, door, WEBSOCKET)
    assert not client.has_answer
    await door.answer()
    assert (await client.answer()).status == 101
    client.send(text(b"hello"))
    assert await door.sessions[0].has_received(1) == [b"hello"]


async def test_what_a_client_sends_meanwhile_comes_through_then(live: LiveServer, door: SlowDoor) -> None:
    client = await knocking(live, door, WEBSOCKET, text(b"with the request"))
    await client.send_separately(text(b"behind it"))
    await door.answer()
    assert (await client.answer()).status == 101
    assert await door.sessions[0].has_received(2) == [b"with the request", b"behind it"]


async def test_a_stream_is_opened_when_the_door_is(live: LiveServer, door: SlowDoor) -> None:
    client = await knocking(live, door, STREAM)
    assert not client.has_answer
    await door.answer()
    answer = await client.answer()
    assert (answer.status, answer.closes) == (200, True)
    door.sessions[0].peer.close(0, "")
    assert (await client.rest()).endswith(b"opened")


@BOTH
@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (NotFoundError("no_such_connection", "Open a new one."), 404),
        (UnavailableError("broker_unavailable", "Try again later."), 503),
    ],
)
async def test_a_client_is_turned_away_late(
    live: LiveServer, door: SlowDoor, asked: bytes, refusal: SkubberError, status: int
) -> None:
    door.refusal = refusal
    client = await knocking(live, door, asked, HEALTH)
    await door.answer()
    answer = await client.answer()
    assert (answer.status, answer.body.decode(), answer.closes) == (status, refusal.message, True)
    assert await client.rest() == b""


@BOTH
async def test_a_client_that_has_hung_up_is_not_let_in(live: LiveServer, door: SlowDoor, asked: bytes) -> None:
    client = await knocking(live, door, asked)
    client.writer.transport.abort()
    await door.answer()
    async with asyncio.timeout(10):
        while live.connections:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
    assert all(session.closings == 1 for session in door.sessions)


@BOTH
async def test_a_server_that_stops_waits_for_no_door(live: LiveServer, door: SlowDoor, asked: bytes) -> None:
    client = await knocking(live, door, asked)
    await live.shut_down()
    assert await client.is_cut()
    await door.answer()
    assert not door.sessions


@BOTH
async def test_a_door_that_fails_ends_the_connection(live: LiveServer, door: SlowDoor, asked: bytes) -> None:
    door.refusal = ValueError("a bug")
    client = await knocking(live, door, asked)
    await door.answer()
    assert await client.is_cut()
    assert len(live.errors()) == 1


async def test_the_next_request_is_not_answered_before(live: LiveServer, door: SlowDoor) -> None:
    client = await knocking(live, door, STREAM, HEALTH)
    await client.send_separately(HEALTH)
    assert not client.has_answer
    await door.answer()
    assert (await client.answer()).status == 200
    door.sessions[0].peer.close(0, "")
    assert b"HTTP/1.1" not in await client.rest()
