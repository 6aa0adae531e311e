"""Signed requests and authorizations that somebody has overheard, sent once more."""

import hashlib
import hmac
import json
import time

import pytest

from abuse.support import connect
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, OTHER_ID, OTHER_KEY, OTHER_SECRET, SECRET, Server
from e2e.support.signalr import publish
from server.http_client import Answer, request
from skubber.api.authentication import TIMESTAMP_WINDOW
from support.pusher_client import sign_in, subscription

BODY = json.dumps({"name": "replayed", "channel": "replay", "data": "x"}).encode()
PATH = f"/apps/{APP_ID}/events"


def signed_query(at: float, path: str = PATH, body: bytes = BODY) -> str:
    """The query of a publish that was signed at some time, seconds since the epoch."""
    body_md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    query = f"auth_key={KEY}&auth_timestamp={int(at)}&auth_version=1.0&body_md5={body_md5}"
    signature = hmac.new(SECRET.encode(), f"POST\n{path}\n{query}".encode(), "sha256").hexdigest()
    return f"{query}&auth_signature={signature}"


async def sent(server: Server, query: str, path: str = PATH, body: bytes = BODY) -> tuple[int, str]:
    """Send a publish; status and error code of its answer."""
    client = await connect(server)
    client.send(request("POST", f"{path}?{query}", body=body))
    answer: Answer = await client.answer()
    await client.close()
    return answer.status, json.loads(answer.body).get("code", "")


@pytest.mark.parametrize("age", [TIMESTAMP_WINDOW + 1, 86_400, -TIMESTAMP_WINDOW - 60])
async def test_a_request_is_not_done_outside_the_window_of_its_signature(server: Server, age: int) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("replay")
        assert await sent(server, signed_query(time.time() - age)) == (401, "expired_signature")
        publish(server, "replay", "honest")
        assert (await client.receive())["event"] == "honest"


async def test_a_request_that_was_overheard_is_good_for_nothing_else(server: Server) -> None:
    query = signed_query(time.time())
    old, new = signed_query(time.time() - 2 * TIMESTAMP_WINDOW), str(int(time.time()))
    renewed = old.replace(old.split("auth_timestamp=")[1].split("&")[0], new)
    twice = old.replace("auth_version", f"auth_timestamp={new}&auth_version")
    first = f"auth_timestamp={new}&{old}"
    async with RawClient.connected(server) as client:
        await client.subscribe("replay")
        for tampered in (renewed, twice, first):
            assert (await sent(server, tampered))[0] == 401
        assert await sent(server, query, body=BODY.replace(b"replayed", b"tampered")) == (401, "body_mismatch")
        assert await sent(server, query, path=f"/apps/{APP_ID}/batch_events") == (401, "invalid_signature")
        assert await sent(server, query, path=f"/apps/{OTHER_ID}/events") == (401, "invalid_credentials")
        assert await sent(server, query) == (200, "")
        assert (await client.receive())["event"] == "replayed"


async def test_a_request_with_a_signed_idempotency_key_is_done_once(server: Server) -> None:
    body = json.dumps({**json.loads(BODY), "idempotency_key": "order-1"}).encode()
    query = signed_query(time.time(), body=body)
    without = json.dumps({**json.loads(BODY), "idempotency_key": None}).encode()
    async with RawClient.connected(server) as client:
        await client.subscribe("replay")
        assert [await sent(server, query, body=body) for _ in range(3)] == [(200, "")] * 3
        assert await sent(server, query, body=without) == (401, "body_mismatch")
        publish(server, "replay", "honest")
        assert [(await client.receive())["event"] for _ in range(2)] == ["replayed", "honest"]


async def test_an_authorization_is_good_for_its_connection_only(server: Server) -> None:
    async with RawClient.connected(server) as victim, RawClient.connected(server) as attacker:
        overheard = [
            subscription(victim.socket_id, "private-c"),
            subscription(victim.socket_id, "presence-c", '{"user_id":"ann"}'),
            subscription(attacker.socket_id, "private-d") | {"channel": "private-c"},
            subscription(attacker.socket_id, "presence-c", '{"user_id":"bob"}') | {"channel_data": '{"user_id":"ann"}'},
        ]
        for data in overheard:
            await attacker.send({"event": "pusher:subscribe", "data": data})
            answer = await attacker.receive()
            assert (answer["event"], answer["data"]["status"]) == ("pusher:subscription_error", 401)


@pytest.mark.parametrize("kind", ["another connection's", "another app's"])
async def test_a_sign_in_is_good_for_its_connection_and_app_only(server: Server, kind: str) -> None:
    async with RawClient.connected(server) as victim, RawClient.connected(server) as attacker:
        user = '{"id":"ann"}'
        data = (
            sign_in(victim.socket_id, user)
            if kind == "another connection's"
            else sign_in(attacker.socket_id, user, OTHER_KEY, OTHER_SECRET)
        )
        await attacker.send({"event": "pusher:signin", "data": data})
        assert (await attacker.receive())["event"] == "pusher:error"
