"""Operators and the people they serve: a running server, the command line, the admin API, and real clients."""

import asyncio
import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.support.javascript import JavaScript
from e2e.support.pusher_js import connect, subscribe
from e2e.support.raw_client import RawClient
from e2e.support.server import EXECUTABLE, NewServer, Server
from e2e.support.signalr_raw import RawHub
from support.postgresql import PostgreSQL

ROOT = Path(__file__).parents[2]
EVENT = {"name": "hello", "channel": "my-channel", "data": "d"}


class Operator:
    """Somebody with a shell where a server runs."""

    def __init__(self, server: Server, directory: Path, **environment: str) -> None:
        self.server = server
        self._directory = directory
        self._environment = {
            "PATH": f"{EXECUTABLE.parent}:{os.environ['PATH']}",
            "HOME": str(directory),
            "SKUBBER_PORT": str(server.port),
            **environment,
        }

    def run(self, command: str, **environment: str) -> str:
        """Run a shell command; returns what it prints."""
        result = subprocess.run(
            ["sh", "-c", command],
            cwd=self._directory,
            env={**self._environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def result(self, command: str) -> Any:
        """Run a command of skubber that prints JSON."""
        return json.loads(self.run(f"skubber {command} --json"))

    def admin(self) -> httpx.Client:
        """The admin API, with a new owner's token."""
        token = self.result("tokens create operator --role owner")["token"]
        return httpx.Client(
            base_url=f"{self.server.url}/api/admin", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def publish(self, app_id: str, key: str, secret: str) -> int:
        """Publish an event; returns the status."""
        headers = {"X-Api-Key": key, "X-Api-Secret": secret}
        return httpx.post(f"{self.server.url}/apps/{app_id}/events", json=EVENT, headers=headers).status_code

    async def published(self, app_id: str, key: str, secret: str, status: int = 200) -> None:
        """Wait until publishing has this outcome."""
        deadline = time.monotonic() + 10
        while (actual := self.publish(app_id, key, secret)) != status:
            assert time.monotonic() < deadline, (actual, self.server.log)
            await asyncio.sleep(0.05)


@pytest.fixture
def operator(new_server: NewServer, tmp_path: Path) -> Operator:
    """An operator with a server of their own."""
    return Operator(new_server(working_directory=tmp_path), tmp_path)


@contextlib.asynccontextmanager
async def listening(server: Server, key: str) -> AsyncIterator[RawClient]:
    """A client on ``my-channel``."""
    async with RawClient.opened(server, f"/app/{key}?protocol=7") as client:
        assert (await client.receive())["event"] == "pusher:connection_established"
        await client.subscribe("my-channel")
        yield client


def readme_section(title: str) -> str:
    """A section of the README."""
    _, _, rest = (ROOT / "README.md").read_text("utf-8").partition(f"\n## {title}\n")
    section, _, _ = rest.partition("\n## ")
    assert section
    return section


async def test_an_operator_creates_an_app_and_someone_pushes_to_it_within_a_minute(operator: Operator) -> None:
    create, *_ = re.findall(r"```sh\n(.*?)```", readme_section("An app for somebody else"), re.DOTALL)
    began = time.monotonic()
    printed = operator.run(create.replace(".venv/bin/", ""))
    app_id, key, secret = re.findall(r"^(?:app id|key|secret) +(\S+)$", printed, re.MULTILINE)
    await operator.published(app_id, key, secret)
    async with listening(operator.server, key) as client:
        curl = printed[printed.index("curl ") :]
        assert operator.run(curl.replace("curl ", "curl --silent --fail ", 1)) == "{}"
        event = await client.receive()
    assert (event["event"], event["channel"], event["data"]) == ("hello", "my-channel", '{"text":"Hello from curl"}')
    assert time.monotonic() - began < 60


async def test_connections_made_with_a_revoked_key_end_within_a_second(
    operator: Operator, javascript: JavaScript
) -> None:
    app = operator.result("apps create shop")
    other = operator.result("keys create shop --name other")
    key, secret = app["key"]["key"], app["key"]["secret"]
    await operator.published("shop", key, secret)
    await operator.published("shop", other["key"], other["secret"])
    credentials = {"apiKey": key, "apiSecret": secret}
    token = httpx.post(f"{operator.server.url}/api/auth/signalr-token", json=credentials).json()["token"]
    await connect(javascript, operator.server, "c", key=key)
    async with (
        listening(operator.server, key) as revoked,
        listening(operator.server, other["key"]) as staying,
        RawHub.connected(operator.server, token) as hub,
    ):
        with operator.admin() as admin:
            assert admin.delete(f"/apps/shop/keys/{key}").status_code == 200
        async with asyncio.timeout(1):
            assert await revoked.close_code() == 4009
            while (message := await hub.receive())["type"] != 7:
                pass
        assert "revoked" in message["error"]
        await javascript.state("c", "disconnected")
        assert operator.publish("shop", key, secret) == 401
        assert operator.publish("shop", other["key"], other["secret"]) == 200
        assert (await staying.receive())["event"] == "hello"


async def test_a_rotated_key_has_two_good_secrets_and_its_connections_stay(
    operator: Operator, javascript: JavaScript
) -> None:
    app = operator.result("apps create shop")
    key, old = app["key"]["key"], app["key"]["secret"]
    await operator.published("shop", key, old)
    await connect(javascript, operator.server, "c", key=key)
    await subscribe(javascript, "c", "my-channel")
    new = operator.result(f"keys rotate shop {key}")["secret"]
    await operator.published("shop", key, new)
    assert operator.publish("shop", key, old) == 200
    newest = operator.result(f"keys rotate shop {key} --overlap 0")["secret"]
    await operator.published("shop", key, newest)
    assert [operator.publish("shop", key, secret) for secret in (old, new)] == [401, 401]
    for _ in range(3):
        await javascript.event("c", "my-channel", "hello")


async def test_a_disabled_and_a_deleted_app_end_their_connections(operator: Operator) -> None:
    for app_id, change in (("one", "apps edit one --no-enabled"), ("two", "apps delete two --yes")):
        created = operator.result(f"apps create {app_id}")["key"]
        await operator.published(app_id, created["key"], created["secret"])
        async with listening(operator.server, created["key"]) as client:
            operator.run(f"skubber {change}")
            assert 4000 <= await asyncio.wait_for(client.close_code(), 10) < 4100


async def test_a_plans_limits_are_those_of_its_apps_at_once(operator: Operator) -> None:
    created = operator.result("apps create shop")["key"]
    await operator.published("shop", created["key"], created["secret"])
    operator.run("skubber plans set tiny --limit messages_per_day=1 && skubber apps edit shop --plan tiny")
    await operator.published("shop", created["key"], created["secret"], 429)


async def test_a_server_goes_on_when_the_encryption_key_is_changed(operator: Operator) -> None:
    created = operator.result("apps create shop")["key"]
    await operator.published("shop", created["key"], created["secret"])
    operator.run("skubber secrets rotate")
    later = operator.result("apps create second")["key"]
    await operator.published("second", later["key"], later["secret"])
    assert operator.publish("shop", created["key"], created["secret"]) == 200
    with operator.admin() as admin:
        assert admin.post("/apps/second/keys").status_code == 201


async def test_stats_are_the_servers_with_a_token(operator: Operator) -> None:
    created = operator.result("apps create shop --plan free")["key"]
    await operator.published("shop", created["key"], created["secret"])
    token = operator.result("tokens create reader")["token"]
    async with listening(operator.server, created["key"]):
        stats = json.loads(operator.run("skubber stats --json", SKUBBER_ADMIN_TOKEN=token))
    (shop,) = (app for app in stats["apps"] if app["appId"] == "shop")
    assert (shop["connections"], shop["channels"], shop["limits"]["connections"]) == (1, 1, 100)
    assert shop["messagesToday"] >= 1
    assert "1 of 100" not in operator.run(f"skubber stats --token {token}")
    assert re.search(r"^shop +free +0 of 100", operator.run(f"skubber stats --token {token}"), re.MULTILINE)


async def test_usage_is_in_the_books_when_the_server_has_stopped(operator: Operator) -> None:
    created = operator.result("apps create shop")["key"]
    await operator.published("shop", created["key"], created["secret"])
    async with listening(operator.server, created["key"]) as client:
        assert operator.publish("shop", created["key"], created["secret"]) == 200
        await client.receive()
    operator.server.stop()
    (day,) = operator.result("usage shop")["usage"]
    assert day["published"] >= 2
    assert (day["delivered"], day["connectionsPeak"]) == (1, 1)
    assert day["deliveredBytes"] > 0
    assert re.search(r"^\S+ +shop", operator.run("skubber stats"), re.MULTILINE)
    (key,) = operator.result("keys list shop")["keys"]
    assert key["lastUsedAt"] is not None


async def test_servers_that_share_a_database_serve_the_same_apps(
    new_server: NewServer, tmp_path: Path, postgresql: PostgreSQL, javascript: JavaScript
) -> None:
    database = postgresql.new_database()
    one, two = (new_server("--set", f"database={database}", working_directory=tmp_path) for _ in range(2))
    operators = [Operator(server, tmp_path, SKUBBER_DATABASE=database) for server in (one, two)]
    with operators[0].admin() as admin:
        created = admin.post("/apps", json={"id": "shop"}).json()["key"]
        for operator in operators:
            await operator.published("shop", created["key"], created["secret"])
        await connect(javascript, two, "c", key=created["key"])
        assert admin.delete(f"/apps/shop/keys/{created['key']}").status_code == 200
        async with asyncio.timeout(1):
            await javascript.state("c", "disconnected")
        async with asyncio.timeout(1):
            for operator in operators:
                await operator.published("shop", created["key"], created["secret"], 401)


async def test_the_messages_of_all_servers_count_against_the_plan(
    new_server: NewServer, tmp_path: Path, postgresql: PostgreSQL
) -> None:
    database = postgresql.new_database()
    one, two = (new_server("--set", f"database={database}", working_directory=tmp_path) for _ in range(2))
    operators = [Operator(server, tmp_path, SKUBBER_DATABASE=database) for server in (one, two)]
    created = operators[0].result("apps create shop --limit messages_per_day=3")["key"]
    for operator in operators:
        await operator.published("shop", created["key"], created["secret"])
    assert operators[0].publish("shop", created["key"], created["secret"]) == 200
    assert operators[0].publish("shop", created["key"], created["secret"]) == 200
    one.stop()  # which writes down what it has used
    two.stop()
    two.start()
    assert operators[1].publish("shop", created["key"], created["secret"]) == 429
