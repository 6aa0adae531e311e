"""Who may read the metrics, over ASGI."""

import httpx
import pytest

from skubber.server.runtime import Runtime
from skubber.settings import Settings
from skubber.web.application import web_application
from skubber.web.metrics import metrics_route
from skubber.web.openapi import openapi_document
from support.apps import make_app
from web.conftest import lifespan

TOKEN = "a-token-of-16-or-more"


async def get(token: str, authorization: str | bytes | None, method: str = "GET") -> httpx.Response:
    """Ask a server with a token for its metrics."""
    runtime = Runtime(Settings(database=""), [make_app()])
    application = web_application([metrics_route(runtime.metrics, token)], lifespan)
    headers = [] if authorization is None else [(b"Authorization", _bytes(authorization))]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://server") as client:
        return await client.request(method, "/metrics", headers=headers)


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", f"bearer  {TOKEN}"])
async def test_who_has_the_token_may_read(authorization: str) -> None:
    answer = await get(TOKEN, authorization)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "\nskubber_ready 0.0\n" in answer.text


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, b"Bearer \xfc"]
)
async def test_nobody_else_may(authorization: str | bytes | None) -> None:
    answer = await get(TOKEN, authorization)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_metrics_token")
    assert answer.headers["www-authenticate"] == 'Bearer realm="skubber"'
    assert "skubber_" not in answer.text


async def test_without_a_token_whoever_asks_may() -> None:
    assert (await get("", None)).status_code == 200


async def test_it_is_there_to_be_read_only() -> None:
    assert (await get("", None, "POST")).json()["code"] == "method_not_allowed"


async def test_refusals_are_as_described() -> None:
    answer = await get(TOKEN, None)
    assert answer.content in openapi_document("a")
