"""The little client behind ``skubber trigger`` and ``skubber tail``."""

import ipaddress
import json
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Literal
from urllib.parse import quote

import httpx
import websockets

from skubber import __version__
from skubber.codecs import signing
from skubber.core.app import ApiKey, App
from skubber.core.channel_name import ChannelKind

MEMBER_ADDED, MEMBER_REMOVED = "pusher_internal:member_added", "pusher_internal:member_removed"


class ClientError(Exception):
    """The server cannot be reached or refused; the message says which."""


def publish(
    url: str,
    app: App,
    channels: Sequence[str],
    event: str,
    data: str,
    tls: ssl.SSLContext | None = None,
) -> str:
    """Publish an event over the HTTP API; returns the answer's JSON text.

    Args:
        url: the server's, without a trailing slash.
        app: the app, with a key.
        channels: channel names.
        event: event name.
        data: event data.
        tls: which certificates are trusted; those that this machine trusts if not given.

    Raises:
        ClientError: the server cannot be reached or refused.
    """
    uses_proxies = not is_local(url)
    key = _key(app)
    try:
        body = json.dumps({"name": event, "channels": list(channels), "data": data}, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ClientError("Channel, event and data must be UTF-8.") from None
    try:
        response = httpx.post(
            f"{url}/apps/{quote(app.id, safe='')}/events",
            headers={b"X-Api-Key": key.key.encode(), b"X-Api-Secret": key.secret.encode()},
            content=body,
            verify=tls or ssl.create_default_context(),  # the certificates that tail_channels trusts
            trust_env=uses_proxies,  # proxies lead to other hosts, not to this one
        )
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ValueError) as error:
        raise ClientError(f"Cannot reach {url}: {_reason(error)}.") from None
    if response.status_code != 200:
        raise ClientError(f"{url} answered {response.status_code}: {response.text}")
    return response.text


async def tail_channels(
    url: str,
    app: App,
    channels: Sequence[str],
    subscribed: Callable[[], None],
    show: Callable[[str, dict[str, Any]], None],
    count: int = 0,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Subscribe to channels and hand each of their events to ``show``.

    Args:
        url: the server's, without a trailing slash.
        app: the app, with a key; private and presence channels are signed for with it.
        channels: the channels' names, each once.
        subscribed: called once the events of all of them will arrive.
        show: takes the channel, and an event's ``event``, ``data`` and, if any, ``user_id``. Who comes to a presence
            channel and goes is told as ``MEMBER_ADDED`` and ``MEMBER_REMOVED``.
        count: return after so many events, members not counted; 0 for never.
        tls: which certificates are trusted; those that this machine trusts if not given.

    Raises:
        ClientError: the server cannot be reached, or refused the subscription.
    """
    proxy: Literal[True] | None = None if is_local(url) else True
    key = _key(app)
    path = f"/app/{quote(key.key, safe='')}?protocol=7&client=skubber&version={__version__}"
    address = "ws" + url.removeprefix("http") + path
    trusted = (tls or True) if address.startswith("wss:") else None
    try:
        async with websockets.connect(address, max_size=None, proxy=proxy, ssl=trusted) as socket:
            awaited = set(channels)
            async for text in socket:
                message = json.loads(text)
                for answer in _react(message, key, channels):
                    await socket.send(json.dumps(answer))
                event, channel = message["event"], message.get("channel")
                if event == "pusher_internal:subscription_succeeded":
                    awaited.discard(channel)
                    if not awaited:
                        subscribed()
                is_news_of_members = event in {MEMBER_ADDED, MEMBER_REMOVED}
                if channel not in channels or (event.startswith("pusher") and not is_news_of_members):
                    continue
                show(channel, {name: message[name] for name in ("event", "data", "user_id") if name in message})
                if not is_news_of_members:
                    count -= 1
                    if count == 0:
                        return
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise ClientError(f"{url} does not speak the Pusher protocol.") from None
    except (OSError, websockets.WebSocketException, ImportError, ValueError) as error:
        raise ClientError(f"The connection to {url} ended: {_reason(error)}.") from None
    raise ClientError(f"The connection to {url} ended: the server closed it.")


def _react(message: dict[str, Any], key: ApiKey, channels: Sequence[str]) -> list[dict[str, Any]]:
    """What to send in answer to a protocol message."""
    match message["event"]:
        case "pusher:connection_established":
            socket_id = json.loads(message["data"])["socket_id"]
            return [{"event": "pusher:subscribe", "data": _subscription(key, socket_id, each)} for each in channels]
        case "pusher:ping":
            return [{"event": "pusher:pong", "data": {}}]
        case "pusher:subscription_error":
            raise ClientError(message["data"]["error"])
        case "pusher:error":
            raise ClientError(message["data"]["message"])
    return []


def _subscription(key: ApiKey, socket_id: str, channel: str) -> dict[str, str]:
    kind = ChannelKind.of(channel)
    subscription = {"channel": channel}
    if not kind.is_private:
        return subscription
    channel_data = json.dumps({"user_id": f"skubber-tail-{socket_id}"}) if kind.is_presence else None
    if channel_data is not None:
        subscription["channel_data"] = channel_data
    signature = signing.sign(key.secret, signing.channel_text(socket_id, channel, channel_data))
    return subscription | {"auth": f"{key.key}:{signature}"}


def is_local(url: str) -> bool:
    """Whether a server's URL leads to this machine.

    Raises:
        ClientError: it is no URL.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ClientError(f"Cannot reach {url}: {_reason(error)}.") from None
    if not url.startswith(("http://", "https://")) or not parsed.host or (parsed.port or 0) > 65_535:
        raise ClientError(f"Give the server's URL as http://HOST:PORT or https://HOST:PORT, not {url}.")
    if parsed.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(parsed.host).is_loopback
    except ValueError:
        return False


def _reason(error: Exception) -> str:
    """What went wrong, as the end of a sentence."""
    return (str(error) or type(error).__name__).rstrip(".")


def _key(app: App) -> ApiKey:
    return next(iter(app.keys.values()))
