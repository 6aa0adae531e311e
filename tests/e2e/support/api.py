"""The HTTP API with each kind of credentials."""

import json
from typing import Any, Protocol

import httpx
from pusher import Pusher
from pusher.http import Request as SignedRequest

from .server import APP_ID, KEY, SECRET, Server

HEADERS = {"X-Api-Key": KEY, "X-Api-Secret": SECRET}


class Call(Protocol):
    """Makes one request of the API."""

    def __call__(
        self, server: Server, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
    ) -> httpx.Response: ...


def with_headers(
    server: Server, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
) -> httpx.Response:
    """Plain key and secret in the headers."""
    return httpx.request(method, f"{server.url}/apps/{APP_ID}{path}", headers=HEADERS, params=query, json=body)


def with_query(
    server: Server, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
) -> httpx.Response:
    """Plain key and secret in the query."""
    credentials = {"apiKey": KEY, "apiSecret": SECRET}
    return httpx.request(
        method, f"{server.url}/apps/{APP_ID}{path}", params={**(query or {}), **credentials}, json=body
    )


def with_signature(
    server: Server, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
) -> httpx.Response:
    """Signed by the official Python SDK."""
    client = Pusher(app_id=APP_ID, key=KEY, secret=SECRET, host="127.0.0.1", port=server.port, ssl=False)
    parameters = body if method == "POST" and body is not None else (query or {})
    signed = SignedRequest(client._pusher_client, method, f"/apps/{APP_ID}{path}", parameters)
    return httpx.request(method, signed.url, params=signed.query_params, content=signed.body, headers=signed.headers)


def error_code(response: httpx.Response) -> str:
    """The stable code of an error answer, which must have a sentence as well."""
    body = json.loads(response.text)
    assert body["error"].endswith("."), body
    code: str = body["code"]
    return code
