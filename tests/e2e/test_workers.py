"""Several processes on one port are one server, as far as their clients can tell."""

import asyncio
import json
import os
import re
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from e2e.support.api import with_headers
from e2e.support.certificate import make_certificate
from e2e.support.processes import accepted_by, children, until_gone
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, EXECUTABLE, Server
from e2e.support.webhook_config import webhook_config
from skubber.store import tables
from skubber.store.database import Database
from support.ports import free_port
from support.redis import RedisServer
from support.webhook_receiver import Receiver

LEASE = 2

NewWorkers = Callable[..., Server]


@pytest.fixture
def new_workers(redis_server: RedisServer, new_server: Callable[..., Server]) -> NewWorkers:
    """Starts a server with a number of workers, and any flags."""

    def start(count: int, *flags: str, **options: object) -> Server:
        common = ("--set", f"broker={redis_server.url}", "--set", f"broker_lease={LEASE}", "--set", "drain_seconds=0")
        server = new_server("--workers", str(count), *common, *flags, **options)
        wait_until_all_serve(server, count)
        return server

    return start


def wait_until_all_serve(server: Server, count: int) -> None:
    """Wait for the workers that begin later than the first, by which the server is there."""
    deadline = time.monotonic() + 30
    while server.log.count('"event": "Application startup complete.') < count:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.05)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A back end."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


@asynccontextmanager
async def clients_on_every_worker(server: Server, count: int) -> AsyncIterator[dict[int, list[RawClient]]]:
    """Connect clients until there is one on each of so many workers; by the worker's process id."""
    found: dict[int, list[RawClient]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        for attempt in range(400):
            if attempt > 20:
                await asyncio.sleep(0.05)  # a worker that has just been started takes its time
            client = await stack.enter_async_context(RawClient.connected(server))
            found[accepted_by(server, client.connection.local_address[1])].append(client)
            if len(found) == count:
                break
        assert len(found) == count
        yield found


def all_of(clients: dict[int, list[RawClient]]) -> list[RawClient]:
    return [client for each in clients.values() for client in each]


@pytest.mark.parametrize("count", [2, 3])
async def test_an_event_reaches_the_subscribers_on_every_worker_once(new_workers: NewWorkers, count: int) -> None:
    server = new_workers(count, "--set", "database=")
    assert len(children(server.pid)) == count
    async with clients_on_every_worker(server, count) as found:
        for client in all_of(found):
            await client.subscribe("c")
        for name in ("first", "second"):
            answer = with_headers(server, "POST", "/events", {"name": name, "channel": "c", "data": "d"})
            assert answer.status_code == 200
        for client in all_of(found):
            assert [(await client.receive())["event"] for _ in range(2)] == ["first", "second"]


async def test_a_roster_spans_all_workers_and_one_that_is_killed_is_replaced(new_workers: NewWorkers) -> None:
    server = new_workers(2, "--set", "database=")
    async with clients_on_every_worker(server, 2) as found:
        (killed, lost), (_, left) = sorted(found.items(), key=lambda item: len(item[1]))
        watching = left[0]
        await watching.subscribe_presence("presence-c", "watching")
        for number, client in enumerate(lost):
            roster = await client.subscribe_presence("presence-c", f"u{number}")
            assert roster["presence"]["ids"].count("watching") == 1
            added = await watching.receive()
            assert json.loads(added["data"])["user_id"] == f"u{number}"
        os.kill(killed, signal.SIGKILL)
        async with asyncio.timeout(LEASE + 10):
            gone = [await watching.receive() for _ in lost]
        assert {event["event"] for event in gone} == {"pusher_internal:member_removed"}
        assert sorted(json.loads(event["data"])["user_id"] for event in gone) == [f"u{n}" for n in range(len(lost))]
    async with clients_on_every_worker(server, 2) as found:
        assert killed not in found


async def test_sigterm_ends_them_all_and_their_members_leave_at_once(
    new_workers: NewWorkers, redis_server: RedisServer
) -> None:
    server = new_workers(2, "--set", "database=")
    workers = children(server.pid)
    async with clients_on_every_worker(server, 2) as found:
        for number, client in enumerate(all_of(found)):
            await client.subscribe_presence("presence-c", f"u{number}")
        server.signal(signal.SIGTERM)
        for client in all_of(found):
            assert await client.close_code() == 4200
        assert server.exit_status() == 0
    await until_gone(*workers)
    with redis_server.client() as redis:
        # What nodes leave behind that have said goodbye: that they did, for a while.
        assert [key for key in redis.keys(f"*{APP_ID}*") if not key.endswith(b":gone")] == []


async def test_workers_do_not_outlive_a_parent_that_is_killed(new_workers: NewWorkers) -> None:
    server = new_workers(3, "--set", "database=")
    workers = children(server.pid)
    async with RawClient.connected(server) as client:
        server.signal(signal.SIGKILL)
        assert await client.close_code() == 4200
    await until_gone(*workers)


async def test_a_signal_to_every_process_is_as_good_as_one_to_the_parent(new_workers: NewWorkers) -> None:
    server = new_workers(2, "--set", "database=")
    async with RawClient.connected(server) as client:
        for worker in children(server.pid):
            os.kill(worker, signal.SIGTERM)
        server.signal(signal.SIGTERM)
        assert await client.close_code() == 4200
        assert server.exit_status() == 0


async def test_a_second_signal_kills(new_workers: NewWorkers) -> None:
    server = new_workers(2, "--set", "database=", "--set", "drain_seconds=3600")
    workers = children(server.pid)
    async with clients_on_every_worker(server, 2):
        async with asyncio.timeout(20):
            while server.is_running:
                server.signal(signal.SIGTERM)
                await asyncio.sleep(0.02)
        # The latter where one more signal found it with all workers killed, and about to exit.
        assert server.exit_status() in {128 + signal.SIGTERM, -signal.SIGTERM}
    await until_gone(*workers)


async def test_all_workers_read_a_new_certificate(new_workers: NewWorkers, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    flags = ("--tls-certificate", str(certificate), "--tls-key", str(key), "--set", "database=")
    server = new_workers(2, *flags, certificate=certificate)
    make_certificate(tmp_path)
    server.signal(signal.SIGHUP)
    async with asyncio.timeout(20):
        while server.log.count("certificate reloaded") < 2:  # noqa: ASYNC110 - a log has to be looked at
            await asyncio.sleep(0.02)
    for _ in range(10):
        async with RawClient.connected(server):
            pass


async def test_they_share_a_database_and_a_demo_app_and_say_who_they_are(new_workers: NewWorkers) -> None:
    server = new_workers(2, is_demo=True)
    found = re.search(r"key     (\S+)\n    secret  (\S+)", server.log)
    assert found is not None
    headers = {"X-Api-Key": found[1], "X-Api-Secret": found[2]}
    body = {"name": "e", "channel": "c", "data": "d"}
    async with httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0)) as http:
        for _ in range(20):
            answer = await http.post(f"{server.url}/apps/demo/events", headers=headers, json=body)
            assert answer.status_code == 200
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    assert {line.get("worker") for line in lines} == {None, 1, 2}
    assert server.log.count("made up just now") == 1


async def until_departures_wait(url: str, count: int) -> None:
    """Wait until so many departures are in the database."""
    database = Database(url)
    async with asyncio.timeout(20):
        while True:
            async with database.reading() as connection:
                if len((await connection.execute(select(tables.webhook_departures.c.id))).all()) == count:
                    break
    await database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_back_ends_are_told_once_and_not_of_who_is_back_on_another_worker(
    new_workers: NewWorkers, tmp_path: Path, receiver: Receiver, request: pytest.FixtureRequest, kind: str
) -> None:
    wanted = ["channel_occupied", "channel_vacated", "member_added", "member_removed"]
    sqlite = str(tmp_path / "skubber.db")
    url = sqlite if kind == "sqlite" else request.getfixturevalue("postgresql").new_database()
    config = webhook_config(tmp_path, {"url": receiver.url(), "events": wanted}, database=url)
    server = new_workers(2, "--config", config, is_demo=True)
    async with clients_on_every_worker(server, 2) as found:
        (one, *_), (other, *_) = found.values()
        await one.subscribe_presence("presence-c", "u")
        await one.send({"event": "pusher:unsubscribe", "data": {"channel": "presence-c"}})
        await until_departures_wait(url, 2)
        await other.subscribe_presence("presence-c", "u")
        async with RawClient.connected(server) as last:
            await last.subscribe("last")
        # It is gone later than the first one was: by then that would have been told, too.
        events = await receiver.wait_for_events(4)
    told = [(event["name"], event["channel"]) for event in events]
    assert [name for name, channel in told if channel == "presence-c"] == ["channel_occupied", "member_added"]
    assert [name for name, channel in told if channel == "last"] == ["channel_occupied", "channel_vacated"]


async def test_a_port_that_is_taken_is_said_to_be(new_workers: NewWorkers, tmp_path: Path) -> None:
    server = new_workers(2, "--set", "database=")
    broker = next(flag for flag in server.flags if flag.startswith("broker="))
    process = await asyncio.create_subprocess_exec(
        *(EXECUTABLE, "serve", "--workers", "2", "--port", str(server.port), "--set", broker, "--set", "database="),
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"Cannot listen on 127.0.0.1" in errors


async def test_without_a_broker_it_says_what_to_set(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(EXECUTABLE, "serve", "--workers", "2", "--port", str(free_port())),
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"set broker" in errors
