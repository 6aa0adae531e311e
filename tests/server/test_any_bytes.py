"""Whatever a client sends, in whatever pieces: it is answered or closed, and nothing goes wrong unnoticed."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise

import httptools
import pytest
import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.http_client import PATIENCE, request, upgrade
from server.live import LiveServer
from server.test_http_connection import AMBIGUOUS, CHUNKED, JUNK
from server.test_http_lane import CHANNELS, EVENT, HEALTH, chunked, publish
from server.websocket_client import close, frame, text
from skubber.codecs.websocket_frames import Opcode
from support.apps import KEY
from support.websocket_readings import WsprotoReading

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

A_WHILE = 400
"""Seconds after which no connection is left whose client says nothing: the longest of all timeouts together."""

A_MOMENT = 1
"""Seconds that a request may take which has come in whole."""

Run = Callable[[Callable[[], Awaitable[None]]], None]


class Responses:
    """Reads a stream of responses to requests that were not HEAD."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.is_complete = True
        self._parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        self.is_complete = False

    def on_message_complete(self) -> None:
        self.statuses.append(self._parser.get_status_code())
        self.is_complete = True

    def feed(self, data: bytes) -> None:
        self._parser.feed_data(data)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a coroutine on an event loop that lives as long as the test."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield lambda coroutine: runner.run(coroutine())  # type: ignore[arg-type]


async def conversation(live: LiveServer, parts: list[bytes]) -> bytes:
    """Send bytes in parts; returns everything the server says, the passing of much time included.

    Raises:
        TimeoutError: the server does not come to an end.
    """
    async with asyncio.timeout(PATIENCE):
        return await _converse(live, parts)


async def _converse(live: LiveServer, parts: list[bytes]) -> bytes:
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    said = bytearray()
    with ours:
        await loop.connect_accepted_socket(live.new_connection, theirs)
        for part in parts:
            if not await _send(ours, part):
                break
            await _quiet(live, ours, said)
        for _ in range(A_WHILE):
            live.runtime.wheel.advance()
        await _quiet(live, ours, said)
        for _ in range(A_WHILE):
            live.runtime.wheel.advance()
        await _quiet(live, ours, said)
        assert live.connections == set()
    return bytes(said)


async def _send(ours: socket.socket, part: bytes) -> bool:
    """Send; False when the server has hung up."""
    try:
        await asyncio.get_running_loop().sock_sendall(ours, part)
    except ConnectionError:
        return False
    return True


async def _quiet(live: LiveServer, ours: socket.socket, said: bytearray) -> None:
    """Read until the server has nothing more to say for now."""
    quiet_turns = 0
    while quiet_turns < 4:
        await asyncio.sleep(0)
        quiet_turns += 1
        with contextlib.suppress(BlockingIOError, ConnectionError):
            if data := ours.recv(1 << 20):
                said += data
                quiet_turns = 0
        if live.tasks and quiet_turns > 1:
            done, _ = await asyncio.wait(live.tasks, timeout=A_MOMENT)
            if not done:
                return  # a body is waited for that does not come
            quiet_turns = 0


def check(said: bytes) -> None:
    """Everything the server said is HTTP, and WebSocket frames behind an accepted upgrade."""
    http, switched, frames = said.partition(SWITCHED)
    responses = Responses()
    responses.feed(http.replace(CONTINUE, b""))
    assert responses.is_complete
    assert not [status for status in responses.statuses if status >= 500]
    if switched:
        _, end, frames = frames.partition(b"\r\n\r\n")
        assert end
        reading = WsprotoReading(of_server=True)
        reading.feed(frames)
        assert reading.error is None


def in_parts(stream: bytes, shares: list[float]) -> list[bytes]:
    edges = [0, *(int(share * len(stream)) for share in shares), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


SHARES = st.lists(st.floats(0, 1), max_size=5).map(sorted)

HEADERS = [
    b"Connection: close",
    b"Connection: keep-alive, Upgrade",
    b"Upgrade: websocket",
    b"Upgrade: h2c",
    b"Expect: 100-continue",
    b"Content-Length: 5",
    b"Content-Length: 99999999",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked",
    b"Host: [::1",
    b"X-Api-Key: " + KEY.encode(),
    b"X: " + b"x" * 5000,
    b"X:",
    b"\xe9: \xe9",
]
TARGETS = [b"/apps/4711/events", b"/apps/%ff/%00", b"/apps/", b"/health", b"*", b"//", b"http://x/health", b"/?%"]
REQUEST_LINES = st.builds(
    b"%b %b HTTP/%b".__mod__,
    st.tuples(
        st.sampled_from([b"GET", b"POST", b"OPTIONS", b"DELETE", b"CONNECT", b"PRI"]),
        st.sampled_from(TARGETS),
        st.sampled_from([b"1.1", b"1.1", b"1.0", b"2.0"]),
    ),
)
HEADS = st.builds(
    lambda line, headers: b"\r\n".join([line, *headers, b"", b""]),
    REQUEST_LINES,
    st.lists(st.sampled_from(HEADERS), max_size=4),
)
WHOLE_REQUESTS = [
    HEALTH,
    CHANNELS,
    publish(),
    publish("Expect: 100-continue"),
    publish("Connection: Upgrade", "Upgrade: h2c"),
    CHUNKED + chunked(EVENT, 10),
    request("GET", "/docs"),
    request("POST", "/health", body=b"12345"),
    upgrade("/elsewhere"),
    upgrade(f"/app/{KEY}?protocol=7"),
]
PIECES = st.one_of(
    st.sampled_from(WHOLE_REQUESTS),
    HEADS,
    st.sampled_from(AMBIGUOUS).map(lambda rest: b"POST /apps/4711/events HTTP/1.1\r\n" + rest),
    st.sampled_from(JUNK),
    st.sampled_from([b"\r\n", b"0\r\n\r\n", b"5\r\n", b"12345", b"\0", b"x" * 5000]),
    st.binary(max_size=30),
)


def damage(stream: bytes, changes: list[tuple[float, int]]) -> bytes:
    """Replace some bytes."""
    damaged = bytearray(stream)
    for share, byte in changes:
        if damaged:
            damaged[int(share * (len(damaged) - 1))] = byte
    # The answer to HEAD cannot be told from the start of a longer one.
    return bytes(damaged).replace(b"HEAD", b"HEXX")


CHANGES = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=2)
STREAMS = st.builds(damage, st.lists(PIECES, max_size=5).map(b"".join), CHANGES)


def test_any_bytes_are_answered_with_http_or_closed(run: Run) -> None:
    @settings(deadline=None, max_examples=300)
    @given(STREAMS, SHARES)
    @example(HEALTH + b"junk\r\n", [])
    @example(HEALTH + upgrade(f"/app/{KEY}?protocol=7"), [])
    @example(publish("Connection: Upgrade", "Upgrade: h2c") + HEALTH, [0.5])
    @example(b"POST http://x/apps/4711/events HTTP/1.1\r\nContent-Length: 5\r\n\r\n", [])
    def check_stream(stream: bytes, shares: list[float]) -> None:
        async def talk() -> None:
            async with LiveServer() as live:
                check(await conversation(live, in_parts(stream, shares)))

        run(talk)

    check_stream()


FRAMES = st.one_of(
    st.builds(
        text, st.sampled_from([b"{}", b"[", b'{"event":"pusher:ping"}', b'{"event":"pusher:subscribe","data":{}}'])
    ),
    st.builds(frame, st.sampled_from(list(Opcode)), st.binary(max_size=130), fin=st.booleans()),
    st.sampled_from([close(), close(None), b"\x81\xff" + b"\x7f" * 8, b"\x82\xfe\xff\xff", text(b"") * 200]),
    st.binary(max_size=30),
)
FRAME_STREAMS = st.builds(damage, st.lists(FRAMES, max_size=8).map(b"".join), CHANGES)


@pytest.mark.parametrize("target", [f"/app/{KEY}?protocol=7", "/app/unknown?protocol=7"])
def test_any_bytes_are_answered_with_frames_or_closed(run: Run, target: str) -> None:
    @settings(deadline=None, max_examples=100)
    @given(FRAME_STREAMS, SHARES)
    def check_stream(stream: bytes, shares: list[float]) -> None:
        async def talk() -> None:
            async with LiveServer() as live:
                said = await conversation(live, in_parts(upgrade(target) + stream, shares))
                assert SWITCHED in said
                check(said)

        run(talk)

    check_stream()


def test_bytes_that_never_arrived_are_no_reason_to_wait(run: Run) -> None:
    async def talk() -> None:
        async with LiveServer() as live:
            assert await conversation(live, []) == b""

    run(talk)
