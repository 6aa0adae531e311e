"""Reaching for another app's data, with credentials that are good for one's own."""

import contextlib
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from abuse.support import connect
from e2e.support.api import HEADERS
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, OTHER_ID, OTHER_KEY, OTHER_SECRET, Server
from e2e.support.signalr import access_token, publish
from e2e.support.signalr_raw import RawHttp, RawHub
from e2e.test_signalr_access import status
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


@pytest.mark.parametrize(("channel", "member"), [("private-c", None), ("presence-c", '{"user_id":"ann"}')])
@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
async def test_another_apps_secret_signs_for_no_channel(
    server: Server, channel: str, member: str | None, key: str
) -> None:
    async with RawClient.connected(server) as client:
        signed = subscription(client.socket_id, channel, member, key=key, secret=OTHER_SECRET)
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


@contextlib.asynccontextmanager
async def client_of_the_other_app(server: Server) -> AsyncIterator[RawClient]:
    """A client whose back end is the other app's."""
    async with RawClient.opened(server, f"/app/{OTHER_KEY}?protocol=7") as client:
        client.socket_id = json.loads((await client.receive())["data"])["socket_id"]
        yield client


async def join_the_others(client: RawClient, channel: str, member: str | None = None) -> None:
    """Subscribe a client of the other app."""
    signed = subscription(client.socket_id, channel, member, key=OTHER_KEY, secret=OTHER_SECRET)
    await client.send({"event": "pusher:subscribe", "data": signed})
    assert (await client.receive())["event"] == "pusher_internal:subscription_succeeded"


def publish_to_the_others(server: Server, headers: dict[str, str] | None = None, **event: str) -> None:
    """Publish an event of the other app."""
    url = f"{server.url}/apps/{OTHER_ID}/events"
    answer = httpx.post(url, headers={**OTHERS, **(headers or {})}, json={"name": "others", "data": "x", **event})
    assert answer.status_code == 200


async def test_a_client_event_stays_in_its_app(server: Server) -> None:
    async with RawClient.connected(server) as client, client_of_the_other_app(server) as other:
        await client.subscribe_private("private-talk")
        await join_the_others(other, "private-talk")
        await other.send({"event": "client-foreign", "channel": "private-talk", "data": {}})
        await other.send({"event": "pusher:ping", "data": {}})
        assert (await other.receive())["event"] == "pusher:pong"
        publish(server, "private-talk", "own")
        assert (await client.receive())["event"] == "own"


async def test_a_connection_of_another_app_cannot_be_left_out(server: Server) -> None:
    async with RawClient.connected(server) as client, client_of_the_other_app(server) as other:
        await client.subscribe("everybody")
        await join_the_others(other, "everybody")
        publish_to_the_others(server, channel="everybody", socket_id=client.socket_id)
        publish(server, "everybody", "own", socket_id=other.socket_id)
        assert (await other.receive())["event"] == "others"
        assert (await client.receive())["event"] == "own"


async def test_a_user_of_the_same_name_in_another_app_is_another_one(server: Server) -> None:
    async with RawClient.connected(server) as client, client_of_the_other_app(server) as other:
        await client.subscribe_presence("presence-users", "ann")
        member = '{"user_id":"bob"}'
        await join_the_others(other, "presence-users", member)
        for app_id, headers, user in ((APP_ID, HEADERS, "ann"), (OTHER_ID, OTHERS, "bob")):
            answer = httpx.get(f"{server.url}/apps/{app_id}/channels/presence-users/users", headers=headers)
            assert answer.json() == {"users": [{"id": user}]}
        for user in ("ann", "bob"):
            url = f"{server.url}/apps/{OTHER_ID}/users/{user}/terminate_connections"
            assert httpx.post(url, headers=OTHERS, content=b"").status_code == 200
        assert await other.close_code() == 4009
        publish(server, "presence-users", "own")
        assert (await client.receive())["event"] == "own"


async def test_an_idempotency_key_of_another_app_is_another_one(server: Server) -> None:
    async with RawClient.connected(server) as client, client_of_the_other_app(server) as other:
        await client.subscribe("once")
        await join_the_others(other, "once")
        key = {"Idempotency-Key": "the-same"}
        publish_to_the_others(server, key, channel="once")
        event = {"name": "own", "channel": "once", "data": "x"}
        for _ in range(2):
            url = f"{server.url}/apps/{APP_ID}/events"
            assert httpx.post(url, headers={**HEADERS, **key}, json=event).status_code == 200
        publish(server, "once", "last")
        assert [(await client.receive())["event"] for _ in range(2)] == ["own", "last"]
        assert (await other.receive())["event"] == "others"


async def test_what_another_apps_cache_channel_keeps_is_kept_from_everybody_else(server: Server) -> None:
    publish(server, "cache-kept", "secret")
    async with client_of_the_other_app(server) as other:
        await join_the_others(other, "cache-kept")
        assert (await other.receive())["event"] == "pusher:cache_miss"
        url = f"{server.url}/apps/{OTHER_ID}/channels/cache-kept?info=cache"
        assert httpx.get(url, headers=OTHERS).json() == {"occupied": True, "cache": None}


@pytest.mark.parametrize("request_kind", ["poll", "event stream", "post", "delete", "websocket"])
async def test_a_hub_connection_is_not_another_apps_whoever_its_user_is(server: Server, request_kind: str) -> None:
    foreign = access_token(server, apiKey=OTHER_KEY, apiSecret=OTHER_SECRET, userId="ann")
    async with RawHttp.negotiated(server, access_token(server, userId="ann")) as http:
        assert await status(server, request_kind, foreign, {}, id=http.query["id"]) == 403


async def test_a_hub_client_hears_and_says_nothing_in_another_app(server: Server) -> None:
    foreign = access_token(server, apiKey=OTHER_KEY, apiSecret=OTHER_SECRET, userId="eve", channels=["*"])
    async with RawClient.connected(server) as client, RawHub.connected(server, foreign) as hub:
        await client.subscribe_private("private-hub")
        assert "error" not in await hub.invoke("Subscribe", "private-hub")
        assert "error" not in await hub.invoke("Trigger", "private-hub", "client-foreign", {})
        publish(server, "private-hub", "own")
        assert (await client.receive())["event"] == "own"
        publish_to_the_others(server, channel="private-hub")
        assert (await hub.receive())["arguments"][0]["event"] == "others"
