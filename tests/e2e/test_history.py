"""How a running server fares, live and as it was, over real sockets."""

import json
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.redis import RedisServer

from .support.admin import admin_headers
from .support.raw_client import RawClient
from .support.server import APP_ID, KEY, SECRET, NewServer, Server

PATIENCE = 30
"""Seconds a test waits for what must come."""


async def samples(server: Server, headers: dict[str, str], **query: str) -> AsyncGenerator[dict[str, Any], None]:
    """The live samples, as they come."""
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=PATIENCE, headers=headers) as client,
        client.stream("GET", "/api/admin/live", params=query) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


async def until(
    coming: AsyncGenerator[dict[str, Any], None], is_met: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The first sample that meets something."""
    deadline = time.monotonic() + PATIENCE
    async for sample in coming:
        if is_met(sample):
            return sample
        assert time.monotonic() < deadline, sample
    raise AssertionError("The stream ended.")


async def publish(server: Server) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            f"{server.url}/apps/{APP_ID}/events",
            headers={"X-Api-Key": KEY, "X-Api-Secret": SECRET},
            json={"name": "e", "channel": "c", "data": "1"},
        )
        assert answer.status_code == 200


def read_history(server: Server, headers: dict[str, str], **query: str) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/api/admin/history", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    columns: dict[str, Any] = answer.json()
    assert {len(column) for name, column in columns.items() if name != "grain"} == {len(columns["at"])}
    return columns


def total(column: list[int | None]) -> int:
    return sum(each or 0 for each in column)


@pytest.fixture
def server(new_server: NewServer, tmp_path: Path) -> Server:
    """A server with a database."""
    return new_server(working_directory=tmp_path)


async def test_what_happens_is_seen_live_and_is_history_after_a_restart(server: Server, tmp_path: Path) -> None:
    headers = admin_headers(tmp_path)
    live, of_app = samples(server, headers), samples(server, headers, appId=APP_ID)
    first = await anext(live)
    assert (first["nodes"], first["connections"]) == (1, 0)
    async with RawClient.opened(server, f"/app/{KEY}?protocol=7&client=test&version=1") as client:
        await client.receive()
        await client.subscribe("c")
        await publish(server)
        done = await until(of_app, lambda sample: bool(sample["published"]))
        assert (done["published"], done["delivered"], done["connections"], done["channels"]) == (1, 1, 1, 1)
        assert (done["slowConsumers"], done["webhooksWaiting"]) == (None, None)
        seen = await until(live, lambda sample: sample["connections"] == 1)
        assert seen["at"] > first["at"]
        assert total(read_history(server, headers)["published"]) == 1
    await live.aclose()
    await of_app.aclose()
    server.stop()
    server.start()
    for query in ({}, {"appId": APP_ID}, {"grain": "hour"}, {"grain": "hour", "appId": APP_ID}):
        history = read_history(server, headers, **query)
        assert (total(history["published"]), total(history["delivered"])) == (1, 1), query
        assert max(each or 0 for each in history["connections"]) == 1
    seconds = read_history(server, headers)
    assert any(each is not None for each in seconds["p50Ms"])


async def test_nodes_are_one_server(new_server: NewServer, redis_server: RedisServer, tmp_path: Path) -> None:
    configuration = tmp_path / "skubber.toml"
    files = {"database": tmp_path / "shared.db", "encryption_key_file": tmp_path / "shared.key"}
    configuration.write_text("".join(f'{name} = "{file}"\n' for name, file in files.items()))
    flags = ("--config", str(configuration), "--set", f"broker={redis_server.url}")
    one, other = new_server(*flags), new_server(*flags)
    headers = admin_headers(tmp_path)
    path = f"/app/{KEY}?protocol=7&client=test&version=1"
    async with RawClient.opened(one, path) as client, RawClient.opened(other, path) as friend:
        await client.receive()
        await friend.receive()
        live = samples(one, headers)
        both = await until(live, lambda sample: sample["connections"] == 2)
        assert both["nodes"] == 2
        await live.aclose()
        assert max(each or 0 for each in read_history(other, headers)["connections"]) == 2


def test_what_makes_no_sense_is_refused(server: Server, tmp_path: Path) -> None:
    headers = admin_headers(tmp_path)
    for path, code in (
        ("/history?grain=day", "invalid_query"),
        ("/history?appId=nobody", "no_such_app"),
        ("/live?appId=nobody", "no_such_app"),
        ("/live?grain=hour", "invalid_query"),
    ):
        answer = httpx.get(f"{server.url}/api/admin{path}", headers=headers)
        assert answer.json()["code"] == code
    assert httpx.get(f"{server.url}/api/admin/live").json()["code"] == "invalid_admin_token"
