"""Reaching for the administration with an app's credentials, and for apps with the administration's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.support.admin import admin_token
from e2e.support.server import APP_ID, KEY, SECRET, Server
from e2e.support.signalr import access_token

APPS_CREDENTIALS = {  # few: who guesses is soon told to slow down
    "the key": {"Authorization": f"Bearer {KEY}"},
    "the secret": {"Authorization": f"Bearer {SECRET}"},
    "both": {"Authorization": f"Bearer {KEY}:{SECRET}"},
    "headers": {"X-Api-Key": KEY, "X-Api-Secret": SECRET},
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server runs."""
    return tmp_path_factory.mktemp("administration")


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[Server]:
    """A server with a database."""
    server = Server(directory / "server.log")
    yield server
    server.stop()


def status(server: Server, method: str, path: str, **options: Any) -> int:
    return httpx.request(method, server.url + path, **options).status_code


@pytest.mark.parametrize("kind", APPS_CREDENTIALS)
def test_an_apps_credentials_administer_nothing(server: Server, kind: str) -> None:
    assert status(server, "POST", "/api/admin/apps", headers=APPS_CREDENTIALS[kind], json={"id": "mine"}) == 401


def test_nothing_in_a_query_administers_anything(server: Server) -> None:
    query = {"apiKey": KEY, "apiSecret": SECRET, "access_token": access_token(server)}
    assert status(server, "GET", "/api/admin/apps", params=query) == 401


def test_an_access_token_administers_nothing(server: Server) -> None:
    headers = {"Authorization": f"Bearer {access_token(server)}"}
    assert status(server, "GET", "/api/admin/apps", headers=headers) == 401


def test_an_admin_token_is_no_apps_credential(server: Server, directory: Path) -> None:
    token = admin_token(directory, "owner")
    bearer = {"Authorization": f"Bearer {token}"}
    assert status(server, "GET", "/api/admin/apps", headers=bearer) == 200
    for headers in (bearer, {"X-Api-Key": KEY, "X-Api-Secret": token}, {"X-Api-Key": token, "X-Api-Secret": token}):
        assert status(server, "GET", f"/apps/{APP_ID}/channels", headers=headers) == 401
    assert status(server, "POST", "/push/negotiate", headers=bearer) == 401


def test_who_may_look_cannot_make_itself_an_owner_and_sees_no_secret(server: Server, directory: Path) -> None:
    token = admin_token(directory, "read_only")
    headers = {"Authorization": f"Bearer {token}", "X-HTTP-Method-Override": "POST"}
    owner = {"name": "mine", "role": "owner"}
    assert status(server, "POST", "/api/admin/tokens", headers=headers, json=owner) == 403
    for path in ("/tokens", "/audit", "/apps", f"/apps/{APP_ID}", f"/apps/{APP_ID}/keys", "/stats", "/plans"):
        answer = httpx.get(f"{server.url}/api/admin{path}", headers=headers)
        assert answer.status_code == 200, path
        for secret in (token, SECRET, '"mine"'):
            assert secret not in answer.text
