"""Pusher protocol 7: messages to and from JSON.

Source: Pusher Channels documentation, "Pusher Channels Protocol", and pusher-js (src/core/connection/protocol). The
``data`` of a server message is a JSON *string* that holds JSON, ``pusher:error`` and ``pusher:subscription_error``
excepted.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum

import msgspec

from skubber.core.errors import InvalidRequestError
from skubber.core.event import Event, MemberAdded, MemberRemoved, SubscriptionCount, UserOffline, UserOnline
from skubber.core.presence import PresenceMember

_encode = msgspec.json.encode


class CloseCode(IntEnum):
    """Close codes. 4000-4099: do not come back; 4100-4199: come back after a pause; 4200-4299: come back at once."""

    TLS_ONLY = 4000
    NO_SUCH_APP = 4001
    APP_DISABLED = 4003
    OVER_CONNECTION_QUOTA = 4004
    PATH_NOT_FOUND = 4005
    INVALID_VERSION = 4006
    UNSUPPORTED_VERSION = 4007
    NO_VERSION = 4008
    UNAUTHORIZED = 4009
    OVER_CAPACITY = 4100
    RECONNECT = 4200
    PONG_NOT_RECEIVED = 4201


CLIENT_EVENT_RATE = 4301
"""The code of the ``pusher:error`` for client events over the rate limit; it closes nothing."""

WATCHLIST_TOO_LONG = 4302
"""The code of the ``pusher:error`` for a watchlist that was cut to its limit; it closes nothing."""


class ClientMessage(msgspec.Struct):
    """What a client sends: always an event, with data and, on client events, a channel."""

    event: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    channel: str | None = None


class SubscribeData(msgspec.Struct):
    """The data of ``pusher:subscribe`` and ``pusher:unsubscribe``."""

    channel: str
    auth: str | None = None
    channel_data: str | None = None


class SigninData(msgspec.Struct):
    """The data of ``pusher:signin``."""

    auth: str
    user_data: str


_decode_message = msgspec.json.Decoder(ClientMessage).decode
_decode_subscribe = msgspec.json.Decoder(SubscribeData).decode
_decode_signin = msgspec.json.Decoder(SigninData).decode
_decode_string = msgspec.json.Decoder(str).decode


def decode_message(text: bytes) -> ClientMessage:
    """Decode one text message of a client.

    Raises:
        InvalidRequestError: ``invalid_message`` when it is not a JSON object with a string ``event``.
    """
    try:
        return _decode_message(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(
            "invalid_message", f'Send JSON objects like {{"event": "...", "data": ...}}: {error}.'
        ) from None


def decode_subscribe(data: msgspec.Raw) -> SubscribeData:
    """Decode the data of a subscribe or unsubscribe message, an object or (as some clients send it) a string of one.

    Raises:
        InvalidRequestError: ``invalid_subscription``.
    """
    try:
        text = bytes(data)
        return _decode_subscribe(_decode_string(text) if text.startswith(b'"') else text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(
            "invalid_subscription", f'Subscribe with data like {{"channel": "my-channel"}}: {error}.'
        ) from None


def decode_signin(data: msgspec.Raw) -> SigninData:
    """Decode the data of a sign-in message.

    Raises:
        InvalidRequestError: ``invalid_signin``.
    """
    try:
        return _decode_signin(bytes(data))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(
            "invalid_signin", f'Sign in with data like {{"auth": "KEY:SIGNATURE", "user_data": "..."}}: {error}.'
        ) from None


def connection_established(socket_id: str, activity_timeout: int) -> bytes:
    """The first message to a client; ``activity_timeout`` in seconds."""
    data = _encode({"socket_id": socket_id, "activity_timeout": activity_timeout})
    return b'{"event":"pusher:connection_established","data":' + _encode(data.decode()) + b"}"


def subscription_succeeded(channel: str) -> bytes:
    """The answer to a subscription, presence channels excepted."""
    return b'{"event":"pusher_internal:subscription_succeeded","channel":' + _encode(channel) + b',"data":"{}"}'


def presence_subscription_succeeded(channel: str, members: Sequence[PresenceMember]) -> bytes:
    """The answer to a presence subscription: everyone present, the newcomer included."""
    presence = {
        "ids": [member.user_id for member in members],
        "hash": {member.user_id: msgspec.Raw(member.user_info) for member in members},
        "count": len(members),
    }
    data = _encode({"presence": presence}).decode()
    return (
        b'{"event":"pusher_internal:subscription_succeeded","channel":'
        + _encode(channel)
        + b',"data":'
        + _encode(data)
        + b"}"
    )


def signin_success(user_data: str) -> bytes:
    """The answer to a sign-in; ``user_data`` exactly as the client sent it."""
    data = _encode({"user_data": user_data}).decode()
    return b'{"event":"pusher:signin_success","data":' + _encode(data) + b"}"


def watchlist_event(name: str, user_ids: Sequence[str]) -> bytes:
    """Users of a client's watchlist have come ``online`` or gone ``offline``."""
    data = _encode({"events": [{"name": name, "user_ids": user_ids}]}).decode()
    return b'{"event":"pusher_internal:watchlist_events","data":' + _encode(data) + b"}"


def cache_miss(channel: str) -> bytes:
    """There is no event to send to a new subscriber of a cache channel."""
    return b'{"event":"pusher:cache_miss","channel":' + _encode(channel) + b',"data":"{}"}'


def subscription_error(channel: str, kind: str, message: str, status: int) -> bytes:
    """The answer to a refused subscription; ``kind`` is ``AuthError`` where the signature is the matter."""
    data = {"type": kind, "error": message, "status": status}
    return _encode({"event": "pusher:subscription_error", "channel": channel, "data": data})


def error(code: int | None, message: str) -> bytes:
    """A ``pusher:error``; ``code`` is None where the protocol documents none."""
    return _encode({"event": "pusher:error", "data": {"code": code, "message": message}})


PING = b'{"event":"pusher:ping","data":"{}"}'
PONG = b'{"event":"pusher:pong","data":"{}"}'


class PusherWireFormat:
    """Encodes events for Pusher clients.

    Args:
        frame: wraps one JSON message for the transport (a WebSocket text frame, say).
    """

    __slots__ = ("frame",)

    def __init__(self, frame: Callable[[bytes], bytes]) -> None:
        self.frame = frame

    def encode(self, event: Event, channel: str) -> bytes:
        """Encode an event on a channel as a finished frame."""
        if isinstance(event, UserOnline | UserOffline):
            return self.frame(watchlist_event(event.name, [event.user_id or ""]))
        pieces = event.encoded.get(self)
        if pieces is None:
            pieces = event.encoded[self] = _head_and_tail(event)
        head, tail = pieces
        return self.frame(head + _encode(channel) + tail)


def _head_and_tail(event: Event) -> tuple[bytes, bytes]:
    """The message's JSON before and after the channel's name."""
    if isinstance(event, MemberAdded):
        member = {"user_id": event.user_id, "user_info": msgspec.Raw(event.data)}
        return _internal("member_added", member)
    if isinstance(event, MemberRemoved):
        return _internal("member_removed", {"user_id": event.user_id})
    if isinstance(event, SubscriptionCount):
        return _internal("subscription_count", {"subscription_count": msgspec.Raw(event.data)})
    user = b"" if event.user_id is None else b',"user_id":' + _encode(event.user_id)
    return b'{"event":' + _encode(event.name) + b',"channel":', b',"data":' + event.data + user + b"}"


def _internal(name: str, data: Mapping[str, object]) -> tuple[bytes, bytes]:
    head = f'{{"event":"pusher_internal:{name}","channel":'.encode()
    return head, b',"data":' + _encode(_encode(data).decode()) + b"}"
