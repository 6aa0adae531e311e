"""Reaching for another app's data, with credentials that are good for one's own."""

import httpx
import pytest

from abuse.support import connect
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, OTHER_ID, OTHER_KEY, OTHER_SECRET, Server
from e2e.support.signalr import access_token, publish
from server.http_client import request
from support.pusher_client import subscription

OTHERS = {"X-Api-Key": OTHER_KEY, "X-Api-Secret": OTHER_SECRET}
ENDPOINTS = [
    ("POST", "/events"),
    ("POST", "/batch_events"),
    ("GET", "/channels"),
    ("GET", "/channels/c"),
    ("GET", "/channels/presence-c/users"),
    ("POST", "/channels/c/events"),
    ("POST", "/users/ann/terminate_connections"),
]
TRICKS = [
    f"/apps/{OTHER_ID}/../{APP_ID}/channels",
    f"/apps/{OTHER_ID}%2F..%2F{APP_ID}/channels",
    f"/apps/{OTHER_ID}/%2e%2e/{APP_ID}/channels",
    f"/apps/{OTHER_ID}%252F..%252F{APP_ID}/channels",
    f"/apps/{APP_ID}%00/channels",
    f"/apps//{APP_ID}/channels",
]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_key_opens_no_endpoint_of_another_app(server: Server, method: str, path: str) -> None:
    answer = httpx.request(method, f"{server.url}/apps/{APP_ID}{path}", headers=OTHERS, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


@pytest.mark.parametrize("target", TRICKS)
async def test_no_path_leads_from_one_app_into_another(server: Server, target: str) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("hidden")
        attacker = await connect(server)
        attacker.send(request("GET", target, f"X-Api-Key: {OTHER_KEY}", f"X-Api-Secret: {OTHER_SECRET}"))
        answer = await attacker.answer()
        assert answer.status in {400, 401, 404}
        assert b"hidden" not in answer.body
        await attacker.close()


async def test_another_apps_secret_signs_for_no_private_channel(server: Server) -> None:
    async with RawClient.connected(server) as client:
        signed = subscription(client.socket_id, "private-c", key=OTHER_KEY, secret=OTHER_SECRET)
        await client.send({"event": "pusher:subscribe", "data": signed})
        answer = await client.receive()
        assert (answer["event"], answer["data"]["status"]) == ("pusher:subscription_error", 401)


async def test_an_event_of_another_app_arrives_nowhere_else(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("shared-name")
        event = {"name": "foreign", "channel": "shared-name", "data": "x"}
        answer = httpx.post(f"{server.url}/apps/{OTHER_ID}/events", headers=OTHERS, json=event)
        assert answer.status_code == 200
        publish(server, "shared-name", "own")
        assert (await client.receive())["event"] == "own"


@pytest.mark.parametrize("header", ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJSUzI1NiJ9"])
def test_a_token_with_another_algorithm_opens_nothing(server: Server, header: str) -> None:
    _, claims, signature = access_token(server).split(".")
    for forged in (f"{header}.{claims}.", f"{header}.{claims}.{signature}"):
        answer = httpx.post(f"{server.url}/push/negotiate", params={"access_token": forged})
        assert answer.status_code == 401
