"""What SignalR clients need: tokens, the hub's URL, signatures; and Microsoft's own client."""

import base64
import ssl
from typing import Any
from urllib.parse import urlencode

import httpx
from pusher import Pusher

from .api import HEADERS
from .javascript import JavaScript, Message
from .server import APP_ID, KEY, SECRET, Endpoint

TOKEN_PATH = "/api/auth/signalr-token"

WEBSOCKETS, SERVER_SENT_EVENTS, LONG_POLLING = "WebSockets", "ServerSentEvents", "LongPolling"
TRANSPORTS = [WEBSOCKETS, SERVER_SENT_EVENTS, LONG_POLLING]
WAYS = [
    (WEBSOCKETS, "json"),
    (WEBSOCKETS, "messagepack"),
    (SERVER_SENT_EVENTS, "json"),
    (LONG_POLLING, "json"),
    (LONG_POLLING, "messagepack"),
]
"""Every transport with every encoding it carries."""

Way = tuple[str, str]


def trust(server: Endpoint) -> ssl.SSLContext | bool:
    """What an HTTP client needs to believe the server's certificate, if it has one."""
    return ssl.create_default_context(cafile=server.certificate) if server.is_tls else False


def token_request(**asked: Any) -> dict[str, Any]:
    """The body that asks for a token for the test app."""
    return {"apiKey": KEY, "apiSecret": SECRET, **asked}


def access_token(server: Endpoint, **asked: Any) -> str:
    """A token from the server, as a back end fetches it."""
    answer = httpx.post(server.url + TOKEN_PATH, json=token_request(**asked), verify=trust(server))
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token


def hub_url(server: Endpoint, token: str | None = None, **query: str) -> str:
    """The hub's URL, as applications write it."""
    parameters = {**query, **({"access_token": token} if token is not None else {})}
    return f"{server.url}/push" + (f"?{urlencode(parameters)}" if parameters else "")


def publish(server: Endpoint, channel: str, name: str = "greeting", data: str = "hello", **more: Any) -> None:
    """Publish over the HTTP API."""
    event = {"name": name, "channel": channel, "data": data, **more}
    answer = httpx.post(f"{server.url}/apps/{APP_ID}/events", json=event, headers=HEADERS, verify=trust(server))
    assert (answer.status_code, answer.text) == (200, "{}")


def publish_numbers(server: Endpoint, channel: str, numbers: range) -> None:
    """Publish a numbered series, ten events a request."""
    with httpx.Client(headers=HEADERS, verify=trust(server)) as client:
        for start in range(0, len(numbers), 10):
            batch = [{"name": "number", "channel": channel, "data": str(n)} for n in numbers[start : start + 10]]
            answer = client.post(f"{server.url}/apps/{APP_ID}/batch_events", json={"batch": batch})
            assert answer.status_code == 200, answer.text


def signature(connection_id: str, channel: str, member: dict[str, Any] | None = None) -> list[str]:
    """A back end's authorization of a channel, made with the official SDK: ``auth`` and perhaps ``channelData``."""
    signed = _sdk().authenticate(channel=channel, socket_id=connection_id, custom_data=member)
    return [signed["auth"]] + ([signed["channel_data"]] if member is not None else [])


def user_signature(connection_id: str, user: dict[str, Any]) -> list[str]:
    """A back end's word for who a user is, made with the official SDK: ``auth`` and ``userData``."""
    signed = _sdk().authenticate_user(connection_id, user)
    return [signed["auth"], signed["user_data"]]


def _sdk() -> Pusher:
    master_key = base64.b64encode(b"m" * 32).decode()
    return Pusher(app_id=APP_ID, key=KEY, secret=SECRET, encryption_master_key_base64=master_key)


class SignalR(JavaScript):
    """A driver of Microsoft's client: ``signalr.mjs``, or one that takes the same commands."""

    async def connect(
        self, server: Endpoint, client: str, way: Way = (WEBSOCKETS, "json"), url: str | None = None, **options: Any
    ) -> str:
        """Connect a client and return its connection id.

        Args:
            server: the server.
            client: what the test calls the client.
            way: its transport and its encoding.
            url: the hub's URL; if not given, one with a token that allows every channel, issued to a user of the
                client's name.
            options: see the driver's ``connect``.
        """
        if url is None:
            url = hub_url(server, access_token(server, userId=client, channels=["*"], userInfo={"name": client}))
        transport, protocol = way
        connection_id: str = await self.call(
            "connect", client=client, url=url, transport=transport, protocol=protocol, **options
        )
        return connection_id

    async def invoke(self, client: str, method: str, *args: Any) -> Any:
        """Call a method of the hub and return its result."""
        return await self.call("invoke", client=client, method=method, args=args)

    async def subscribe(self, client: str, channel: str, *more: str) -> Any:
        """Subscribe, which must succeed, and return what ``SubscriptionSucceeded`` said."""
        result = await self.invoke(client, "Subscribe", channel, *more)
        assert await self.called(client, "SubscriptionSucceeded") == [result]
        return result

    async def called(self, client: str, target: str) -> list[Any]:
        """The arguments of the next call of a client's method."""
        message = await self.message(lambda m: _is(m, client, "call") and m["target"] == target)
        arguments: list[Any] = message["args"]
        return arguments

    async def numbers(self, client: str, count: int, seconds: float = 15) -> list[int]:
        """The next so many numbers of ``publish_numbers`` that reach a client, in the order in which they come."""
        return [
            int(
                (await self.message(lambda m: _is(m, client, "call") and m["target"] == "Event", seconds))["args"][0][
                    "data"
                ]
            )
            for _ in range(count)
        ]

    async def told(self, client: str, kind: str, seconds: float = 15) -> Message:
        """The next word of a client about its connection: ``closed``, ``reconnecting`` or ``reconnected``."""
        return await self.message(lambda m: _is(m, client, kind), seconds)

    def unexpected(self, client: str) -> list[Message]:
        """What came for a client and nobody has asked for."""
        return self.seen(lambda m: m.get("client") == client)


def _is(message: Message, client: str, kind: str) -> bool:
    return (message.get("client"), message["kind"]) == (client, kind)
