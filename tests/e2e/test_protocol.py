"""Pusher protocol 7 on the wire: what client libraries hide."""

import asyncio
import contextlib
import json
import signal
import socket
from typing import Any

import pytest
import websockets

from e2e.support.api import HEADERS, with_headers
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, NewServer, Server


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/app/unknown?protocol=7", 4001),
        ("/app/?protocol=7", 4005),
        (f"/app/{KEY}/more?protocol=7", 4005),
        (f"/app/{KEY}?protocol=seven", 4006),
        (f"/app/{KEY}?protocol=3", 4007),
        (f"/app/{KEY}?protocol=8", 4007),
        (f"/app/{KEY}", 4008),
        (f"/app/{KEY}?protocol=", 4008),
    ],
)
async def test_a_client_that_cannot_connect_is_told_why(server: Server, path: str, code: int) -> None:
    async with RawClient.opened(server, path) as client:
        error = await client.receive()
        assert (error["event"], error["data"]["code"]) == ("pusher:error", code)
        assert await client.close_code() == code


@pytest.mark.parametrize("version", [5, 6, 7])
async def test_protocols_five_to_seven_are_spoken(server: Server, version: int) -> None:
    async with RawClient.opened(server, f"/app/{KEY}?protocol={version}") as client:
        assert (await client.receive())["event"] == "pusher:connection_established"


async def test_other_websocket_paths_are_not_found(server: Server) -> None:
    with pytest.raises(websockets.InvalidStatus) as error:
        async with RawClient.opened(server, "/elsewhere"):
            pass
    assert error.value.response.status_code == 404


@pytest.mark.parametrize(
    "message",
    [
        "junk",
        "[]",
        "{}",
        '{"event":1}',
        '{"event":"pusher:subscribe"}',
        '{"event":"pusher:subscribe","data":{"channel":7}}',
        '{"event":"pusher:subscribe","data":"not json"}',
        '{"event":"pusher:what","data":{}}',
        '{"event":"my-event","channel":"c","data":{}}',
        '{"event":"client-x","channel":"c","data":{}}',
        '{"event":"\\ud800"}',
        "[" * 50_000,
        b"binary",
    ],
)
async def test_a_bad_message_is_answered_and_closes_nothing(server: Server, message: str | bytes) -> None:
    async with RawClient.connected(server) as client:
        await client.send(message)
        answer = await client.receive()
        assert answer["event"] == "pusher:error"
        assert answer["data"]["message"].endswith(".")
        await client.send({"event": "pusher:ping", "data": {}})
        assert await client.receive() == {"event": "pusher:pong", "data": "{}"}


@pytest.mark.parametrize("channel", ["no spaces", "", "c" * 201, "#server-to-user-1", "private-x", "presence-x"])
async def test_a_refused_subscription_names_its_channel(server: Server, channel: str) -> None:
    async with RawClient.connected(server) as client:
        await client.send({"event": "pusher:subscribe", "data": {"channel": channel}})
        answer = await client.receive()
        assert (answer["event"], answer["channel"]) == ("pusher:subscription_error", channel)
        assert answer["data"]["status"] in {400, 401}


async def test_a_second_subscription_is_an_error_and_no_second_delivery(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("twice")
        await client.send({"event": "pusher:subscribe", "data": {"channel": "twice"}})
        assert (await client.receive())["event"] == "pusher:error"
        for data in ("1", "2"):
            with_headers(server, "POST", "/events", {"name": "e", "channel": "twice", "data": data})
        assert [(await client.receive())["data"] for _ in "12"] == ["1", "2"]


async def test_an_event_arrives_once_for_each_subscribed_channel(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("one")
        await client.subscribe("two")
        with_headers(server, "POST", "/events", {"name": "e", "channels": ["one", "two", "one"], "data": "d"})
        assert sorted([(await client.receive())["channel"] for _ in "12"]) == ["one", "two"]


@pytest.mark.parametrize("data", ["", "plain", '{"a": 1}', '"quoted"', "€𝄞\u2028\x00\\", "</script>"])
async def test_data_arrives_exactly_as_published(server: Server, data: str) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("exact")
        with_headers(server, "POST", "/events", {"name": "ë", "channel": "exact", "data": data})
        assert await client.receive() == {"event": "ë", "channel": "exact", "data": data}


async def test_an_encrypted_channel_carries_what_it_is_given_and_no_client_events(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe_private("private-encrypted-x")
        sealed = json.dumps({"nonce": "n", "ciphertext": "c"})
        with_headers(server, "POST", "/events", {"name": "e", "channel": "private-encrypted-x", "data": sealed})
        assert (await client.receive())["data"] == sealed
        await client.send({"event": "client-x", "channel": "private-encrypted-x", "data": {}})
        assert (await client.receive())["event"] == "pusher:error"


async def test_a_presence_channel_takes_so_many_members_and_no_more(server: Server) -> None:
    channel = "presence-full"
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(RawClient.connected(server)) for _ in range(101)]
        for number, client in enumerate(clients[:100]):
            await client.subscribe_presence(channel, str(number))
        with pytest.raises(AssertionError, match="is full"):
            await clients[100].subscribe_presence(channel, "one too many")
        assert (await clients[100].subscribe("public-still-works")) == {}


async def test_both_kinds_of_ping_are_answered(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await (await client.connection.ping())
        await client.send('{"event":"pusher:ping","data":"{}"}')
        assert (await client.receive())["event"] == "pusher:pong"


async def test_a_message_over_the_limit_closes_with_1009(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.send("x" * 131_073)
        assert await client.close_code() == 1009


async def test_a_silent_client_is_pinged_and_then_closed(new_server: NewServer) -> None:
    server = new_server("--set", "activity_timeout=1", "--set", "pong_timeout=1")
    async with RawClient.connected(server) as silent, RawClient.connected(server) as polite:
        assert (await silent.receive())["event"] == "pusher:ping"
        assert (await polite.receive())["event"] == "pusher:ping"
        await polite.send({"event": "pusher:pong", "data": {}})
        assert await silent.close_code() == 4201
        assert (await polite.receive())["event"] == "pusher:ping"


async def test_connections_over_the_servers_limit_are_sent_away(new_server: NewServer) -> None:
    server = new_server("--set", "connections=1")
    async with RawClient.connected(server), RawClient.opened(server, f"/app/{KEY}?protocol=7") as second:
        assert await second.close_code() == 4100


async def test_a_client_that_does_not_read_is_cut_and_delays_nobody(new_server: NewServer) -> None:
    server = new_server("--set", "write_buffer_bytes=100000")
    async with RawClient.connected(server) as reader:
        await reader.subscribe("flood")
        with RawClient.socket(server) as lazy:
            lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.sendall(_raw_upgrade() + _raw_subscription("flood"))
            assert b"101" in lazy.recv(12)
            await _published_until_one_is_left(server, reader)


async def _published_until_one_is_left(server: Server, reader: RawClient) -> None:
    """Publish until the lazy subscriber has been dropped; the other one reads every event as it comes."""
    data = "x" * 10_000
    async with asyncio.timeout(30):
        for number in range(100_000):
            event = {"name": str(number), "channel": "flood", "data": data, "info": "subscription_count"}
            answer = await asyncio.to_thread(with_headers, server, "POST", "/events", event)
            assert (await reader.receive())["event"] == str(number)
            count = answer.json()["channels"]["flood"]["subscription_count"]
            if number > 10 and count == 1:
                return


def _raw_upgrade() -> bytes:
    return (
        f"GET /app/{KEY}?protocol=7 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def _raw_subscription(channel: str) -> bytes:
    message = json.dumps({"event": "pusher:subscribe", "data": {"channel": channel}}).encode()
    return bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message


async def test_shutdown_answers_requests_in_flight_and_sends_clients_to_reconnect(new_server: NewServer) -> None:
    server = new_server()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    body = json.dumps({"name": "e", "channel": "c", "data": "d"}).encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    writer.write(f"POST /apps/{APP_ID}/events HTTP/1.1\r\nHost: x\r\n{head}".encode())
    writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body[:5])
    async with RawClient.connected(server) as client:
        server.signal(signal.SIGTERM)
        assert await client.close_code() == 4200
    writer.write(body[5:])
    answer: Any = await asyncio.wait_for(reader.read(), 10)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer
    writer.close()
