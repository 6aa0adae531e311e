"""What the HTTP lane answers, over real connections."""

import gc
import json
import weakref

import pytest

from server.http_client import request, upgrade
from server.live import LiveServer
from skubber.server.http_lane import HttpLane
from support.apps import KEY, SECRET

CREDENTIALS = (f"X-Api-Key: {KEY}", f"X-Api-Secret: {SECRET}")
EVENT = json.dumps({"name": "e", "channel": "c", "data": "d"}).encode()


def publish(*headers: str, body: bytes = EVENT, target: str = "/apps/4711/events") -> bytes:
    return request("POST", target, *CREDENTIALS, *headers, body=body)


def chunked(body: bytes, size: int, trailer: bytes = b"") -> bytes:
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n" + trailer + b"\r\n"


CHANNELS = request("GET", "/apps/4711/channels", *CREDENTIALS)
HEALTH = request("GET", "/health")


async def test_a_connection_is_kept_for_the_next_request(live: LiveServer) -> None:
    client = await live.connect()
    for wanted in (publish(), CHANNELS, HEALTH, publish()):
        client.send(wanted)
        answer = await client.answer()
        assert answer.status == 200
        assert not answer.closes


async def test_a_request_may_come_byte_by_byte(live: LiveServer) -> None:
    client = await live.connect()
    await client.send_separately(*(bytes((byte,)) for byte in publish()))
    assert (await client.answer()).status == 200


async def test_pipelined_requests_are_answered_in_order(live: LiveServer) -> None:
    client = await live.connect()
    client.send(publish(), HEALTH, CHANNELS, request("GET", "/none"), publish(body=b"junk"), HEALTH)
    answers = await client.answers(6)
    assert [answer.status for answer in answers] == [200, 200, 200, 404, 400, 200]
    assert [answer.body for answer in answers[:3]] == [b"{}", b'{"status":"ok"}', b'{"channels":{}}']


async def test_answers_keep_their_order_while_one_waits_for_the_broker(live: LiveServer) -> None:
    hold = live.broker.hold("publish")
    client = await live.connect()
    client.send(publish(), CHANNELS, HEALTH, publish(body=b"junk"))
    await hold.reached()
    other = await live.connect()
    other.send(CHANNELS)
    assert (await other.answer()).status == 200
    assert not client.reader.at_eof()
    hold.release()
    answers = await client.answers(4)
    assert [answer.status for answer in answers] == [200, 200, 200, 400]
    assert [answer.body for answer in answers[:2]] == [b"{}", b'{"channels":{}}']


async def test_a_client_may_hang_up_while_its_request_waits_for_the_broker(live: LiveServer) -> None:
    hold = live.broker.hold("publish")
    client = await live.connect()
    client.send(publish())
    await hold.reached()
    await client.close()
    hold.release()


@pytest.mark.parametrize("last", [publish("Connection: close"), request("GET", "/health", "Connection: close")])
async def test_a_request_can_ask_for_the_connection_to_be_closed(live: LiveServer, last: bytes) -> None:
    client = await live.connect()
    client.send(last, HEALTH)
    answer = await client.answer()
    assert (answer.status, answer.closes) == (200, True)
    assert await client.rest() == b""


@pytest.mark.parametrize("last", [publish(), HEALTH])
async def test_http_1_0_is_answered_and_closed(live: LiveServer, last: bytes) -> None:
    client = await live.connect()
    client.send(last.replace(b"HTTP/1.1", b"HTTP/1.0"))
    answer = await client.answer()
    assert (answer.status, answer.closes) == (200, True)
    assert await client.rest() == b""


async def test_the_answer_to_head_has_no_body(live: LiveServer) -> None:
    client = await live.connect()
    client.send(request("HEAD", "/apps/4711/channels", *CREDENTIALS), request("HEAD", "/health"), HEALTH)
    assert (await client.answer(to_head=True)).status == 405
    assert (await client.answer(to_head=True)).status == 200
    assert (await client.answer()).body == b'{"status":"ok"}'


@pytest.mark.parametrize("authority", ["http://localhost", "https://u:p@push.example.com:5187", "HTTP://[::1]:1"])
async def test_a_target_may_name_the_server_as_for_a_proxy(live: LiveServer, authority: str) -> None:
    client = await live.connect()
    client.send(publish(target=f"{authority}/apps/4711/events"), request("GET", f"{authority}/health"))
    assert [answer.status for answer in await client.answers(2)] == [200, 200]
    client.send(request("GET", authority), request("GET", f"{authority}?a=b"))
    assert {answer.status for answer in await client.answers(2)} <= {200, 302, 307, 404}
    client.send(upgrade(f"{authority}/recording/x?y"))
    assert await client.reader.readuntil(b"\r\n\r\n")
    assert (live.sessions[0].request.path, live.sessions[0].request.query) == ("/recording/x", b"y")


@pytest.mark.parametrize("size", [1, 7, 5000])
async def test_a_body_may_come_in_chunks(live: LiveServer, size: int) -> None:
    client = await live.connect()
    head = request("POST", "/apps/4711/events", *CREDENTIALS, "Transfer-Encoding: chunked")
    client.send(head, chunked(EVENT, size), HEALTH)
    assert [answer.body for answer in await client.answers(2)] == [b"{}", b'{"status":"ok"}']


@pytest.mark.parametrize("ahead", [b"", HEALTH])
async def test_a_trailer_is_no_header(live: LiveServer, ahead: bytes) -> None:
    trailer = "".join(f"{line}\r\n" for line in CREDENTIALS).encode()
    client = await live.connect()
    head = request("POST", "/apps/4711/events", "Transfer-Encoding: chunked")
    # Behind another request it takes the way through the ASGI application.
    client.send(ahead, head, chunked(EVENT, 100, trailer))
    assert (await client.answers(2 if ahead else 1))[-1].status == 401


async def test_a_body_over_the_limit_is_read_and_refused() -> None:
    async with LiveServer(request_bytes=2000) as live:
        client = await live.connect()
        client.send(publish(body=b"x" * 2001), publish())
        assert [answer.status for answer in await client.answers(2)] == [413, 200]


async def test_a_body_far_over_the_limit_is_not_read_to_its_end() -> None:
    async with LiveServer(request_bytes=2000) as live:
        client = await live.connect()
        client.send(request("POST", "/apps/4711/events", *CREDENTIALS, "Content-Length: 1000000000"), b"x" * 8001)
        answer = await client.answer()
        assert (answer.status, answer.closes) == (413, True)
        # Who is still sending is not cut off before the answer could be seen.
        await client.send_separately(b"x" * 1000, b"x" * 1000)
        assert await client.rest() == b""


async def test_a_client_that_asks_first_is_told_to_go_on(live: LiveServer) -> None:
    client = await live.connect()
    head, body = publish("Expect: 100-continue").split(b"\r\n\r\n")
    client.send(head + b"\r\n\r\n")
    assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(body)
    assert (await client.answer()).status == 200


async def test_a_client_that_asks_first_is_spared_sending_too_much(live: LiveServer) -> None:
    client = await live.connect()
    client.send(request("POST", "/apps/4711/events", "Expect: 100-continue", "Content-Length: 1048577"))
    answer = await client.answer()
    assert (answer.status, answer.closes) == (413, True)


async def test_a_client_that_does_not_know_of_asking_is_not_told_anything(live: LiveServer) -> None:
    client = await live.connect()
    client.send(publish("Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert (await client.answer()).status == 200


@pytest.mark.parametrize("offer", ["Upgrade: h2c", "Upgrade: TLS/1.0, foo"])
@pytest.mark.parametrize("ahead", [b"", HEALTH])
async def test_an_upgrade_that_is_not_taken_leaves_a_request(live: LiveServer, offer: str, ahead: bytes) -> None:
    client = await live.connect()
    offered = ("Connection: Upgrade, HTTP2-Settings", offer, "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
    client.send(ahead, publish(*offered), request("GET", "/health", *offered), CHANNELS)
    answers = (await client.answers(4 if ahead else 3))[-3:]
    assert [answer.body for answer in answers] == [b"{}", b'{"status":"ok"}', b'{"channels":{}}']


async def test_the_body_of_a_request_is_no_request_whatever_it_offers(live: LiveServer) -> None:
    client = await live.connect()
    offered = ("Connection: Upgrade", "Upgrade: foo")
    client.send(publish(*offered, body=CHANNELS), HEALTH)
    assert [answer.status for answer in await client.answers(2)] == [400, 200]


async def test_the_server_is_no_proxy(live: LiveServer) -> None:
    client = await live.connect()
    client.send(b"CONNECT push.example.com:443 HTTP/1.1\r\n\r\n", HEALTH)
    answer = await client.answer()
    assert (answer.status, answer.closes) == (405, True)
    assert await client.is_cut()


@pytest.mark.parametrize(
    ("opening", "status"),
    [
        (upgrade("/elsewhere/x"), 404),
        (upgrade("/"), 404),
        (upgrade("/recording").replace(b"GET", b"POST"), 405),
        (upgrade("/recording").replace(b"HTTP/1.1", b"HTTP/1.0"), 426),
        (upgrade("/recording").replace(b"13", b"12"), 426),
        (upgrade("/recording").replace(b"AAA==", b""), 400),
    ],
)
async def test_a_websocket_that_cannot_be_is_refused(live: LiveServer, opening: bytes, status: int) -> None:
    client = await live.connect()
    client.send(opening, b"frames")
    answer = await client.answer()
    assert (answer.status, answer.closes) == (status, True)
    assert answer.body.endswith(b".")
    assert await client.is_cut()
    assert live.sessions == []


async def test_a_websocket_can_be_opened_on_a_connection_that_was_used(live: LiveServer) -> None:
    client = await live.connect()
    client.send(HEALTH, publish())
    await client.answers(2)
    client.send(publish(), upgrade("/recording"))
    assert (await client.answer()).status == 200
    assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")


async def test_no_websocket_cuts_in_before_an_outstanding_answer(live: LiveServer) -> None:
    hold = live.broker.hold("publish")
    client = await live.connect()
    client.send(publish(), upgrade("/recording"), HEALTH)
    await hold.reached()
    hold.release()
    assert [answer.status for answer in await client.answers(3)] == [200, 404, 200]
    assert live.sessions == []


async def test_a_websocket_leaves_nothing_of_the_http_connection_behind(live: LiveServer) -> None:
    client = await live.connect()
    client.send(HEALTH)
    await client.answer()
    (connection,) = live.connections
    assert isinstance(connection, HttpLane)
    reference = weakref.ref(connection)
    del connection
    gc.disable()
    try:
        client.send(upgrade("/recording"))
        await client.reader.readuntil(b"\r\n\r\n")
        assert reference() is None
    finally:
        gc.enable()


async def test_a_stopping_server_answers_what_was_asked_for(live: LiveServer) -> None:
    hold = live.broker.hold("publish")
    waiting, receiving, idle = await live.connect(), await live.connect(), await live.connect()
    waiting.send(publish())
    await hold.reached()
    await receiving.send_separately(publish()[:-5])
    idle.send(HEALTH)
    await idle.answer()
    for connection in list(live.connections):
        connection.shutdown()
    assert await idle.rest() == b""
    receiving.send(EVENT[-5:])
    hold.release()
    for client in (waiting, receiving):
        answer = await client.answer()
        assert (answer.status, answer.closes) == (200, True)
        assert await client.rest() == b""


def logged_requests(live: LiveServer) -> list[tuple[str, str, int]]:
    entries = [entry for entry in live.logs if entry["event"] == "request"]
    return [(entry["method"], entry["path"], entry["status"]) for entry in entries]


async def test_the_access_log_has_every_request_and_never_a_query() -> None:
    async with LiveServer(access_log=True) as live:
        client = await live.connect()
        secret = "apiSecret=hidden"
        client.send(request("GET", f"/apps/4711/channels?{secret}"), request("GET", f"/health?{secret}"))
        # Behind another one, so through the ASGI application.
        client.send(request("GET", f"/apps/4711?{secret}"), upgrade(f"/elsewhere?{secret}"))
        await client.answers(4)
        hold = live.broker.hold("channels")
        slow = await live.connect()
        slow.send(request("GET", f"/apps/4711/channels?{secret}", *CREDENTIALS))
        await hold.reached()
        hold.release()
        await slow.answer()
        slow.send(upgrade(f"/recording?{secret}"))
        await slow.reader.readuntil(b"opened")
        for refused in (upgrade(f"/elsewhere?{secret}"), f"GET /x?{secret} HTTP/9.9\r\n\r\n".encode()):
            client = await live.connect()
            client.send(refused)
            await client.answer()
        assert logged_requests(live) == [
            ("GET", "/apps/4711/channels", 401),
            ("GET", "/health", 200),
            ("GET", "/apps/4711", 404),
            ("GET", "/elsewhere", 404),
            ("GET", "/apps/4711/channels", 200),
            ("GET", "/recording", 101),
            ("GET", "/elsewhere", 404),
            ("GET", "/x", 400),
        ]
        assert "hidden" not in repr(live.logs)


async def test_requests_are_not_logged_unless_asked_for(live: LiveServer) -> None:
    client = await live.connect()
    client.send(CHANNELS, HEALTH, request("GET", "/none"))
    await client.answers(3)
    assert live.logs == []
