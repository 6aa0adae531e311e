"""The little client behind ``skubber trigger`` and ``skubber tail``."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import websockets

from skubber import __version__
from skubber.codecs import signing
from skubber.core.app import ApiKey, App
from skubber.core.channel_name import ChannelKind


class ClientError(Exception):
    """The server cannot be reached or refused; the message says which."""


def publish(url: str, app: App, channels: Sequence[str], event: str, data: str) -> str:
    """Publish an event over the HTTP API; returns the answer's JSON text.

    Args:
        url: the server's, without a trailing slash.
        app: the app, with a key.
        channels: channel names.
        event: event name.
        data: event data.

    Raises:
        ClientError: the server cannot be reached or refused.
    """
    key = _key(app)
    try:
        response = httpx.post(
            f"{url}/apps/{app.id}/events",
            headers={"X-Api-Key": key.key, "X-Api-Secret": key.secret},
            json={"name": event, "channels": list(channels), "data": data},
        )
    except httpx.HTTPError as error:
        raise ClientError(f"Cannot reach {url}: {error}.") from None
    if response.status_code != 200:
        raise ClientError(f"{url} answered {response.status_code}: {response.text}")
    return response.text


async def tail_channel(
    url: str,
    app: App,
    channel: str,
    subscribed: Callable[[], None],
    show: Callable[[dict[str, Any]], None],
    count: int = 0,
) -> None:
    """Subscribe to a channel and hand each of its events to ``show``.

    Args:
        url: the server's, without a trailing slash.
        app: the app, with a key; private and presence channels are signed for with it.
        channel: the channel's name.
        subscribed: called once events will arrive.
        show: takes an event's ``event``, ``data`` and, if any, ``user_id``.
        count: return after so many events; 0 for never.

    Raises:
        ClientError: the server cannot be reached, or refused the subscription.
    """
    key = _key(app)
    socket_url = f"{url.replace('http', 'ws', 1)}/app/{key.key}?protocol=7&client=skubber&version={__version__}"
    try:
        async with websockets.connect(socket_url, max_size=None) as socket:
            async for text in socket:
                message = json.loads(text)
                answer = _react(message, key, channel)
                if answer is not None:
                    await socket.send(json.dumps(answer))
                if message["event"] == "pusher_internal:subscription_succeeded":
                    subscribed()
                if message.get("channel") != channel or message["event"].startswith("pusher"):
                    continue
                show({name: message[name] for name in ("event", "data", "user_id") if name in message})
                count -= 1
                if count == 0:
                    return
    except (OSError, websockets.WebSocketException) as error:
        raise ClientError(f"The connection to {url} ended: {error}.") from None


def _react(message: dict[str, Any], key: ApiKey, channel: str) -> dict[str, Any] | None:
    """What to send in answer to a protocol message, if anything."""
    match message["event"]:
        case "pusher:connection_established":
            socket_id = json.loads(message["data"])["socket_id"]
            return {"event": "pusher:subscribe", "data": _subscription(key, socket_id, channel)}
        case "pusher:ping":
            return {"event": "pusher:pong", "data": {}}
        case "pusher:subscription_error":
            raise ClientError(message["data"]["error"])
        case "pusher:error":
            raise ClientError(message["data"]["message"])
    return None


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


def _key(app: App) -> ApiKey:
    return next(iter(app.keys.values()))
