"""From what happens to the database."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from skubber.core.webhook import WebhookEvent, WebhookEventName
from skubber.store import tables
from skubber.webhooks.queue import WebhookQueue
from webhooks.post_office import BrokenDatabase, PostOffice

EVENTS = tables.webhook_events


async def rows(office: PostOffice) -> list[Any]:
    async with office.database.reading() as connection:
        return list(await connection.execute(select(EVENTS).order_by(EVENTS.c.id)))


async def test_each_endpoint_that_wants_an_event_gets_a_row(office: PostOffice) -> None:
    office.endpoint("http://a/", "all")
    office.endpoint("http://a/", "some", events=frozenset({WebhookEventName.CACHE_MISS}))
    office.endpoint("http://a/", "prefix", channel_prefix="cache-")
    office.endpoint("http://a/", "off", enabled=False)
    office.queue(office.app.id, WebhookEvent(WebhookEventName.CACHE_MISS, "cache-c"))
    office.queue(office.app.id, WebhookEvent(WebhookEventName.CHANNEL_OCCUPIED, "c"))
    await office.written()
    assert [(row.endpoint_id, json.loads(row.body)["channel"]) for row in await rows(office)] == [
        ("all", "cache-c"),
        ("some", "cache-c"),
        ("prefix", "cache-c"),
        ("all", "c"),
    ]


async def test_a_row_has_all_that_there_is_to_be_told(office: PostOffice) -> None:
    office.endpoint("http://a/")
    event = WebhookEvent(WebhookEventName.CLIENT_EVENT, "presence-c", "ü", "client-e", '{"a":"\0"}', "1.2")
    office.queue(office.app.id, event)
    await office.written()
    [row] = await rows(office)
    assert json.loads(row.body) == {
        "name": "client_event",
        "channel": "presence-c",
        "user_id": "ü",
        "event": "client-e",
        "data": '{"a":"\0"}',
        "socket_id": "1.2",
    }
    assert (row.app_id, row.time_ms, row.attempts, row.dead_at) == (office.app.id, office.now * 1000, 0, None)


async def test_nobody_is_told_of_an_app_that_is_not_there(office: PostOffice) -> None:
    office.endpoint("http://a/")
    office.queue("nobody", WebhookEvent(WebhookEventName.CHANNEL_OCCUPIED, "c"))
    await office.written()
    assert await rows(office) == []


async def test_what_gathers_is_written_together(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office.endpoint("http://a/")
    transactions: list[int] = []
    writing = office.database.writing

    @asynccontextmanager
    async def counted() -> Any:
        transactions.append(1)
        async with writing() as connection:
            yield connection

    monkeypatch.setattr(office.database, "writing", counted)
    woken: list[Sequence[str]] = []
    writer = asyncio.create_task(office.queue.write(office.database, woken.append))
    office.happens(*map(str, range(1000)))
    office.queue.close()
    await writer
    assert [json.loads(row.body)["channel"] for row in await rows(office)] == [str(n) for n in range(1000)]
    assert (len(transactions), woken) == (1, [["hook"]])


async def test_everything_is_written_before_the_end(office: PostOffice) -> None:
    office.endpoint("http://a/")
    more = iter(["b", "c"])
    writer = asyncio.create_task(office.queue.write(office.database, lambda _: office.happens(*next(more, ""))))
    office.happens("a")
    office.queue.close()
    await writer
    assert await office.waiting() == ["a", "b", "c"]


async def logged(logs: list[Any], event: str) -> None:
    async with asyncio.timeout(20):
        while not any(line["event"] == event for line in logs):  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0)


async def test_while_the_database_cannot_be_written_events_wait_in_order(office: PostOffice) -> None:
    office.endpoint("http://a/")
    with capture_logs() as logs:
        async with BrokenDatabase(office):
            writer = asyncio.create_task(office.queue.write(office.database, lambda _: office.queue.close()))
            office.happens("a", "b")
            await logged(logs, "cannot write webhook events")
            office.happens("c")
        await writer
    assert await office.waiting() == ["a", "b", "c"]


async def test_a_stopping_server_does_not_wait_for_a_broken_database(office: PostOffice) -> None:
    office.endpoint("http://a/")
    with capture_logs() as logs:
        async with BrokenDatabase(office):
            writer = asyncio.create_task(office.queue.write(office.database, lambda _: None))
            office.happens("a", "b")
            await logged(logs, "cannot write webhook events")
            office.queue.close()
            await asyncio.wait_for(writer, 20)
    assert {"event": "webhook events lost", "events": 2, "reason": "the server stops", "log_level": "error"} in logs


async def test_memory_is_bounded_and_the_oldest_are_lost(office: PostOffice) -> None:
    office.endpoint("http://a/")
    office.queue = WebhookQueue(office.apps, office.clock, max_bytes=10_000)
    with capture_logs() as logs:
        async with BrokenDatabase(office):
            writer = asyncio.create_task(office.queue.write(office.database, lambda _: office.queue.close()))
            office.happens("first")
            await logged(logs, "cannot write webhook events")
            office.happens(*map(str, range(1000)))
        await writer
    kept = await office.waiting()
    assert kept == [str(n) for n in range(1000 - len(kept), 1000)]
    assert 5 < len(kept) < 20
    lost = [line for line in logs if line["event"] == "webhook events lost"]
    assert [line.get("events") for line in lost] == [None, 1001 - len(kept)]
    assert office.queue.lost == 1001 - len(kept)
