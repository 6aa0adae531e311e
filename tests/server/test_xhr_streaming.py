"""Pusher's HTTP streams over real connections."""

import asyncio
import json
from typing import Any

import pytest

from server.http_client import PATIENCE, HttpClient, request
from server.live import LiveServer
from skubber.core.connection import EndReason
from skubber.core.event import Event
from skubber.server.direct import discard
from skubber.server.stream_edge import StreamEdge
from skubber.sessions.pusher_http import RETURN_TIMEOUT
from support.apps import KEY, make_app
from support.pusher_client import Message
from support.pusher_http_client import read_frames, read_messages

ADDRESS = f"/pusher/app/{KEY}/12/abcdefgh"
HEALTH = request("GET", "/health")
SUBSCRIBE = json.dumps([json.dumps({"event": "pusher:subscribe", "data": {"channel": "c"}})]).encode()


class StreamClient:
    """A client on a stream."""

    def __init__(self, http: HttpClient) -> None:
        self.http = http
        self.head = b""

    @classmethod
    async def opened(cls, live: LiveServer, *headers: str, address: str = ADDRESS, body: bytes = b"") -> "StreamClient":
        """Ask for a stream and take what it begins with."""
        client = cls(await live.connect())
        client.http.send(request("POST", f"{address}/xhr_streaming?protocol=7&t=1&n=1", *headers, body=body))
        async with asyncio.timeout(PATIENCE):
            client.head = await client.http.reader.readuntil(b"\r\n\r\n")
            assert await client.http.reader.readline() == b"h" * 2048 + b"\n"
        return client

    @classmethod
    async def greeted(cls, live: LiveServer, *headers: str) -> "StreamClient":
        """Ask for a stream and be let in."""
        client = await cls.opened(live, *headers)
        assert await client.line() == b"o\n"
        assert (await client.message())["event"] == "pusher:connection_established"
        return client

    async def line(self) -> bytes:
        """The next frame."""
        async with asyncio.timeout(PATIENCE):
            return await self.http.reader.readline()

    async def message(self) -> Message:
        """The message in the next frame."""
        (message,) = read_messages(read_frames(await self.line()))
        return message

    async def close_code(self) -> int:
        """Read on until the stream ends; returns the code that it ends with."""
        *_, (letter, (code, _)) = read_frames(await self.http.rest())
        assert letter == "c"
        result: int = code
        return result


async def post(live: LiveServer, body: bytes, address: str = ADDRESS) -> int:
    """Post something; returns the answer's status."""
    http = await live.connect()
    http.send(request("POST", f"{address}/xhr_send?t=1&n=2", body=body))
    return (await http.answer()).status


async def publish(live: LiveServer, data: Any = "d") -> None:
    await live.runtime.hub.publish(make_app(), ("c",), Event("e", json.dumps(data).encode()))


async def subscribed(live: LiveServer) -> StreamClient:
    """A client that has subscribed."""
    client = await StreamClient.greeted(live)
    assert await post(live, SUBSCRIBE) == 204
    assert (await client.message())["event"] == "pusher_internal:subscription_succeeded"
    return client


def edges(live: LiveServer) -> list[StreamEdge]:
    """The server's ends of all streams."""
    return [each for each in live.connections if isinstance(each, StreamEdge)]


async def streams_left(live: LiveServer, count: int) -> None:
    """Wait until so many streams are left."""
    async with asyncio.timeout(PATIENCE):
        while len(edges(live)) > count:  # noqa: ASYNC110 - they tell nobody
            await asyncio.sleep(0)


async def test_a_stream_begins_at_once_and_is_not_to_be_kept_or_held_up(live: LiveServer) -> None:
    client = await StreamClient.greeted(live)
    lines = client.head.decode().lower().split("\r\n")
    assert lines[0] == "http/1.1 200 ok"
    assert "content-type: application/javascript; charset=utf-8" in lines
    assert "cache-control: no-cache, no-store" in lines
    assert "x-accel-buffering: no" in lines
    assert "connection: close" in lines
    assert not any(line.startswith(("content-length", "access-control")) for line in lines)


async def test_pages_of_any_origin_may_read_a_stream(live: LiveServer) -> None:
    client = await StreamClient.greeted(live, "Origin: https://shop.example.com")
    assert b"access-control-allow-origin: https://shop.example.com\r\n" in client.head


async def test_an_event_leaves_without_a_task(live: LiveServer) -> None:
    client = await subscribed(live)
    assert live.tasks == set()
    await publish(live, "ü")
    assert (await client.message())["data"] == "ü"


async def test_the_body_of_the_request_does_not_matter(live: LiveServer) -> None:
    client = await StreamClient.opened(live, body=HEALTH)
    assert await client.line() == b"o\n"
    client.http.send(HEALTH)
    assert (await client.message())["event"] == "pusher:connection_established"
    assert await post(live, SUBSCRIBE) == 204
    assert (await client.message())["event"] == "pusher_internal:subscription_succeeded"


async def test_the_body_of_the_request_may_come_later(live: LiveServer) -> None:
    http = await live.connect()
    http.send(request("POST", f"{ADDRESS}/xhr_streaming?protocol=7", "Content-Length: 2"))
    async with asyncio.timeout(PATIENCE):
        assert (await http.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    http.send(b"[]", HEALTH)
    assert await post(live, b"[]") == 204


async def test_a_connection_that_was_used_can_become_a_stream(live: LiveServer) -> None:
    client = StreamClient(await live.connect())
    client.http.send(HEALTH)
    assert (await client.http.answer()).status == 200
    client.http.send(request("POST", f"{ADDRESS}/xhr_streaming?protocol=7", body=b""))
    assert (await client.http.answer()).status == 200
    assert (await client.line()).startswith(b"hhhh")


async def test_no_stream_cuts_in_before_an_outstanding_answer(live: LiveServer) -> None:
    http = await live.connect()
    stream = request("POST", f"{ADDRESS}/xhr_streaming?protocol=7", body=b"")
    http.send(HEALTH, stream, HEALTH)
    assert [answer.status for answer in await http.answers(3)] == [200, 409, 200]


async def test_an_address_that_cannot_be_is_not_found(live: LiveServer) -> None:
    http = await live.connect()
    http.send(request("POST", "/pusher/1/a.b/xhr_streaming", "Origin: https://a.example", body=b""))
    answer = await http.answer()
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (404, "https://a.example")
    assert len(live.runtime.pusher_http) == 0


async def test_a_client_that_hangs_up_may_come_back_for_a_while(live: LiveServer) -> None:
    client = await subscribed(live)
    await client.http.close()
    await streams_left(live, 0)
    await publish(live)
    await live.pass_time(RETURN_TIMEOUT - 1)
    client = await StreamClient.opened(live)
    assert (await client.message())["data"] == "d"


async def test_a_client_that_hangs_up_for_good_leaves_nothing_behind(live: LiveServer) -> None:
    client = await subscribed(live)
    await client.http.close()
    await streams_left(live, 0)
    await live.pass_time(RETURN_TIMEOUT)
    assert len(live.runtime.pusher_http) == 0
    assert live.runtime.hub._namespaces == {}


async def test_another_stream_ends_the_one_before(live: LiveServer) -> None:
    first = await subscribed(live)
    second = await StreamClient.opened(live)
    assert await first.http.rest() == b""
    await publish(live)
    assert (await second.message())["data"] == "d"


async def test_a_stopping_server_sends_streaming_clients_to_reconnect(live: LiveServer) -> None:
    client = await subscribed(live)
    for connection in list(live.connections):
        connection.shutdown()
    assert await client.close_code() == 4200
    assert len(live.runtime.pusher_http) == 0


@pytest.mark.parametrize("reason", [EndReason.TERMINATED, EndReason.TOO_SLOW])
async def test_a_stream_ends_with_the_protocols_code(live: LiveServer, reason: EndReason) -> None:
    client = await subscribed(live)
    (edge,) = edges(live)
    live.runtime.pusher_http.find(f"{ADDRESS}/xhr").session.end(reason)
    assert edge.write is discard
    assert await client.close_code() == {EndReason.TERMINATED: 4009, EndReason.TOO_SLOW: 4100}[reason]
    await streams_left(live, 0)


async def test_a_client_that_reads_nothing_is_ended_and_counted() -> None:
    async with LiveServer(write_buffer_bytes=50_000) as live:
        client = await subscribed(live)
        client.http.writer.transport.pause_reading()  # type: ignore[attr-defined]
        while not live.runtime.edge.slow_clients:
            await publish(live, "x" * 10_000)
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert live.runtime.hub._namespaces == {}
        assert live.runtime.edge.slow_clients == 1
