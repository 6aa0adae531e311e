"""The Channels HTTP API over a real socket, with each kind of credentials."""

import json
import time
from typing import Any

import httpx
import pytest

from e2e.support.api import HEADERS, Call, error_code, with_headers, with_query, with_signature
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, OTHER_KEY, OTHER_SECRET, SECRET, Server
from support.api_client import signed_query

every_authentication = pytest.mark.parametrize("call", [with_headers, with_query, with_signature])


@every_authentication
async def test_every_endpoint_answers(server: Server, call: Call) -> None:
    suffix = call.__name__  # type: ignore[attr-defined]
    room, hall = f"presence-{suffix}", f"hall-{suffix}"
    async with RawClient.connected(server) as client:
        await client.subscribe_presence(room, f"user-{suffix}")
        await client.subscribe(hall)

        event = {"name": "e", "channels": [room, hall], "data": "d", "info": "user_count,subscription_count"}
        assert call(server, "POST", "/events", event).json() == {
            "channels": {room: {"user_count": 1, "subscription_count": 1}, hall: {"subscription_count": 1}}
        }
        batch = [
            {"name": "e", "channel": room, "data": "d", "info": "user_count"},
            {"name": "e", "channel": hall, "data": "d"},
        ]
        assert call(server, "POST", "/batch_events", {"batch": batch}).json() == {"batch": [{"user_count": 1}, {}]}
        listed = call(server, "GET", "/channels", query={"filter_by_prefix": room, "info": "user_count"})
        assert listed.json() == {"channels": {room: {"user_count": 1}}}
        listed = call(server, "GET", "/channels", query={"filter_by_prefix": hall, "info": "subscription_count"})
        assert listed.json() == {"channels": {hall: {"subscription_count": 1}}}
        assert call(server, "GET", f"/channels/{hall}", query={"info": "subscription_count"}).json() == {
            "occupied": True,
            "subscription_count": 1,
        }
        assert call(server, "GET", "/channels/nobody-there").json() == {"occupied": False}
        assert call(server, "GET", f"/channels/{room}/users").json() == {"users": [{"id": f"user-{suffix}"}]}
        assert call(server, "POST", f"/users/user-{suffix}/terminate_connections").json() == {}
        assert await client.close_code() == 4009


async def test_the_old_way_to_publish_still_works(server: Server) -> None:
    path = f"/apps/{APP_ID}/channels/old-way/events"
    async with RawClient.connected(server) as client:
        await client.subscribe("old-way")
        query = signed_query("POST", path, b'{"n":1}', [("name", "signed")], timestamp=int(time.time()))
        signed = httpx.post(f"{server.url}{path}?{query.decode()}", content=b'{"n":1}')
        plain = httpx.post(f"{server.url}{path}", params={"name": "plain"}, headers=HEADERS, content=b"text")
        assert [(answer.status_code, answer.json()) for answer in (signed, plain)] == [(202, {})] * 2
        received = [await client.receive() for _ in range(2)]
        assert [(event["event"], event["data"]) for event in received] == [("signed", '{"n":1}'), ("plain", "text")]


async def test_a_request_with_an_idempotency_key_publishes_once(server: Server) -> None:
    url, event = f"{server.url}/apps/{APP_ID}/events", {"name": "once", "channel": "idempotent", "data": "d"}
    headers = {**HEADERS, "Idempotency-Key": "order-42-shipped"}
    async with RawClient.connected(server) as client:
        await client.subscribe("idempotent")
        for _ in range(2):
            assert httpx.post(url, json=event, headers=headers).json() == {}
        conflict = httpx.post(url, json={**event, "data": "another"}, headers=headers)
        assert (conflict.status_code, error_code(conflict)) == (409, "idempotency_key_reused")
        assert httpx.post(url, json={**event, "name": "last"}, headers=HEADERS).json() == {}
        assert [(await client.receive())["event"] for _ in range(2)] == ["once", "last"]


@pytest.mark.parametrize(
    ("event", "status", "code"),
    [
        ({"name": "e", "channel": "c", "data": "x" * 10_241}, 413, "event_data_too_large"),
        ({"name": "e", "channel": "c", "data": "€" * 3_414}, 413, "event_data_too_large"),
        ({"name": "e", "channels": [f"c{i}" for i in range(101)], "data": "d"}, 400, "invalid_channels"),
        ({"name": "e", "channels": [], "data": "d"}, 400, "invalid_channels"),
        ({"name": "e", "data": "d"}, 400, "invalid_channels"),
        ({"name": "e", "channel": "c", "channels": ["c"], "data": "d"}, 400, "invalid_channels"),
        ({"name": "e" * 201, "channel": "c", "data": "d"}, 400, "invalid_event_name"),
        ({"name": "", "channel": "c", "data": "d"}, 400, "invalid_event_name"),
        ({"name": "pusher:connected", "channel": "c", "data": "d"}, 400, "invalid_event_name"),
        ({"name": "e", "channel": "c d", "data": "d"}, 400, "invalid_channel_name"),
        ({"name": "e", "channel": "", "data": "d"}, 400, "invalid_channel_name"),
        ({"name": "e", "channel": "c" * 201, "data": "d"}, 400, "invalid_channel_name"),
        ({"name": "e", "channel": "c\n", "data": "d"}, 400, "invalid_channel_name"),
        ({"name": "e", "channel": "c", "data": {"an": "object"}}, 400, "invalid_body"),
        ({"name": "e", "channel": "c"}, 400, "invalid_body"),
        ({"name": "e", "channel": "c", "data": "d", "socket_id": "12"}, 400, "invalid_socket_id"),
        ({"name": "e", "channel": "c", "data": "d", "info": "secrets"}, 400, "invalid_info"),
    ],
)
def test_an_event_that_breaks_a_rule_is_refused(server: Server, event: Any, status: int, code: str) -> None:
    response = with_headers(server, "POST", "/events", event)
    assert (response.status_code, error_code(response)) == (status, code)


def test_events_at_the_limits_are_taken(server: Server) -> None:
    event = {"name": "e" * 200, "channels": [f"c{i}" for i in range(100)], "data": "€" * 3_413 + "x"}
    assert with_headers(server, "POST", "/events", event).status_code == 200


async def test_a_batch_with_one_invalid_event_publishes_nothing(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("all-or-nothing")
        good = {"name": "good", "channel": "all-or-nothing", "data": "1"}
        refused = with_headers(server, "POST", "/batch_events", {"batch": [good, {**good, "channel": "no spaces"}]})
        assert (refused.status_code, error_code(refused)) == (400, "invalid_channel_name")
        refused = with_headers(server, "POST", "/batch_events", {"batch": [good] * 11})
        assert (refused.status_code, error_code(refused)) == (400, "invalid_batch")
        with_headers(server, "POST", "/events", {**good, "name": "last"})
        assert (await client.receive())["event"] == "last"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/channels?info=user_count", 400, "invalid_info"),
        ("/channels/hall?info=user_count", 400, "invalid_info"),
        ("/channels/hall/users", 400, "not_a_presence_channel"),
        ("/channels/no%20spaces", 400, "invalid_channel_name"),
        ("/nothing", 404, "not_found"),
        ("/channels/", 404, "not_found"),
        ("/events", 405, "method_not_allowed"),
    ],
)
def test_a_read_that_breaks_a_rule_is_refused(server: Server, path: str, status: int, code: str) -> None:
    response = httpx.get(f"{server.url}/apps/{APP_ID}{path}", headers=HEADERS)
    assert (response.status_code, error_code(response)) == (status, code)


@pytest.mark.parametrize(
    ("app", "headers", "query", "status", "code"),
    [
        (APP_ID, {}, {}, 401, "missing_credentials"),
        (APP_ID, {"X-Api-Key": KEY}, {}, 401, "missing_credentials"),
        (APP_ID, {"X-Api-Key": KEY, "X-Api-Secret": "wrong"}, {}, 401, "invalid_credentials"),
        (APP_ID, {"X-Api-Key": OTHER_KEY, "X-Api-Secret": OTHER_SECRET}, {}, 401, "invalid_credentials"),
        (APP_ID, {}, {"apiKey": KEY, "apiSecret": SECRET + "x"}, 401, "invalid_credentials"),
        (APP_ID, {}, {"auth_key": KEY}, 401, "invalid_signature"),
        ("nobody", HEADERS, {}, 404, "no_such_app"),
    ],
)
def test_wrong_credentials_are_refused(
    server: Server, app: str, headers: dict[str, str], query: dict[str, str], status: int, code: str
) -> None:
    response = httpx.get(f"{server.url}/apps/{app}/channels", headers=headers, params=query)
    assert (response.status_code, error_code(response)) == (status, code)


def test_junk_bodies_are_refused(server: Server) -> None:
    for body in (b"{", b"[]", b"\xff", b'{"name":"\\ud800","channel":"c","data":"d"}', b"[" * 100_000):
        response = httpx.post(f"{server.url}/apps/{APP_ID}/events", headers=HEADERS, content=body)
        assert (response.status_code, error_code(response)) == (400, "invalid_body")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/channels?filter_by_prefix=%FF", "invalid_query"),
        ("POST", "/events?name=e&channel=c&data=%ED%A0%80", "invalid_query"),
        ("GET", "/channels/%80", "invalid_path"),
        ("POST", "/users/%C3/terminate_connections", "invalid_path"),
        ("GET", "/channels/a%2Fusers", "invalid_channel_name"),
        ("GET", "/channels/a%00", "invalid_channel_name"),
    ],
)
def test_text_that_is_not_utf8_or_no_name_is_refused(server: Server, method: str, path: str, code: str) -> None:
    response = httpx.request(method, f"{server.url}/apps/{APP_ID}{path}", headers=HEADERS)
    assert (response.status_code, error_code(response)) == (400, code)


@pytest.mark.parametrize("data", [{"an": "object"}, ["an", "array"], 7])
def test_data_that_is_no_string_is_refused_with_the_advice_to_encode_it(server: Server, data: Any) -> None:
    response = with_headers(server, "POST", "/events", {"name": "e", "channel": "c", "data": data})
    assert (response.status_code, error_code(response)) == (400, "invalid_body")
    assert "encode an object as JSON first" in response.text


async def test_a_signed_publish_may_have_everything_in_the_query(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("queried")
        path = f"/apps/{APP_ID}/events"
        parameters = [("name", "e"), ("channels[]", "queried"), ("channels[]", "other"), ("data", "é & ü")]
        query = signed_query("POST", path, b"", parameters, timestamp=int(time.time())).decode()
        assert httpx.post(f"{server.url}{path}?{query}").json() == {}
        assert (await client.receive())["data"] == "é & ü"


def test_a_body_over_the_limit_is_refused_and_the_answer_seen(server: Server) -> None:
    for size in (1_048_577, 3_000_000):
        response = httpx.post(f"{server.url}/apps/{APP_ID}/events", headers=HEADERS, content=b"x" * size)
        assert (response.status_code, error_code(response)) == (413, "body_too_large")


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    with RawClient.socket(server) as connection:
        head = f"Host: x\r\nX-Api-Key: {KEY}\r\nX-Api-Secret: {SECRET}\r\n"
        body = json.dumps({"name": "e", "channel": "c", "data": "d", "info": "subscription_count"})
        requests = [
            f"GET /apps/{APP_ID}/channels/one HTTP/1.1\r\n{head}\r\n",
            f"GET /health HTTP/1.1\r\n{head}\r\n",
            f"POST /apps/{APP_ID}/events HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}",
            f"GET /apps/{APP_ID}/channels/no%20spaces HTTP/1.1\r\n{head}Connection: close\r\n\r\n",
        ]
        connection.sendall("".join(requests).encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        marks = [b'{"occupied":false}', b'{"status":"ok"}', b'{"channels":{"c":', b"invalid_channel_name"]
        positions = [answer.index(mark) for mark in marks]
        assert positions == sorted(positions)
        assert answer.count(b"HTTP/1.1 200 OK") == 3
