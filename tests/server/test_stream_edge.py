"""Server-Sent Events over real connections, and the other ways of being connected without a WebSocket."""

import asyncio
import gc
import json
import ssl
import weakref
from pathlib import Path
from typing import Any

import pytest

from e2e.support.certificate import make_certificate
from server.http_client import PATIENCE, HttpClient, request, upgrade
from server.live import LiveServer
from server.signalr_client import ACCEPT, HANDSHAKE, EventStreamClient, PollingClient, access_token, negotiated
from server.websocket_client import text
from skubber.core.event import Event
from skubber.server.direct import discard
from skubber.server.http_lane import HttpLane
from skubber.server.stream_edge import StreamEdge
from skubber.server.ws_edge import CLOSE_TIMEOUT
from support.apps import KEY, SECRET, make_app
from support.signalr_client import event

CREDENTIALS = (f"X-Api-Key: {KEY}", f"X-Api-Secret: {SECRET}")
HEALTH = request("GET", "/health")
RECONNECT = {"type": 7, "error": "The server is restarting: please reconnect.", "allowReconnect": True}


async def publish(live: LiveServer, data: str = "d", channel: str = "c") -> None:
    """Publish an event."""
    await live.runtime.hub.publish(make_app(), (channel,), Event("e", json.dumps(data).encode()))


def delivery(data: str = "d", channel: str = "c") -> dict[str, Any]:
    return {"type": 1, "target": "Event", "arguments": [event("e", channel, data)]}


async def gone(live: LiveServer, *, connections: int) -> None:
    """Wait until so many connections are left, and nobody on any channel."""
    async with asyncio.timeout(PATIENCE):
        while len(live.connections) > connections or live.runtime.hub._namespaces:  # noqa: ASYNC110 - they tell nobody
            await asyncio.sleep(0)
    assert live.runtime.signalr._by_token == {}
    assert (live.broker._counts, live.broker._rosters) == ({}, {})


async def poll_waits(live: LiveServer, client: PollingClient) -> None:
    """Start a poll, and wait until the server has it."""
    client.poll()
    async with asyncio.timeout(PATIENCE):
        while not live.tasks:  # noqa: ASYNC110 - the set is uvicorn's
            await asyncio.sleep(0)


async def asked(live: LiveServer, *headers: str, **query: str) -> HttpClient:
    """A connection on which an event stream has been asked for, with a good token and whatever else."""
    http = await live.connect()
    token = await access_token(http)
    parameters = "&".join(f"{name}={value}" for name, value in {"access_token": token, **query}.items())
    http.send(request("GET", f"/push?{parameters}", ACCEPT, *headers))
    return http


# -- the stream


async def test_the_stream_begins_at_once_and_is_not_to_be_kept_or_held_up(live: LiveServer) -> None:
    http = await live.connect()
    query = await negotiated(http, {"access_token": await access_token(http)})
    client = EventStreamClient(http, http, query)
    http.send(request("GET", client.target, ACCEPT))
    head = await client.head()
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "http/1.1 200 ok"
    assert "content-type: text/event-stream" in lines
    assert "cache-control: no-cache, no-store" in lines
    assert "x-accel-buffering: no" in lines
    assert not any(line.startswith("content-length") for line in lines)


async def test_messages_go_both_ways(live: LiveServer) -> None:
    client = await EventStreamClient.opened(live)
    await client.send({"type": 1, "invocationId": "7", "target": "Subscribe", "arguments": ["c"]})
    assert (await client.message())["target"] == "SubscriptionSucceeded"
    assert await client.message() == {"type": 3, "invocationId": "7", "result": {"channel": "c"}}
    body = b'{"name":"e","channel":"c","data":"d"}'
    client.sending.send(request("POST", "/apps/4711/events", *CREDENTIALS, body=body))
    assert (await client.sending.answer()).status == 200
    assert await client.message() == delivery()


@pytest.mark.parametrize("data", ["one\ntwo\r\nthree\rfour", "\n", "\r\n\r\ndata: x\r\n\r\n", "\x1e\u2028\u0085"])
async def test_line_ends_in_data_do_not_end_its_event(live: LiveServer, data: str) -> None:
    client = await EventStreamClient.opened(live)
    await client.subscribe("c")
    await publish(live, data)
    await publish(live, "next")
    assert await client.message() == delivery(data)
    assert await client.message() == delivery("next")


async def test_it_may_come_over_a_connection_that_was_used(live: LiveServer) -> None:
    http = await live.connect()
    http.send(HEALTH)
    assert (await http.answer()).status == 200
    query = await negotiated(http, {"access_token": await access_token(http)})
    client = EventStreamClient(http, await live.connect(), query)
    http.send(request("GET", client.target, "Accept: application/json, text/event-stream;q=0.9"))
    await client.head()
    assert (await client.post(HANDSHAKE)).status == 200
    assert await client.event() == b"{}\x1e"


@pytest.mark.parametrize("behind", [b"junk", HEALTH * 3, upgrade("/recording"), request("POST", "/", body=b"x")[:-1]])
@pytest.mark.parametrize("at_once", [True, False])
async def test_whatever_the_client_says_on_it_is_no_request(live: LiveServer, behind: bytes, at_once: bool) -> None:
    http, sending = await live.connect(), await live.connect()
    query = await negotiated(sending, {"access_token": await access_token(sending)})
    client = EventStreamClient(http, sending, query)
    stream = request("GET", client.target, ACCEPT)
    if at_once:
        http.send(stream, behind)
        await client.head()
    else:
        http.send(stream)
        await client.head()
        http.send(behind)
    assert (await client.post(HANDSHAKE)).status == 200
    assert await client.event() == b"{}\x1e"
    assert live.sessions == []


async def test_it_can_be_had_over_tls(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=certificate)
    async with LiveServer(tls_certificate=str(certificate), tls_key=str(key)) as live:
        client = await EventStreamClient.opened(live, trusting)
        await client.subscribe("c")
        await publish(live, "over tls")
        assert await client.message() == delivery("over tls")
        await live.shut_down()
        assert await client.message() == RECONNECT
        assert await client.http.rest() == b""


# -- who gets none


async def test_who_may_not_have_one_is_told_why(live: LiveServer) -> None:
    open_client = await EventStreamClient.opened(live)
    for query, status in (
        ({"access_token": "junk"}, 401),
        ({}, 400),
        ({"id": "x"}, 404),
        ({**open_client.query, "userId": "ada"}, 403),
        (open_client.query, 409),
    ):
        http = await asked(live, **query)
        answer = await http.answer()
        assert (answer.status, answer.closes) == (status, True)
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.body.endswith(b".")
        assert await http.is_cut()


async def test_browsers_of_any_site_may_read_it_and_why_not(live: LiveServer) -> None:
    origin = "Origin: https://shop.example.com"
    http = await live.connect()
    query = await negotiated(http, {"access_token": await access_token(http)})
    client = EventStreamClient(http, http, query)
    http.send(request("GET", client.target, ACCEPT, origin))
    refused = await (await asked(live, origin)).answer()
    assert refused.status == 400
    head = await client.head()
    headers = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:-2])
    for each in (headers, refused.headers):
        assert each["access-control-allow-origin"] == "https://shop.example.com"
        assert each["access-control-allow-credentials"] == "true"
        assert each["vary"].lower() == "origin"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/push", (), 200),  # the first poll
        ("GET", "/push", ("Accept: text/html",), 200),
        ("POST", "/push", (ACCEPT,), 200),
        ("DELETE", "/push", (ACCEPT,), 400),
        ("GET", "/health", (ACCEPT,), 200),
        ("GET", "/push/negotiate", (ACCEPT,), 404),
        ("GET", "/pushy", (ACCEPT,), 404),
    ],
)
async def test_other_requests_are_none(
    live: LiveServer, method: str, path: str, headers: tuple[str, ...], status: int
) -> None:
    http = await live.connect()
    query = await negotiated(http, {"access_token": await access_token(http)})
    target = EventStreamClient(http, http, query).target.replace("/push", path)
    http.send(request(method, target, *headers, body=b"" if method == "POST" else None))
    answer = await http.answer()
    assert (answer.status, answer.headers["content-type"] == "text/event-stream") == (status, False)


async def test_none_begins_before_an_outstanding_answer(live: LiveServer) -> None:
    hold = live.broker.hold("channels")
    http = await live.connect()
    query = await negotiated(http, {"access_token": await access_token(http)})
    stream = request("GET", EventStreamClient(http, http, query).target, ACCEPT)
    http.send(request("GET", "/apps/4711/channels", *CREDENTIALS), stream, HEALTH)
    await hold.reached()
    hold.release()
    channels, poll, health = await http.answers(3)
    assert channels.body == b'{"channels":{}}'
    assert (poll.status, poll.body) == (200, b"")  # what every client polls for first
    assert health.body == b'{"status":"ok"}'


# -- the end


@pytest.mark.parametrize("half", [True, False])
async def test_a_client_that_hangs_up_is_gone(live: LiveServer, half: bool) -> None:
    client = await EventStreamClient.opened(live, userId="ada", channels=["*"])
    await client.subscribe("c")
    await client.subscribe("presence-c")
    if half:
        client.http.writer.write_eof()
        assert await client.http.rest() == b""
    else:
        await client.http.close()
    await gone(live, connections=1)


async def test_a_stopping_server_sends_clients_to_reconnect() -> None:
    async with LiveServer(shutdown_timeout=5) as live:
        client = await EventStreamClient.opened(live)
        waiting = await live.connect()
        query = await negotiated(waiting, {"access_token": await access_token(waiting)})
        waiting.send(request("GET", EventStreamClient(waiting, waiting, query).target, ACCEPT))
        polling, between_polls = await PollingClient.opened(live), await PollingClient.opened(live)
        await poll_waits(live, polling)
        await live.shut_down()
        assert live.connections == live.tasks == set()
        assert await client.message() == RECONNECT
        assert await client.http.rest() == b""
        assert b"The server is restarting" in await waiting.rest()
        answer = await polling.http.answer()
        assert (answer.status, json.loads(answer.body[:-1]), answer.closes) == (200, RECONNECT, True)
        assert await between_polls.http.rest() == b""


async def test_a_client_that_leaves_too_much_unread_is_ended_counted_and_cut() -> None:
    async with LiveServer(write_buffer_bytes=100_000) as live:
        client, other = await EventStreamClient.opened(live), await EventStreamClient.opened(live)
        for each in (client, other):
            await each.subscribe("c")
        transport: Any = client.http.writer.transport
        transport.pause_reading()
        async with asyncio.timeout(PATIENCE):
            while not live.runtime.edge.slow_clients:
                await publish(live, "x" * 10_000)
                assert await other.message() == delivery("x" * 10_000)
        assert live.runtime.edge.slow_clients == 1
        (edge,) = (each for each in live.connections if isinstance(each, StreamEdge) and each.write is discard)
        unread = edge._transport.get_write_buffer_size()
        for _ in range(20):
            await publish(live, "x" * 10_000)
            await other.message()
        assert edge._transport.get_write_buffer_size() <= unread < 200_000
        await live.pass_time(CLOSE_TIMEOUT)
        assert edge not in live.connections
        assert await other.post(b'{"type":6}\x1e')


async def test_a_client_that_half_closes_and_does_not_read_is_cut_too(live: LiveServer) -> None:
    client = await EventStreamClient.opened(live)
    await client.subscribe("c")
    transport: Any = client.http.writer.transport
    transport.pause_reading()
    (edge,) = (each for each in live.connections if isinstance(each, StreamEdge))
    async with asyncio.timeout(PATIENCE):
        while not edge._transport.get_write_buffer_size():
            await publish(live, "x" * 10_000)
            await asyncio.sleep(0)
        client.http.writer.write_eof()
        while not edge._transport.is_closing():  # noqa: ASYNC110 - the transport tells nobody
            await asyncio.sleep(0)
    await live.pass_time(CLOSE_TIMEOUT)
    await gone(live, connections=1)


async def test_a_client_lost_while_it_subscribes_is_in_nobodys_way(live: LiveServer) -> None:
    client, other = await EventStreamClient.opened(live), await EventStreamClient.opened(live)
    for each in (client, other):
        await each.subscribe("c")
    hold = live.broker.hold("subscribe")
    client.sending.send(request("POST", client.target, body=b'{"type":1,"target":"Subscribe","arguments":["d"]}\x1e'))
    await hold.reached()
    await client.http.close()
    async with asyncio.timeout(PATIENCE):
        while len(live.connections) > 3:  # noqa: ASYNC110 - the set is uvicorn's
            await asyncio.sleep(0)
    for number in range(10):
        await publish(live, str(number))
        assert await other.message() == delivery(str(number))
    hold.release()
    assert (await client.sending.answer()).status == 200
    await other.http.close()
    await gone(live, connections=2)


# -- what it costs


async def test_idle_clients_take_no_tasks(live: LiveServer) -> None:
    http = await live.connect()
    token = await access_token(http)
    await EventStreamClient.opened(live)
    http.send(upgrade(f"/push?access_token={token}"), text(HANDSHAKE))
    await http.reader.readuntil(b"{}\x1e")
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await PollingClient.opened(live)  # and it has come for the last time, for now
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert live.runtime.hub.connection_count == 3


async def test_an_event_stream_leaves_nothing_of_the_http_connection_behind(live: LiveServer) -> None:
    http, sending = await live.connect(), await live.connect()
    query = await negotiated(sending, {"access_token": await access_token(sending)})
    http.send(HEALTH)
    await http.answer()
    (connection,) = (each for each in live.connections if each.transport.get_extra_info("peername") == _name(http))
    assert isinstance(connection, HttpLane)
    reference = weakref.ref(connection)
    del connection
    gc.disable()
    try:
        client = EventStreamClient(http, sending, query)
        http.send(request("GET", client.target, ACCEPT))
        await client.head()
        assert reference() is None
    finally:
        gc.enable()


def _name(http: HttpClient) -> Any:
    return http.writer.get_extra_info("sockname")


# -- long polling


async def test_a_client_gone_while_it_polls_loses_nothing(live: LiveServer) -> None:
    client = await PollingClient.opened(live)
    await client.subscribe("c")
    await poll_waits(live, client)
    await client.http.close()
    async with asyncio.timeout(PATIENCE):
        while live.tasks:  # noqa: ASYNC110 - the set is uvicorn's
            await asyncio.sleep(0)
    await publish(live)
    back = PollingClient(await live.connect(), client.sending, client.query)
    assert await back.messages() == [delivery()]


async def test_a_polling_client_that_leaves_too_much_unread_is_ended_and_counted() -> None:
    async with LiveServer(write_buffer_bytes=100_000) as live:
        client = await PollingClient.opened(live)
        await client.subscribe("c")
        async with asyncio.timeout(PATIENCE):
            while not live.runtime.edge.slow_clients:
                await publish(live, "x" * 10_000)
                await asyncio.sleep(0)
        for _ in range(100):
            await publish(live, "x" * 10_000)
        *events, close = await client.messages()
        assert 9 <= len(events) <= 12
        assert close == {"type": 7, "error": "The client reads too slowly.", "allowReconnect": True}
        assert (await client.polled()).status == 204
        assert live.runtime.edge.slow_clients == 1
        await gone(live, connections=2)


# -- the access log


async def test_the_access_log_has_the_stream_and_never_its_token() -> None:
    async with LiveServer(access_log=True) as live:
        client = await EventStreamClient.opened(live)
        refused = await asked(live, id="x")
        assert (await refused.answer()).status == 404
        entries = [entry for entry in live.logs if entry["event"] == "request" and entry["method"] == "GET"]
        assert [(entry["path"], entry["status"]) for entry in entries] == [("/push", 200), ("/push", 404)]
        assert client.query["access_token"] not in repr(live.logs)
        assert client.query["id"] not in repr(live.logs)
