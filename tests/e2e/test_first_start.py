"""What somebody is shown who starts the server for the first time."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from support.redis import RedisServer

from .support.server import NewServer, Server


class Start(Protocol):
    """Starts a server as a newcomer does, with flags."""

    def __call__(self, *flags: str) -> Server: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    servers: list[Server] = []

    def start(*flags: str) -> Server:
        servers.append(Server(tmp_path / "server.log", *flags, is_demo=True))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def printed_token(server: Server) -> str | None:
    found = re.findall(r"^    token   (mpa_\w{48})$", server.log, re.MULTILINE)
    assert len(found) <= 1
    return found[0] if found else None


def test_the_printed_token_signs_in_and_is_printed_once(start: Start) -> None:
    server = start()
    token = printed_token(server)
    assert token is not None
    assert f"{server.url}/console" in server.log
    with httpx.Client(base_url=f"{server.url}/api/admin", headers={"X-Skubber-Console": "1"}) as console:
        assert console.post("/session", json={"token": token}).status_code == 200
        assert console.get("/me").json()["role"] == "owner"
        assert [app["id"] for app in console.get("/apps").json()["apps"]] == ["demo"]
        server.stop()
        server.start()
        assert printed_token(server) == token
        # The session is the database's, and so outlives the process.
        assert console.get("/me").status_code == 200
        assert console.delete("/session").json() == {}
        assert console.get("/me").status_code == 401


def test_of_several_workers_none_makes_another_token(start: Start, redis_server: RedisServer) -> None:
    server = start("--workers", "2", "--set", f"broker={redis_server.url}")
    bearer = {"Authorization": f"Bearer {printed_token(server)}"}
    answer = httpx.get(f"{server.url}/api/admin/tokens", headers=bearer)
    assert [each["name"] for each in answer.json()["tokens"]] == ["first start"]


def test_where_apps_are_configured_no_token_is_made(new_server: NewServer) -> None:
    assert "mpa_" not in new_server().log


def test_without_a_database_there_is_no_console_to_sign_in_to(start: Start) -> None:
    assert "Console" not in start("--set", "database=").log
