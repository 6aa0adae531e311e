"""Webhooks from a real server to a real back end: one that takes them, fails, hangs and comes back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pusher import Pusher
from sqlalchemy import select

from e2e.support.javascript import JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, NewServer, Server
from e2e.support.webhook_config import webhook_config
from skubber.store import tables
from skubber.store.database import Database
from skubber.store.deliveries import DeadLetter
from support.deliveries import endpoint_status, list_dead_letters, replay_dead_letters
from support.webhook_receiver import PATIENCE, Received, Receiver

PRESENCE = "presence-room"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """The server's database, which the test opens beside it."""
    database = Database(str(tmp_path / "skubber.db"))
    yield database
    await database.close()


def names(events: Sequence[dict[str, Any]], channel: str) -> list[str]:
    return [event["name"] for event in events if event["channel"] == channel]


def check_signature(request: Received) -> None:
    sdk = Pusher(app_id=APP_ID, key=KEY, secret=SECRET)
    key, signature = request.headers["x-pusher-key"], request.headers["x-pusher-signature"]
    assert sdk.validate_webhook(key, signature, request.body.decode()) is not None
    assert request.headers["content-type"] == "application/json"


async def say(client: RawClient, event: str, channel: str, data: Any) -> None:
    await client.send({"event": event, "channel": channel, "data": data})


@asynccontextmanager
async def clients(server: Server, count: int) -> AsyncIterator[list[RawClient]]:
    """So many connections, which end one after the other, the last one first."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(RawClient.connected(server)) for _ in range(count)]


async def test_every_event_is_told_to_those_who_want_it(
    new_server: NewServer, tmp_path: Path, receiver: Receiver, javascript: JavaScript
) -> None:
    members = ["member_added", "member_removed"]
    own = {"Authorization": "Bearer t", "X-Pusher-Key": "forged"}
    config = webhook_config(
        tmp_path,
        {"url": receiver.url("/all")},
        {"url": receiver.url("/members"), "events": members},
        {"url": receiver.url("/private"), "channel_prefix": "private-", "headers": own, "is_batched": False},
        {"url": receiver.url("/off"), "enabled": False},
        counts=True,
    )
    server = new_server("--config", config, is_demo=True)
    async with clients(server, 4) as (first, second, cache, private):
        await first.subscribe_presence(PRESENCE, "u1")
        await second.subscribe_presence(PRESENCE, "u1")
        await cache.subscribe("cache-c")
        await private.subscribe_private("private-p")
        await say(first, "client-hello", PRESENCE, {"n": 1})
        await say(private, "client-bye", "private-p", "text")
        socket_id = private.socket_id
        await receiver.wait_for_events(9, "/all")
    events = await receiver.wait_for_events(15, "/all")

    assert names(events, "cache-c") == [
        "subscription_count",
        "channel_occupied",
        "cache_miss",
        "subscription_count",
        "channel_vacated",
    ]
    on_private = [event for event in events if event["channel"] == "private-p"]
    assert on_private[2] == {
        "name": "client_event",
        "channel": "private-p",
        "event": "client-bye",
        "data": "text",
        "socket_id": socket_id,
    }
    room = [event for event in events if event["channel"] == PRESENCE]
    assert [(event["name"], event.get("user_id")) for event in room] == [
        ("channel_occupied", None),
        ("member_added", "u1"),
        ("client_event", "u1"),
        ("member_removed", "u1"),
        ("channel_vacated", None),
    ]
    assert room[2]["data"] == '{"n": 1}'
    counts = [event["subscription_count"] for event in on_private if event["name"] == "subscription_count"]
    assert counts == [1, 0]

    assert [event["name"] for event in await receiver.wait_for_events(2, "/members")] == members
    assert await receiver.wait_for_events(5, "/private") == on_private
    for request in receiver.requests:
        check_signature(request)
        if request.path == "/private":
            assert len(request.events) == 1
            assert request.headers["authorization"] == "Bearer t"
    assert {request.path for request in receiver.requests} == {"/all", "/members", "/private"}
    request = receiver.requests[0]
    options = {"appId": APP_ID, "key": KEY, "secret": SECRET}
    validated = await javascript.call("webhook", options=options, headers=request.headers, body=request.body.decode())
    assert validated == {"isValid": True, "events": request.events}


async def test_who_is_back_within_the_grace_period_was_never_gone(
    new_server: NewServer, tmp_path: Path, receiver: Receiver
) -> None:
    wanted = ["channel_occupied", "channel_vacated", "member_added", "member_removed"]
    config = webhook_config(tmp_path, {"url": receiver.url(), "events": wanted})
    server = new_server("--config", config, is_demo=True)
    async with RawClient.connected(server) as first:
        await first.subscribe_presence(PRESENCE, "u1")
        await receiver.wait_for_events(2)
    async with RawClient.connected(server) as second:
        await second.subscribe_presence(PRESENCE, "u1")
        async with RawClient.connected(server) as third:
            await third.subscribe("other")
        # It is gone later than the first one was: by then that would have been told, too.
        events = await receiver.wait_for_events(4)
    assert names(events, PRESENCE) == ["channel_occupied", "member_added"]
    assert names(events, "other") == ["channel_occupied", "channel_vacated"]


async def test_a_back_end_that_was_down_gets_everything_in_order(
    new_server: NewServer, tmp_path: Path, receiver: Receiver
) -> None:
    config = webhook_config(tmp_path, {"url": receiver.url(), "events": ["channel_occupied"]})
    server = new_server("--config", config, is_demo=True)
    receiver.status = 503
    async with RawClient.connected(server) as client:
        await client.subscribe("0")
        await receiver.wait_for_requests(1)
        receiver.stop()
        for number in range(1, 20):
            await client.subscribe(str(number))
        back = Receiver(receiver.port)
        events = await back.wait_for_events(20)
        back.stop()
    assert [event["channel"] for event in events] == [str(number) for number in range(20)]


async def test_a_server_that_was_killed_delivers_what_it_had_written(
    new_server: NewServer, tmp_path: Path, receiver: Receiver, database: Database
) -> None:
    config = webhook_config(tmp_path, {"url": receiver.url(), "events": ["channel_occupied"]})
    server = new_server("--config", config, is_demo=True)
    channels = [str(number) for number in range(60)]
    async with RawClient.connected(server) as client:
        for channel in channels[:20]:
            await client.subscribe(channel)
        await receiver.wait_for_events(20)
        receiver.status = 0
        for channel in channels[20:]:
            await client.subscribe(channel)
        await until_written(database, channels[-1])
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
    receiver.status = 200
    server.start()
    told: list[str] = []
    while channels[-1] not in told:
        events = await receiver.wait_for_events(len(told) + 1)
        told = [event["channel"] for event in events]
    assert list(dict.fromkeys(told)) == channels


async def until_written(database: Database, channel: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            async with database.reading() as connection:
                bodies = (await connection.execute(select(tables.webhook_events.c.body))).scalars().all()
            if any(f'"channel":"{channel}"' in body for body in bodies):
                return


async def test_a_server_that_stops_tells_what_its_end_means_when_it_is_back(
    new_server: NewServer, tmp_path: Path, receiver: Receiver
) -> None:
    config = webhook_config(tmp_path, {"url": receiver.url(), "events": ["channel_occupied", "channel_vacated"]})
    server = new_server("--config", config, is_demo=True)
    async with RawClient.connected(server) as client:
        await client.subscribe("c")
        await receiver.wait_for_events(1)
        server.signal(signal.SIGTERM)
        assert await client.close_code() == 4200
        server.wait()
    server.start()
    assert names(await receiver.wait_for_events(2), "c") == ["channel_occupied", "channel_vacated"]


async def test_what_no_back_end_takes_becomes_a_dead_letter_that_can_be_replayed(
    new_server: NewServer, tmp_path: Path, receiver: Receiver, database: Database
) -> None:
    """A back end that hangs, one that redirects, one with a private address, and one that answers far too much."""
    hanging, redirecting = Receiver(), Receiver()
    hanging.status, redirecting.status = 0, 302
    redirecting.location = receiver.url("/private")
    receiver.answer = bytes(10_000_000)
    urls = [
        hanging.url(),
        redirecting.url("/moved"),
        # Of this machine's addresses one is allowed, and none of the others.
        f"http://127.0.0.2:{receiver.port}/private",
        receiver.url("/huge"),
    ]
    hooks = [{"url": url, "events": ["channel_occupied"]} for url in urls]
    config = webhook_config(tmp_path, *hooks, webhook_retry_period=1, webhook_allowed_networks=["127.0.0.1/32"])
    server = new_server("--config", config, is_demo=True)
    async with RawClient.connected(server) as client:
        await client.subscribe("c")
        assert names(await receiver.wait_for_events(1, "/huge"), "c") == ["channel_occupied"]
        await dead_letter(database, "127.0.0.2 is at 127.0.0.2, which webhooks may not go to.")
        moved = await dead_letter(database, "The answer was 302: redirects are not followed.")
        assert "There was no answer within 1 s." in await outcomes(database)
        redirecting.status = 200
        endpoint_id = await endpoint_of(database, moved)
        assert (await endpoint_status(database, endpoint_id)).dead == 1
        await replay_dead_letters(database, endpoint_id, time.time(), [moved.id])
        assert names(await redirecting.wait_for_events(1), "c") == ["channel_occupied"]
    assert {request.path for request in redirecting.requests} == {"/moved"}
    assert {request.path for request in receiver.requests} == {"/huge"}
    hanging.stop()
    redirecting.stop()


async def dead_letter(database: Database, error: str) -> DeadLetter:
    """Wait for a dead letter, of any endpoint, and return it."""
    endpoints = tables.webhook_endpoints
    async with asyncio.timeout(PATIENCE):
        while True:
            async with database.reading() as connection:
                ids = (await connection.execute(select(endpoints.c.endpoint_id))).scalars().all()
            for letter in [letter for each in ids for letter in await list_dead_letters(database, each)]:
                if letter.error == error:
                    return letter


async def outcomes(database: Database) -> Sequence[str | None]:
    """How the last attempts at all endpoints went."""
    async with database.reading() as connection:
        return (await connection.execute(select(tables.webhook_endpoints.c.last_outcome))).scalars().all()


async def endpoint_of(database: Database, letter: DeadLetter) -> str:
    events = tables.webhook_events
    async with database.reading() as connection:
        found = await connection.execute(select(events.c.endpoint_id).where(events.c.id == letter.id))
        return str(found.scalar_one())
