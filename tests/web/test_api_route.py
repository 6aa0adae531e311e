"""The API over ASGI, where the HTTP lane hands requests on."""

from collections.abc import AsyncIterator

import httpx

from support.apps import KEY, SECRET
from web.conftest import REQUEST_BYTES

HEADERS = {"X-Api-Key": KEY, "X-Api-Secret": SECRET}


async def chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b" " * size


async def test_a_request_is_answered_as_by_the_lane(site: httpx.AsyncClient) -> None:
    event = {"name": "e", "channel": "c", "data": "d"}
    answer = await site.post("/apps/4711/events", headers=HEADERS, json=event)
    assert (answer.status_code, answer.text) == (200, "{}")
    assert answer.headers["content-length"] == "2"


async def test_the_path_reaches_the_api_as_it_was_sent(site: httpx.AsyncClient) -> None:
    answer = await site.get("/apps/47%31%31/channels/a%2Cb", headers=HEADERS)
    assert answer.json() == {"occupied": False}


async def test_a_wrong_method_is_told_what_is_right(site: httpx.AsyncClient) -> None:
    answer = await site.delete("/apps/4711/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not(site: httpx.AsyncClient) -> None:
    over = await site.post("/apps/4711/events", headers=HEADERS, content=chunks(REQUEST_BYTES, 1))
    assert (over.status_code, over.json()["code"]) == (413, "body_too_large")
    at = await site.post("/apps/4711/events", headers=HEADERS, content=chunks(REQUEST_BYTES - 1, 1))
    assert (at.status_code, at.json()["code"]) == (400, "invalid_body")
