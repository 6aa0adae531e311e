"""Channels that remember and channels that are end-to-end encrypted, with pusher-js and the official SDKs."""

import json
from typing import Any

import pytest
from pusher import Pusher

from e2e.support.api import error_code, with_headers
from e2e.support.auth_endpoint import MASTER_KEY, AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.pusher_js import connect, node_sdk, publish, subscribe
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, Server


def python_sdk(server: Server) -> Pusher:
    return Pusher(
        app_id=APP_ID,
        key=KEY,
        secret=SECRET,
        host="127.0.0.1",
        port=server.port,
        ssl=False,
        encryption_master_key_base64=MASTER_KEY,
    )


@pytest.mark.parametrize("kind", ["cache-", "private-cache-", "presence-cache-", "private-encrypted-cache-"])
async def test_a_cache_channel_has_its_last_event_for_who_comes_later(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint, kind: str
) -> None:
    channel = f"{kind}js"
    await connect(javascript, server, "early", f"{auth_endpoint.url}?user=early")
    await subscribe(javascript, "early", channel)
    await javascript.event("early", channel, "pusher:cache_miss")
    for number in (1, 2):
        await node_sdk(javascript, server, "trigger", channel, "stock", {"n": number})
        assert (await javascript.event("early", channel, "stock"))["data"] == {"n": number}
    await connect(javascript, server, "late", f"{auth_endpoint.url}?user=late")
    await subscribe(javascript, "late", channel)
    assert (await javascript.event("late", channel, "stock"))["data"] == {"n": 2}
    assert not javascript.seen(lambda m: m.get("event") in {"pusher:cache_miss", "stock"})
    cache = with_headers(server, "GET", f"/channels/{channel}", query={"info": "cache"}).json()["cache"]
    assert 1700 < cache["ttl"] <= 1800
    assert ("ciphertext" in json.loads(cache["data"])) == kind.startswith("private-encrypted-")


class TestEndToEndEncryption:
    async def test_subscribers_read_what_either_sdk_encrypted_and_the_server_does_not(
        self, javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
    ) -> None:
        channel = "private-encrypted-js"
        await connect(javascript, server, "a", auth_endpoint.url)
        await subscribe(javascript, "a", channel)
        async with RawClient.connected(server) as wire:
            await wire.subscribe_private(channel)
            await node_sdk(javascript, server, "trigger", channel, "secret", {"from": "node"})
            python_sdk(server).trigger(channel, "secret", {"from": "python"})
            for sender in ("node", "python"):
                assert (await javascript.event("a", channel, "secret"))["data"] == {"from": sender}
                sent = json.loads((await wire.receive())["data"])
                assert sent.keys() == {"nonce", "ciphertext"}

    async def test_of_a_batch_each_event_is_encrypted_for_its_channel(
        self, javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
    ) -> None:
        await connect(javascript, server, "a", auth_endpoint.url)
        channels = ["private-encrypted-one", "private-encrypted-two", "plain"]
        for channel in channels:
            await subscribe(javascript, "a", channel)
        batch: list[dict[str, Any]] = [{"channel": channel, "name": "e", "data": {"n": 1}} for channel in channels]
        await node_sdk(javascript, server, "triggerBatch", batch)
        for channel in channels:
            assert (await javascript.event("a", channel, "e"))["data"] == {"n": 1}

    def test_an_event_for_more_than_one_channel_is_refused_as_pusher_does(self, server: Server) -> None:
        body = {"name": "e", "channels": ["private-encrypted-one", "c"], "data": "{}"}
        response = with_headers(server, "POST", "/events", body)
        assert (response.status_code, error_code(response)) == (400, "invalid_channels")

    async def test_client_events_are_refused(self, server: Server) -> None:
        async with RawClient.connected(server) as client:
            await client.subscribe_private("private-encrypted-refusal")
            await client.send({"event": "client-e", "channel": "private-encrypted-refusal", "data": {}})
            error = await client.receive()
            assert error["event"] == "pusher:error"
            assert "encrypted ones excepted" in error["data"]["message"]

    async def test_what_is_not_encrypted_is_not_shown(
        self, javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
    ) -> None:
        channel = "private-encrypted-plain"
        await connect(javascript, server, "a", auth_endpoint.url)
        await subscribe(javascript, "a", channel)
        publish(server, channel, "e", '{"not": "encrypted"}')
        await node_sdk(javascript, server, "trigger", channel, "e", {"n": 1})
        assert (await javascript.event("a", channel, "e"))["data"] == {"n": 1}
