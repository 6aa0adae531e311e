"""Looking into two servers with one Redis over the admin API of either, with real clients on both."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.support.admin import admin_headers
from e2e.support.api import HEADERS
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, Server
from support.redis import RedisServer

APP = f"/apps/{APP_ID}"


class Pair:
    """Two servers that share a Redis and a database, and who administers them by way of the first."""

    def __init__(self, one: Server, two: Server, directory: Path) -> None:
        self.one, self.two = one, two
        self._directory = directory

    @contextlib.asynccontextmanager
    async def admin(self) -> AsyncIterator[httpx.AsyncClient]:
        headers = admin_headers(self._directory)
        async with httpx.AsyncClient(base_url=f"{self.one.url}/api/admin", headers=headers, timeout=30) as client:
            yield client


@pytest.fixture
def pair(redis_server: RedisServer, new_server: Callable[..., Server], tmp_path: Path) -> Pair:
    flags = ("--set", f"broker={redis_server.url}", "--set", f"database={tmp_path / 'skubber.db'}")
    return Pair(new_server(*flags), new_server(*flags), tmp_path)


async def get(admin: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await admin.get(path, params=query)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def test_connections_channels_and_users_of_both_servers_are_in_one_list(pair: Pair) -> None:
    async with pair.admin() as admin, RawClient.connected(pair.one) as here, RawClient.connected(pair.two) as there:
        await here.subscribe_presence("presence-c", "ada")
        await there.subscribe_presence("presence-c", "bob")
        await there.subscribe("cache-c")
        first = await get(admin, f"{APP}/connections", limit=1)
        rest = await get(admin, f"{APP}/connections", limit=1, after=first["next"])
        found = [*first["connections"], *rest["connections"]]
        assert [each["socketId"] for each in found] == sorted([here.socket_id, there.socket_id])
        assert (first["total"], rest["next"]) == (2, None)
        assert len({each["node"] for each in found}) == 2
        (bobs,) = (await get(admin, f"{APP}/connections", userId="bob"))["connections"]
        assert (bobs["socketId"], bobs["userId"], bobs["channelCount"]) == (there.socket_id, "bob", 2)
        (cached,) = (await get(admin, f"{APP}/connections", channel="cache-c"))["connections"]
        assert cached["socketId"] == there.socket_id

        channels = await get(admin, f"{APP}/channels")
        assert [(each["name"], each["kind"], each["subscriptionCount"]) for each in channels["channels"]] == [
            ("cache-c", "cache", 1),
            ("presence-c", "presence", 2),
        ]
        room = await get(admin, f"{APP}/channels/presence-c")
        assert room["members"] == [{"userId": each, "userInfo": {"name": each}} for each in ("ada", "bob")]
        users = await get(admin, f"{APP}/users", prefix="a")
        assert users == {"users": [{"userId": "ada", "connectionCount": 1}], "next": None, "total": 1}


async def test_all_about_a_connection_of_the_other_server_is_told(pair: Pair) -> None:
    async with pair.admin() as admin, RawClient.connected(pair.two) as there:
        await there.subscribe("c")
        told = await get(admin, f"{APP}/connections/{there.socket_id}")
        assert (told["protocol"], told["channels"]) == ("pusher", [{"name": "c", "userId": None}])
        assert told["address"] == "127.0.0.1"
        assert told["bytesSent"] > 200
        assert told["bytesReceived"] > 200
        assert told["roundTripMs"] >= 0
        assert told["bufferedBytes"] == 0
        answer = await admin.get(f"{APP}/connections/1.1")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_connection")


async def test_a_connection_and_a_user_of_the_other_server_are_ended_on_the_record(pair: Pair) -> None:
    async with pair.admin() as admin, RawClient.connected(pair.two) as one, RawClient.connected(pair.two) as other:
        await other.subscribe_presence("presence-c", "team/ada")
        assert (await admin.delete(f"{APP}/connections/{one.socket_id}")).json() == {}
        assert await one.close_code() == 4009
        assert (await admin.post(f"{APP}/users/team%2Fada/terminate", json={})).json() == {}
        assert await other.close_code() == 4009
        record = (await get(admin, "/audit", limit=2))["entries"]
        assert [(each["action"], each["subject"]) for each in record] == [
            ("user.terminate", "team/ada"),
            ("connection.terminate", one.socket_id),
        ]


async def test_what_the_operator_publishes_keeps_the_rules_and_arrives_everywhere(pair: Pair) -> None:
    async with pair.admin() as admin, RawClient.connected(pair.two) as there:
        await there.subscribe("cache-c")
        event = {"channels": ["cache-c"], "name": "e", "data": "confidential"}
        answer = await admin.post(f"{APP}/events", json=event)
        assert answer.json() == {"channels": [{"name": "cache-c", "subscriptionCount": 1}]}
        while (message := await there.receive())["event"] != "e":
            pass
        assert message["data"] == "confidential"
        kept = (await get(admin, f"{APP}/channels/cache-c"))["keptEvent"]
        assert (kept["name"], kept["data"]) == ("e", "confidential")
        for wrong, code in (
            ({"channels": ["a b"]}, "invalid_channel_name"),
            ({"name": "pusher:e"}, "invalid_event_name"),
        ):
            answer = await admin.post(f"{APP}/events", json=event | wrong)
            assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert "confidential" not in json.dumps(await get(admin, "/audit"))


async def test_a_server_that_stands_still_is_silent_and_keeps_nobody_waiting_for_long(pair: Pair) -> None:
    async with pair.admin() as admin, RawClient.connected(pair.one):
        nodes = await get(admin, "/nodes")
        assert (len(nodes["nodes"]), nodes["silent"]) == (2, 0)
        assert sorted(node["pid"] for node in nodes["nodes"]) == sorted([pair.one.pid, pair.two.pid])
        (this,) = (node for node in nodes["nodes"] if node["isThis"])
        assert (this["pid"], this["connections"]) == (pair.one.pid, 1)
        pair.two.signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(15):
                nodes = await get(admin, "/nodes")
        finally:
            pair.two.signal(signal.SIGCONT)
        assert ([node["pid"] for node in nodes["nodes"]], nodes["silent"]) == ([pair.one.pid], 1)


class Stream:
    """The debug stream of an app, as it comes."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()
        self._observations: list[dict[str, Any]] = []

    async def known(self) -> None:
        """Wait until the watch is known of: then what ``watching`` publishes is seen."""
        while not self._observations:
            self._observations = await self._come()

    async def next(self) -> dict[str, Any]:
        """The next thing that happened, besides what ``watching`` has published."""
        async with asyncio.timeout(20):
            while True:
                while not self._observations:
                    self._observations = await self._come()
                found = self._observations.pop(0)
                if found["event"] != "known":
                    return found

    async def _come(self) -> list[dict[str, Any]]:
        line = await anext(self._lines)
        found: list[dict[str, Any]] = []
        if line.startswith("data: "):
            found = json.loads(line.removeprefix("data: "))["observations"]
        return found

    async def told(self, count: int) -> list[tuple[Any, ...]]:
        """The next things: kind, channels, event."""
        found = [await self.next() for _ in range(count)]
        return [(each["kind"], each["channels"], each["event"]) for each in found]


@contextlib.asynccontextmanager
async def watching(admin: httpx.AsyncClient, server: Server, **query: str) -> AsyncIterator[Stream]:
    """Watch the app, from the moment on in which all servers know that."""
    async with admin.stream("GET", f"{APP}/debug", params=query) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        stream = Stream(answer)
        known = asyncio.create_task(stream.known())
        while not known.done():
            await publish(server, channel="known", name="known")
            await asyncio.wait({known}, timeout=0.5)
        await known
        yield stream


async def publish(server: Server, **event: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.post(f"{server.url}{APP}/events", headers=HEADERS, json={"data": "d"} | event)


async def test_what_happens_on_either_server_is_seen_once(pair: Pair) -> None:
    async with pair.admin() as admin, watching(admin, pair.two) as stream:
        async with RawClient.connected(pair.two) as there:
            await there.subscribe("c")
            await publish(pair.one, channel="c", name="e")
            await there.receive()
        kinds = [(await stream.next())["kind"] for _ in range(7)]
    assert sorted(kinds) == sorted(
        ("connected", "subscribed", "channel_occupied", "publish", "unsubscribed", "channel_vacated", "disconnected")
    )
    # Those of one server, in the order in which they happened.
    assert [kind for kind in kinds if kind.endswith("ed")][:3] == ["connected", "subscribed", "channel_occupied"]


async def test_refusals_are_seen_with_their_reason(pair: Pair) -> None:
    async with pair.admin() as admin, watching(admin, pair.two) as stream:
        await publish(pair.two, channel="a b", name="e")
        refused = await stream.next()
        assert (refused["kind"], refused["code"]) == ("error", "invalid_channel_name")
        assert refused["detail"].startswith(f"POST {APP}/events was answered 400. ")


async def test_a_filter_is_the_servers_to_apply(pair: Pair) -> None:
    async with pair.admin() as admin, watching(admin, pair.two, channel="known*", kinds="publish") as stream:
        await publish(pair.one, channel="other", name="e")
        await publish(pair.one, channel="known-2", name="wanted")
        assert await stream.told(1) == [("publish", ["known-2"], "wanted")]
        answer = await admin.get(f"{APP}/debug", params={"kinds": "colour"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_query")


async def test_watching_at_full_speed_loses_no_delivery(pair: Pair) -> None:
    count = 1500
    async with pair.admin() as admin, RawClient.connected(pair.two) as there, watching(admin, pair.two) as stream:
        await there.subscribe("busy")
        async with httpx.AsyncClient(headers=HEADERS) as http:
            url = f"{pair.one.url}{APP}/batch_events"
            for begin in range(0, count, 10):
                batch = [{"channel": "busy", "name": "e", "data": str(n)} for n in range(begin, begin + 10)]
                (await http.post(url, json={"batch": batch})).raise_for_status()
        assert [(await there.receive())["data"] for _ in range(count)] == [str(n) for n in range(count)]
        assert (await stream.next())["kind"] in {"subscribed", "channel_occupied", "publish"}
