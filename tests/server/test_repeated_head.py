"""Telling that a request's head is that of the one before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.live import LiveServer
from skubber.api.message import ApiRequest
from skubber.server.repeated_head import RepeatedHead
from support.apps import KEY, SECRET

HEADERS = [(b"host", b"x"), (b"x-api-key", KEY.encode()), (b"content-length", b"2")]
REQUEST = ApiRequest("POST", "/apps/4711/events", b"", HEADERS, b"{}")


def written(length: str = "2", body: bytes = b"{}", more: str = "") -> bytes:
    """The request as it is written."""
    head = f"POST /apps/4711/events HTTP/1.1\r\nHost: x\r\nX-Api-Key: {KEY}\r\nContent-Length: {length}\r\n{more}\r\n"
    return head.encode() + body


def head(data: bytes = written(), headers: list[tuple[bytes, bytes]] = HEADERS) -> RepeatedHead | None:
    return RepeatedHead.of(data, ApiRequest("POST", "/apps/4711/events", b"", headers, b"{}"))


@given(st.binary(max_size=2000))
def test_the_same_head_with_any_body_is_told(body: bytes) -> None:
    known = head()
    assert known is not None
    request = known.request(written(str(len(body)), body))
    assert request is not None
    assert (request.method, request.path, request.query, request.body) == ("POST", "/apps/4711/events", b"", body)
    assert request.headers == HEADERS[:-1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        written()[:-1],
        written() + b"x",
        written() + written(),
        written("3"),
        written("+2"),
        written("-2"),
        written("0x2"),
        written(" 2"),
        written("2 "),
        written("2, 2"),
        written("²".encode().decode("latin-1")),
        written(""),
        written("000000002"),
        written(more="X: y\r\n"),
        written(more="Content-Length: 2\r\n"),
        written().replace(b"Host", b"host"),
        written().replace(b"4711", b"4712"),
        written().replace(KEY.encode(), KEY[:-1].encode() + b"x"),
        written().replace(b"HTTP/1.1", b"HTTP/1.0"),
        written().replace(b"POST", b"post"),
        written().replace(b"\r\n\r\n", b"\n\n"),
    ],
)
def test_anything_else_is_left_to_the_parser(data: bytes) -> None:
    known = head()
    assert known is not None
    assert known.request(data) is None


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (written()[:-1], HEADERS),
        (written() + b"x", HEADERS),
        (written(more="Content-Length: 2\r\n"), HEADERS),
        (written(more="Transfer-Encoding: chunked\r\n"), [*HEADERS, (b"transfer-encoding", b"chunked")]),
        (written().replace(b"Content-Length: 2\r\n", b""), HEADERS[:-1]),
        (written("").replace(b": \r\n", b":\r\n"), HEADERS),
    ],
)
def test_some_heads_are_not_to_be_told_again(data: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    assert head(data, headers) is None


def publish(name: str, *, key: str = KEY, secret: str = SECRET, path: str = "/apps/4711/events") -> bytes:
    body = f'{{"name":"{name}","channel":"c","data":"d"}}'.encode()
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"X-Api-Key: {key}", f"X-Api-Secret: {secret}"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class TestOnAConnection:
    async def test_every_request_is_answered_by_its_own_body(self, live: LiveServer) -> None:
        http = await live.connect()
        statuses = []
        for name in ("a", "longer", "", "x" * 201, "pusher:no", "b"):
            http.send(publish(name))
            statuses.append((await http.answer()).status)
        assert statuses == [200, 200, 400, 400, 400, 200]

    async def test_credentials_are_looked_at_every_time(self, live: LiveServer) -> None:
        http = await live.connect()
        for secret, status in ((SECRET, 200), (SECRET, 200), ("x" * len(SECRET), 401), (SECRET, 200), (SECRET, 200)):
            http.send(publish("e", secret=secret))
            assert (await http.answer()).status == status
        app = live.runtime.apps.find("4711")
        assert app is not None
        app.keys[KEY].secret = "changed meanwhile"
        http.send(publish("e"))
        assert (await http.answer()).status == 401

    async def test_other_requests_may_come_between(self, live: LiveServer) -> None:
        http = await live.connect()
        for request, status in (
            (publish("e"), 200),
            (publish("e"), 200),
            (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 200),
            (publish("e"), 200),
            (publish("e", path="/apps/nobody/events"), 404),
            (publish("e"), 200),
        ):
            http.send(request)
            assert (await http.answer()).status == status

    async def test_it_makes_no_difference_how_requests_arrive(self, live: LiveServer) -> None:
        http = await live.connect()
        http.send(publish("e"))
        await http.answer()
        http.send(publish("e"), publish("longer"), publish("x" * 201))
        assert [answer.status for answer in await http.answers(3)] == [200, 200, 400]
        request = publish("e")
        await http.send_separately(request[:10], request[10:-5], request[-5:])
        assert (await http.answer()).status == 200
        http.send(publish("e"))
        assert (await http.answer()).status == 200

    async def test_a_body_that_is_too_large_is_refused(self) -> None:
        async with LiveServer(request_bytes=1024) as live:
            http = await live.connect()
            for name, status in (("e", 200), ("e", 200), ("x" * 1100, 413), ("e", 200)):
                http.send(publish(name))
                assert (await http.answer()).status == status

    async def test_a_connection_that_should_close_closes(self, live: LiveServer) -> None:
        http = await live.connect()
        request = publish("e").replace(b"Host: x", b"Host: x\r\nConnection: close")
        http.send(request)
        answer = await http.answer()
        assert (answer.status, answer.closes) == (200, True)
        assert await http.is_cut()

    async def test_an_answer_that_has_to_wait_keeps_its_place(self, live: LiveServer) -> None:
        http = await live.connect()
        http.send(publish("first"))
        await http.answer()
        hold = live.broker.hold("publish")
        http.send(publish("second"))
        await hold.reached()
        http.send(publish("x" * 201))
        hold.release()
        assert [answer.status for answer in await http.answers(2)] == [200, 400]
