"""SignalR connections in the long run, on the wire: pings, slow readers, streams, stateful reconnect."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import websockets

from e2e.support.api import HEADERS
from e2e.support.server import APP_ID, NewServer, Server
from e2e.support.signalr import SERVER_SENT_EVENTS, WEBSOCKETS, access_token, hub_url, publish
from e2e.support.signalr_raw import HANDSHAKE, PING, RawHttp, RawHub, call, stream_call
from support.signalr_messages import json_record

# -- life and death


async def test_the_server_pings_and_a_silent_client_is_ended(new_server: NewServer) -> None:
    server = new_server("--set", "signalr_keep_alive=1", "--set", "signalr_client_timeout=3")
    token = access_token(server)
    async with (
        RawHub.connected(server, token) as silent,
        RawHub.connected(server, token) as pinging,
        RawHttp.negotiated(server, token) as http,
        http.event_stream() as stream,
    ):
        await http.post(HANDSHAKE)
        assert await stream.receive() == {}

        async def answer_pings() -> None:
            while True:
                assert await pinging.receive_any() == PING
                await pinging.send(PING)

        answering = asyncio.create_task(answer_pings())
        close = {"type": 7, "error": "The client was silent for too long.", "allowReconnect": True}
        assert await silent.receive_any() == PING
        assert await silent.close_message() == close
        assert await stream.receive() == close
        assert await stream.is_over()
        answering.cancel()
        await asyncio.wait([answering])
        assert answering.cancelled()
        assert await pinging.is_alive()


@contextlib.asynccontextmanager
async def lazy_client(server: Server, transport: str, channel: str) -> AsyncIterator[None]:
    """A client that subscribes to a channel and then reads no more."""
    async with RawHttp.negotiated(server, access_token(server)) as http:
        with socket.create_connection(("127.0.0.1", server.port), 10) as lazy:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=lazy, limit=1)  # it reads nothing unasked
            path = hub_url(server, **http.query).removeprefix(server.url)
            said = HANDSHAKE + json_record(call("Subscribe", channel))
            if transport == WEBSOCKETS:
                writer.write(_upgrade(path) + _masked(said))
            else:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n".encode())
                await reader.read(12)
                assert (await http.post(said)).status_code == 200
            received = b""
            while b"SubscriptionSucceeded" not in received:
                received += await reader.read(1024)
            yield
            writer.transport.abort()


@pytest.mark.parametrize("transport", [WEBSOCKETS, SERVER_SENT_EVENTS])
async def test_a_client_that_does_not_read_is_cut_and_delays_nobody(new_server: NewServer, transport: str) -> None:
    server = new_server("--set", "write_buffer_bytes=100000")
    async with (
        RawHub.connected(server, access_token(server)) as reader,
        lazy_client(server, transport, "flood"),
        asyncio.timeout(30),
        httpx.AsyncClient(headers=HEADERS, verify=False) as client,
    ):
        await reader.invoke("Subscribe", "flood")
        while await _published(client, server, "flood") > 1:
            assert [(await reader.receive())["arguments"][0]["event"] for _ in range(10)] == list("0123456789")


async def _published(client: httpx.AsyncClient, server: Server, channel: str) -> int:
    """Publish ten large events; returns how many subscribers the channel has after that."""
    event = {"channel": channel, "data": "x" * 10_000, "info": "subscription_count"}
    batch = [{"name": str(number), **event} for number in range(10)]
    answer = await client.post(f"{server.url}/apps/{APP_ID}/batch_events", json={"batch": batch})
    count: int = answer.json()["batch"][-1]["subscription_count"]
    return count


def _upgrade(path: str) -> bytes:
    return (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def _masked(payload: bytes) -> bytes:
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


# -- streams


async def test_a_stream_ends_with_a_completion_when_it_is_cancelled(server: Server, token: str) -> None:
    async with RawHub.connected(server, token) as hub:
        await hub.send(stream_call("s", "raw-stream", target="streamevents"))
        assert await hub.is_alive()
        publish(server, "raw-stream")
        item = {"event": "greeting", "channel": "raw-stream", "data": "hello"}
        assert await hub.receive() == {"type": 2, "invocationId": "s", "item": item}
        await hub.send({"type": 5, "invocationId": "s"})
        assert await hub.receive() == {"type": 3, "invocationId": "s"}
        publish(server, "raw-stream")
        assert await hub.is_alive()


async def test_leaving_a_channel_ends_its_stream(server: Server, token: str) -> None:
    async with RawHub.connected(server, token) as hub:
        await hub.send(stream_call("s", "raw-left"), call("Unsubscribe", "raw-left", invocation_id="u"))
        assert [await hub.receive(), await hub.receive()] == [
            {"type": 3, "invocationId": "s"},
            {"type": 3, "invocationId": "u"},
        ]


async def test_streams_are_bounded_and_a_channel_is_had_once(server: Server, token: str) -> None:
    async with RawHub.connected(server, token) as hub:
        await hub.send(stream_call("0", "bounded-0"), stream_call("0", "bounded-again"))
        assert "(too_many_streams)" in (await hub.receive())["error"]
        await hub.send(*(stream_call(str(n), f"bounded-{n}") for n in range(1, 101)))
        assert "(too_many_streams)" in (await hub.receive())["error"]
        await hub.send({"type": 5, "invocationId": "0"}, stream_call("again", "bounded-1"))
        assert await hub.receive() == {"type": 3, "invocationId": "0"}
        assert "(already_subscribed)" in (await hub.receive())["error"]


# -- stateful reconnect


async def test_a_connection_resumes_by_sequence_numbers(server: Server, token: str) -> None:
    second_version = HANDSHAKE.replace(b"1", b"2").decode()
    async with RawHttp.negotiated(server, token, useStatefulReconnect="true") as http:
        connection = http.query["id"]
        async with RawHub.opened(server, token, id=connection) as hub:
            await hub.send(second_version)
            assert await hub.receive() == {}
            await hub.send(call("Subscribe", "resumed", invocation_id="1"))
            assert [(await hub.receive())["type"] for _ in "123"] == [1, 3, 8]
            await hub.send({"type": 8, "sequenceId": 1})
            publish(server, "resumed", data="3")
            assert (await hub.receive())["arguments"][0]["data"] == "3"
        publish(server, "resumed", data="4")
        async with RawHub.opened(server, token, id=connection) as hub:
            assert await hub.receive() == {"type": 9, "sequenceId": 2}
            assert (await hub.receive())["invocationId"] == "1"
            assert [(await hub.receive())["arguments"][0]["data"] for _ in "34"] == ["3", "4"]
            # The client's only message so far has been acknowledged; sent again, it is not done again.
            await hub.send({"type": 9, "sequenceId": 1}, call("Subscribe", "resumed", invocation_id="1"))
            assert await hub.receive() == {"type": 8, "sequenceId": 1}
            await hub.send(call("Unsubscribe", "resumed", invocation_id="2"))
            assert await hub.receive() == {"type": 3, "invocationId": "2"}
            assert await hub.receive() == {"type": 8, "sequenceId": 2}
            # Another WebSocket takes over from one that is still there.
            async with RawHub.opened(server, token, id=connection) as other:
                assert await other.receive() == {"type": 9, "sequenceId": 2}
                with pytest.raises(websockets.ConnectionClosed):
                    await hub.connection.recv()


async def test_a_client_that_skips_messages_cannot_resume(server: Server, token: str) -> None:
    second_version = HANDSHAKE.replace(b"1", b"2").decode()
    async with RawHttp.negotiated(server, token, useStatefulReconnect="true") as http:
        connection = http.query["id"]
        async with RawHub.opened(server, token, id=connection) as hub:
            await hub.send(second_version)
            assert await hub.receive() == {}
        async with RawHub.opened(server, token, id=connection) as hub:
            assert await hub.receive() == {"type": 9, "sequenceId": 1}
            await hub.send({"type": 9, "sequenceId": 7})
            assert "Sequence" in (await hub.close_message())["error"]
        with pytest.raises(websockets.InvalidStatus) as error:
            async with RawHub.opened(server, token, id=connection):
                pass
        assert error.value.response.status_code == 404


@pytest.mark.parametrize("query", [{}, {"useStatefulReconnect": "true"}], ids=["not asked for", "asked for"])
async def test_a_connection_of_the_first_version_is_not_resumed(
    server: Server, token: str, query: dict[str, str]
) -> None:
    async with RawHttp.negotiated(server, token, **query) as http:
        connection = http.query["id"]
        async with RawHub.opened(server, token, id=connection) as hub:
            await hub.send(HANDSHAKE.decode())
            assert await hub.receive() == {}
            assert await hub.is_alive()
        with pytest.raises(websockets.InvalidStatus) as error:
            async with RawHub.opened(server, token, id=connection):
                pass
        assert error.value.response.status_code == 404
