"""``POST /api/auth/signalr-token`` over ASGI."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from skubber.api.access_tokens import AccessTokens
from skubber.codecs import access_token
from skubber.store.apps import AppRegistry
from skubber.web.access_tokens import access_token_route
from skubber.web.application import web_application
from support.apps import DISABLED_KEY, DISABLED_SECRET, KEY, SECRET, disabled_app, make_app
from web.conftest import lifespan

PATH = "/api/auth/signalr-token"
LARGEST_BODY = 65_536
NOW = 1_764_028_800
REQUEST = {"apiKey": KEY, "apiSecret": SECRET}
ORIGIN = "https://shop.example.com"

APPS = AppRegistry([make_app(), disabled_app()])


class Site:
    """The web application, asked from any network address."""

    def __init__(self) -> None:
        self._application = web_application([access_token_route(AccessTokens(APPS, lambda: NOW))], lifespan)

    def client(self, address: str = "192.0.2.1") -> httpx.AsyncClient:
        """An HTTP client at a network address."""
        transport = httpx.ASGITransport(self._application, client=(address, 1234))
        return httpx.AsyncClient(transport=transport, base_url="http://server")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of an application with two apps, one of them switched off."""
    async with Site().client() as client:
        yield client


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_a_back_end_gets_a_token(http: httpx.AsyncClient) -> None:
    answer = await http.post(PATH, json={**REQUEST, "userId": "ada", "channels": ["private-*"], "expiresIn": 60})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"token"}
    token = access_token.read(answer.json()["token"], APPS.find_by_key, NOW)
    assert (token.app.id, token.key.key, token.expires_at) == ("4711", KEY, NOW + 60)
    assert (token.grants.user_id, token.grants.channels) == ("ada", ("private-*",))
    assert SECRET not in answer.text


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "application/json; charset=utf-8"])
async def test_the_body_is_json_whatever_it_is_called(http: httpx.AsyncClient, content_type: str) -> None:
    headers = {"content-type": content_type}
    answer = await http.post(PATH, content=json.dumps(REQUEST), headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", (400, "invalid_body")),
        (b"junk", (400, "invalid_body")),
        (b"[]", (400, "invalid_body")),
        (b'{"apiKey":"x"}', (400, "invalid_body")),
        (json.dumps({**REQUEST, "expiresIn": 3601}).encode(), (400, "invalid_expires_in")),
        (json.dumps({"apiKey": KEY, "apiSecret": "x"}).encode(), (401, "invalid_credentials")),
        (json.dumps({"apiKey": DISABLED_KEY, "apiSecret": DISABLED_SECRET}).encode(), (403, "app_disabled")),
    ],
)
async def test_who_gets_none_is_told_why(http: httpx.AsyncClient, body: bytes, error: tuple[int, str]) -> None:
    answer = await http.post(PATH, content=body)
    assert (answer.status_code, answer.json()["code"]) == error
    assert answer.json()["error"].endswith(".")


async def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not(http: httpx.AsyncClient) -> None:
    text = json.dumps(REQUEST).encode()
    padding = b" " * (LARGEST_BODY - len(text))
    at = await http.post(PATH, content=chunks(text, padding))
    assert at.status_code == 200
    over = await http.post(PATH, content=chunks(text, padding, b" "))
    assert (over.status_code, over.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "198.51.100.7"}, {"Forwarded": "for=198.51.100.7"}])
async def test_guesses_are_counted_by_the_address_they_really_come_from(headers: dict[str, str]) -> None:
    site = Site()
    async with site.client("192.0.2.1") as guesser, site.client("192.0.2.2") as other:
        statuses = [
            (await guesser.post(PATH, json={**REQUEST, "apiSecret": str(number)}, headers=headers)).status_code
            for number in range(12)
        ]
        assert statuses == [401] * 10 + [429] * 2
        answer = await guesser.post(PATH, json=REQUEST)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert (await other.post(PATH, json=REQUEST)).status_code == 200


async def test_a_browser_may_ask_from_any_site(http: httpx.AsyncClient) -> None:
    asking: dict[str, Any] = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = await http.options(PATH, headers=asking)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "content-type" in answer.headers["access-control-allow-headers"].lower()
    for body, status in ((REQUEST, 200), ({}, 400)):
        answer = await http.post(PATH, json=body, headers={"Origin": ORIGIN})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, ORIGIN)
    answer = await http.options(PATH)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_wrong_method_is_told_what_is_right(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, PATH)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "OPTIONS, POST"


async def test_the_secret_is_not_taken_from_the_url(http: httpx.AsyncClient) -> None:
    answer = await http.post(PATH, params=REQUEST)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_body")
