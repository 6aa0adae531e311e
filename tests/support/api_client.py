"""Calls of the HTTP API without HTTP: requests and answers as values."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import md5
from typing import Any
from urllib.parse import quote, urlencode

from pusher.signature import sign

from skubber.api.message import ApiRequest
from skubber.api.router import Api
from skubber.brokers.memory import MemoryBroker
from skubber.core.app import App
from skubber.store.apps import AppRegistry
from support.apps import KEY, SECRET, disabled_app, make_app, other_app
from support.node import Node

NOW = 1_353_088_179
"""What the API's clock shows until a test sets it."""

Headers = list[tuple[bytes, bytes]]
Parameters = Iterable[tuple[str, str]]


@dataclass
class Answer:
    """An answer of the API."""

    status: int
    body: Any
    headers: dict[bytes, bytes]

    @property
    def error(self) -> tuple[int, str]:
        """Status and code of an error, which must come with a sentence."""
        assert self.body.keys() == {"code", "error"}, self.body
        assert self.body["error"].endswith("."), self.body
        return self.status, self.body["code"]


def key_headers(key: str = KEY, secret: str = SECRET) -> Headers:
    """Plain credentials, as headers."""
    return [(b"host", b"x"), (b"x-api-key", key.encode()), (b"x-api-secret", secret.encode())]


def signed_query(
    method: str,
    path: str,
    body: bytes = b"",
    parameters: Parameters = (),
    *,
    key: str = KEY,
    secret: str = SECRET,
    timestamp: int | str = NOW,
) -> bytes:
    """The query of a request signed as Pusher documents it, with the official SDK's HMAC."""
    signed = [
        *parameters,
        ("auth_key", key),
        ("auth_timestamp", str(timestamp)),
        ("auth_version", "1.0"),
    ]
    if body:
        signed.append(("body_md5", md5(body, usedforsecurity=False).hexdigest()))
    lines = "&".join(f"{name.lower()}={value}" for name, value in sorted(signed, key=lambda pair: pair[0].lower()))
    signed.append(("auth_signature", sign(secret, f"{method}\n{path}\n{lines}")))
    return urlencode(signed).encode()


class ApiClient:
    """The API over a node of its own, with three apps: ``4711``, ``other`` and ``disabled``."""

    def __init__(self, app: App | None = None, broker: MemoryBroker | None = None) -> None:
        self.app = app or make_app()
        self.node = Node(broker=broker)
        self.now: float = NOW
        apps = AppRegistry([self.app, other_app(), disabled_app()])
        self.api = Api(self.node.hub, apps, lambda: self.now)

    async def send(
        self, method: str, path: str, query: bytes = b"", headers: Headers | None = None, body: bytes = b""
    ) -> Answer:
        """Send a request as it is; without ``headers`` with the app's plain credentials."""
        request = ApiRequest(method, path, query, key_headers() if headers is None else headers, body)
        response = await self.api.answer(request)
        return Answer(response.status, json.loads(response.body), dict(response.headers))

    async def get(self, path: str, **parameters: str) -> Answer:
        """``GET /apps/4711{path}`` with plain credentials."""
        return await self.send("GET", f"/apps/{quote(self.app.id)}{path}", urlencode(parameters).encode())

    async def post(self, path: str, body: Any = None) -> Answer:
        """``POST /apps/4711{path}`` with plain credentials and a JSON body."""
        content = b"" if body is None else json.dumps(body).encode()
        return await self.send("POST", f"/apps/{quote(self.app.id)}{path}", body=content)

    async def trigger(self, **fields: Any) -> Answer:
        """Publish an event ``e`` with data ``d`` on channel ``c``, except for what ``fields`` say; None leaves out."""
        event = {"name": "e", "data": "d", **({} if "channels" in fields else {"channel": "c"}), **fields}
        return await self.post("/events", {name: value for name, value in event.items() if value is not None})
