"""Event streams of the admin API, over ASGI: how they go on, and what ends them."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from starlette.types import Message

from skubber.core.errors import UnauthorizedError, UnavailableError
from skubber.web.admin.event_stream import EventStreams


class Tick(msgspec.Struct):
    """What the streams of these tests are of."""

    number: int


class Client:
    """Reads one stream.

    Attributes:
        ticks: what the stream is of; None ends it.
        is_source_closed: whether the stream has let go of that.
        refusal: what its client's checks end with.
    """

    def __init__(self, streams: EventStreams) -> None:
        self.ticks: asyncio.Queue[Tick | None] = asyncio.Queue()
        self.is_source_closed = False
        self.refusal: Exception | None = None
        self.checks = asyncio.Semaphore(0)
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        response = streams.response("tick", self._source(), self._check)
        self.running = asyncio.ensure_future(
            response({"type": "http", "method": "GET"}, self._incoming.get, self._sent.put)
        )

    async def start(self) -> Message:
        """The head of the answer."""
        return await self._sent.get()

    async def read(self) -> bytes:
        """What comes next; nothing when the stream is over."""
        body: bytes = (await self._sent.get())["body"]
        return body

    def hang_up(self) -> None:
        """Go away."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def _source(self) -> AsyncIterator[Tick]:
        try:
            while (tick := await self.ticks.get()) is not None:
                yield tick
        finally:
            self.is_source_closed = True

    async def _check(self) -> None:
        self.checks.release()
        if self.refusal is not None:
            raise self.refusal


async def opened(streams: EventStreams) -> Client:
    """A client that has read the head and the first comment."""
    client = Client(streams)
    await client.start()
    assert await client.read() == b": \r\n\r\n"
    return client


async def ended(client: Client) -> None:
    """Wait for the end of a stream."""
    while await client.read():
        pass
    await client.running
    assert client.is_source_closed


@pytest.fixture
def streams() -> EventStreams:
    """They look for nothing by themselves within the time of a test."""
    return EventStreams(check_interval=600, comment_interval=600)


async def test_values_leave_as_named_events_of_json(streams: EventStreams) -> None:
    client = Client(streams)
    head = await client.start()
    assert head["status"] == 200
    headers = dict(head["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert b"content-length" not in headers
    await client.read()
    client.ticks.put_nowait(Tick(1))
    assert await client.read() == b'event: tick\r\ndata: {"number":1}\r\n\r\n'
    client.ticks.put_nowait(Tick(2))
    assert await client.read() == b'event: tick\r\ndata: {"number":2}\r\n\r\n'
    client.ticks.put_nowait(None)
    await ended(client)


async def test_a_stream_ends_when_its_client_is_gone(streams: EventStreams) -> None:
    client = await opened(streams)
    client.ticks.put_nowait(Tick(1))
    await client.read()
    client.hang_up()
    await ended(client)
    assert len(streams) == 0


async def test_a_silent_stream_says_that_it_is_there() -> None:
    client = await opened(EventStreams(check_interval=600, comment_interval=0.01))
    assert await client.read() == b": \r\n\r\n"
    client.ticks.put_nowait(Tick(1))
    while (sent := await client.read()) == b": \r\n\r\n":
        pass
    assert sent.startswith(b"event: tick")
    client.hang_up()
    await ended(client)


async def test_a_stream_ends_when_its_client_may_not_listen_any_more() -> None:
    client = await opened(EventStreams(check_interval=0.01, comment_interval=600))
    await client.checks.acquire()
    client.refusal = UnauthorizedError("invalid_admin_token", "It was revoked.")
    await ended(client)


async def test_a_stream_outlives_a_database_that_cannot_be_asked() -> None:
    client = Client(EventStreams(check_interval=0.01, comment_interval=600))
    client.refusal = UnavailableError("broker_unavailable", "Not now.")
    await client.start()
    for _ in range(3):
        await client.checks.acquire()
    assert await client.read() == b": \r\n\r\n"
    client.ticks.put_nowait(Tick(1))
    assert (await client.read()).startswith(b"event: tick")
    client.hang_up()
    await ended(client)


async def test_a_server_that_stops_ends_all_and_opens_no_more(streams: EventStreams) -> None:
    clients = [await opened(streams) for _ in range(2)]
    streams.close()
    for client in clients:
        await ended(client)
    with pytest.raises(UnavailableError) as refused:
        Client(streams)
    assert refused.value.code == "draining"


async def test_only_so_many_are_open_at_a_time() -> None:
    streams = EventStreams(1, check_interval=600, comment_interval=600)
    client = await opened(streams)
    with pytest.raises(UnavailableError) as refused:
        Client(streams)
    assert refused.value.code == "too_many_event_streams"
    client.hang_up()
    await ended(client)
    another = await opened(streams)
    another.hang_up()
    await ended(another)


async def test_what_goes_wrong_in_its_source_is_raised_and_ends_it(streams: EventStreams) -> None:
    async def failing() -> AsyncIterator[Tick]:
        yield Tick(1)
        raise RuntimeError("the source failed")

    sent: asyncio.Queue[Message] = asyncio.Queue()
    response = streams.response("tick", failing(), lambda: asyncio.sleep(0))
    with pytest.raises(RuntimeError, match="the source failed"):
        await response({"type": "http", "method": "GET"}, asyncio.Queue[Message]().get, sent.put)
    assert len(streams) == 0
