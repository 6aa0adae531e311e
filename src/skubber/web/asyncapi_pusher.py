"""The Pusher side of the AsyncAPI document. Examples of what the server sends are made by what makes it.

Source: Pusher Channels documentation, "Pusher Channels Protocol".
"""

from typing import Any

import msgspec

from skubber.codecs import pusher, signing
from skubber.codecs.pusher import CLIENT_EVENT_RATE, WATCHLIST_TOO_LONG, CloseCode, PusherWireFormat
from skubber.core.event import Event, MemberAdded, MemberRemoved, SubscriptionCount
from skubber.core.presence import PresenceMember
from skubber.web.asyncapi_parts import (
    SOCKET_ID,
    ErrorCode,
    Message,
    MessageExample,
    Schema,
    Side,
    anything,
    json_text,
    number,
    record,
    signed,
    text,
)

_ROOM = "presence-room"
_USER = PresenceMember("1", b'{"name":"Ada"}')
_CHANNEL_DATA = '{"user_id":"1","user_info":{"name":"Ada"}}'
_USER_DATA = '{"id":"1"}'

_decode = msgspec.json.decode
_format = PusherWireFormat(lambda message: message)


def _sent(message: bytes) -> Any:
    return _decode(message)


def _event(event: Event, channel: str) -> Any:
    return _decode(_format.encode(event, channel))


def _message(event: str, data: Schema, channel: str | None = None) -> Schema:
    """The schema of a message of the protocol's own; with a description of ``channel`` where it has one."""
    members: dict[str, Schema] = {"event": {"const": event}}
    if channel is not None:
        members["channel"] = text(channel)
    return record({**members, "data": data})


_CHANNEL = text("The channel's name.")
_USER_ID = text("The user's id, unique among the app's users.")
_USER_INFO = anything("What the back end says of the user, any JSON; null when it says nothing.")
_NOTHING = anything("Nothing: an empty object, or a string of one.")

_PING = Message(
    "ping",
    "pusher:ping",
    "Asks for a pong, from either side, after as many seconds of silence as the greeting's `activity_timeout` says.",
    record({"event": {"const": "pusher:ping"}}, {"data": _NOTHING}),
    (MessageExample("A ping", _sent(pusher.PING)),),
    replies=("pong",),
)
_PONG = Message(
    "pong",
    "pusher:pong",
    "Answers a ping, from either side.",
    record({"event": {"const": "pusher:pong"}}, {"data": _NOTHING}),
    (MessageExample("A pong", _sent(pusher.PONG)),),
)

_SUBSCRIBE = Message(
    "subscribe",
    "pusher:subscribe",
    "Asks for a channel's events. Private and presence channels need the back end's authorization.",
    _message(
        "pusher:subscribe",
        record(
            {"channel": _CHANNEL},
            {
                "auth": text(
                    "Private and presence channels: the key, a colon, and the hexadecimal HMAC SHA256 of "
                    "`socket_id:channel`, or of `socket_id:channel:channel_data`, under the key's secret."
                ),
                "channel_data": json_text(
                    record({"user_id": _USER_ID}, {"user_info": _USER_INFO}),
                    "Presence channels: who the user is, exactly as it was signed.",
                ),
            },
        ),
    ),
    (
        MessageExample("A public channel", {"event": "pusher:subscribe", "data": {"channel": "orders"}}),
        MessageExample(
            "A private channel",
            {
                "event": "pusher:subscribe",
                "data": {
                    "channel": "private-orders",
                    "auth": signed(signing.channel_text(SOCKET_ID, "private-orders")),
                },
            },
        ),
        MessageExample(
            "A presence channel",
            {
                "event": "pusher:subscribe",
                "data": {
                    "channel": _ROOM,
                    "auth": signed(signing.channel_text(SOCKET_ID, _ROOM, _CHANNEL_DATA)),
                    "channel_data": _CHANNEL_DATA,
                },
            },
        ),
    ),
    replies=("subscriptionSucceeded", "subscriptionError", "error"),
)

_TO_SERVER = (
    _SUBSCRIBE,
    Message(
        "unsubscribe",
        "pusher:unsubscribe",
        "Ends a subscription. It is not answered.",
        _message("pusher:unsubscribe", record({"channel": _CHANNEL})),
        (MessageExample("A channel", {"event": "pusher:unsubscribe", "data": {"channel": "orders"}}),),
    ),
    Message(
        "clientEvent",
        "client-…",
        "An event for the channel's other subscribers, SignalR's included. The sender must be subscribed to the "
        "channel, which must be a private or a presence channel and not an encrypted one.",
        record(
            {
                "event": text("The event's name. It starts with `client-`.", pattern="^client-"),
                "channel": _CHANNEL,
                "data": anything("Any JSON. It arrives as it was sent."),
            }
        ),
        (
            MessageExample(
                "Somebody is typing", {"event": "client-typing", "channel": "private-chat", "data": {"text": "Hel"}}
            ),
        ),
        replies=("error",),
    ),
    Message(
        "signin",
        "pusher:signin",
        "Signs the user in: events to the user reach this connection, and terminating the user ends it. "
        "A sign-in that fails closes the connection with 4009.",
        _message(
            "pusher:signin",
            record(
                {
                    "auth": text(
                        "The key, a colon, and the hexadecimal HMAC SHA256 of `socket_id::user::user_data` under the "
                        "key's secret."
                    ),
                    "user_data": json_text(
                        record({"id": _USER_ID}, {"user_info": _USER_INFO}),
                        "Who the user is, exactly as it was signed.",
                    ),
                }
            ),
        ),
        (
            MessageExample(
                "A user",
                {
                    "event": "pusher:signin",
                    "data": {
                        "auth": signed(signing.user_text(SOCKET_ID, _USER_DATA)),
                        "user_data": _USER_DATA,
                    },
                },
            ),
        ),
        replies=("signinSuccess", "error"),
    ),
    _PING,
    _PONG,
)

_TO_CLIENT = (
    Message(
        "connectionEstablished",
        "pusher:connection_established",
        "The first message of a connection.",
        _message(
            "pusher:connection_established",
            json_text(
                record(
                    {
                        "socket_id": text("The connection's id. A publisher leaves the connection out by naming it."),
                        "activity_timeout": number("Seconds of silence after which to send a ping."),
                    }
                ),
                "About the connection.",
            ),
        ),
        (MessageExample("The greeting", _sent(pusher.connection_established(SOCKET_ID, 120))),),
    ),
    Message(
        "subscriptionSucceeded",
        "pusher_internal:subscription_succeeded",
        "The channel's events arrive from now on.",
        _message(
            "pusher_internal:subscription_succeeded",
            json_text(
                record(
                    {},
                    {
                        "presence": record(
                            {
                                "ids": {"type": "array", "items": _USER_ID, "description": "Everyone present."},
                                "hash": {
                                    "type": "object",
                                    "description": "What the back end says of each, by user id.",
                                },
                                "count": number("How many they are."),
                            }
                        ),
                    },
                ),
                "Empty; on presence channels who is there, the client's own user included.",
            ),
            "The channel.",
        ),
        (
            MessageExample("A public or a private channel", _sent(pusher.subscription_succeeded("orders"))),
            MessageExample(
                "A presence channel",
                _sent(pusher.presence_subscription_succeeded(_ROOM, [_USER, PresenceMember("2")])),
            ),
        ),
    ),
    Message(
        "subscriptionError",
        "pusher:subscription_error",
        "The subscription was refused.",
        _message(
            "pusher:subscription_error",
            record(
                {
                    "type": text(
                        "`AuthError`, `LimitReached`, `InvalidRequest` or `Unavailable`.",
                        enum=["AuthError", "LimitReached", "InvalidRequest", "Unavailable"],
                    ),
                    "error": text("A sentence that says why."),
                    "status": number("The HTTP status of that kind of error."),
                }
            ),
            "The channel.",
        ),
        (
            MessageExample(
                "A wrong signature",
                _sent(pusher.subscription_error("private-orders", "AuthError", "Invalid signature.", 401)),
            ),
        ),
    ),
    Message(
        "event",
        "An application's event",
        "An event that was published on a channel, or that another client has sent to it.",
        record(
            {
                "event": text("The event's name.", pattern="^(?!pusher(_internal)?:)"),
                "channel": _CHANNEL,
                "data": anything("The publisher's string; for client events whatever JSON the client sent."),
            },
            {"user_id": text("The sender, on client events of presence channels.")},
        ),
        (
            MessageExample("Published", _event(Event("order-shipped", b'"{\\"orderId\\": 42}"'), "orders")),
            MessageExample("Sent by another client", _event(Event("client-typing", b'{"text":"Hel"}', "1"), _ROOM)),
        ),
    ),
    Message(
        "memberAdded",
        "pusher_internal:member_added",
        "A user's first connection has joined the presence channel.",
        _message(
            "pusher_internal:member_added",
            json_text(record({"user_id": _USER_ID, "user_info": _USER_INFO}), "The user."),
            "The channel.",
        ),
        (MessageExample("A user", _event(MemberAdded(_USER.user_id, _USER.user_info), _ROOM)),),
    ),
    Message(
        "memberRemoved",
        "pusher_internal:member_removed",
        "A user's last connection has left the presence channel.",
        _message(
            "pusher_internal:member_removed", json_text(record({"user_id": _USER_ID}), "The user."), "The channel."
        ),
        (MessageExample("A user", _event(MemberRemoved(_USER.user_id), _ROOM)),),
    ),
    Message(
        "subscriptionCount",
        "pusher_internal:subscription_count",
        "How many connections are subscribed to the channel, in apps that have this on; not on presence channels.",
        _message(
            "pusher_internal:subscription_count",
            json_text(record({"subscription_count": number("The count.")}), "The count."),
            "The channel.",
        ),
        (MessageExample("Three", _event(SubscriptionCount(3), "orders")),),
    ),
    Message(
        "cacheMiss",
        "pusher:cache_miss",
        "The cache channel that was just subscribed to holds no event.",
        _message("pusher:cache_miss", json_text(record({}), "Nothing."), "The channel."),
        (MessageExample("A cache channel", _sent(pusher.cache_miss("cache-orders"))),),
    ),
    Message(
        "watchlistEvents",
        "pusher_internal:watchlist_events",
        "Users of the watchlist have come online or gone offline.",
        _message(
            "pusher_internal:watchlist_events",
            json_text(
                record(
                    {
                        "events": {
                            "type": "array",
                            "items": record(
                                {
                                    "name": {"enum": ["online", "offline"], "description": "What has happened."},
                                    "user_ids": {"type": "array", "items": _USER_ID, "description": "To whom."},
                                }
                            ),
                        }
                    }
                ),
                "The users.",
            ),
        ),
        (MessageExample("A user", _sent(pusher.watchlist_event("online", ["user456"]))),),
    ),
    Message(
        "signinSuccess",
        "pusher:signin_success",
        "The user is signed in.",
        _message(
            "pusher:signin_success",
            json_text(record({"user_data": text("As it was sent.")}), "The user."),
        ),
        (MessageExample("A user", _sent(pusher.signin_success(_USER_DATA))),),
    ),
    Message(
        "error",
        "pusher:error",
        "Something the client sent was refused; or the connection is about to be closed, with the same code.",
        _message(
            "pusher:error",
            record(
                {
                    "code": {
                        "type": ["integer", "null"],
                        "description": "One of the codes below; null where the protocol has none.",
                    },
                    "message": text("A sentence that says why."),
                }
            ),
        ),
        (
            MessageExample(
                "Before a close", _sent(pusher.error(CloseCode.NO_SUCH_APP, "There is no app with this key"))
            ),
            MessageExample(
                "A refused message",
                _sent(pusher.error(None, "This connection is already subscribed to orders.")),
            ),
        ),
    ),
    _PING,
    _PONG,
)

_CODES: dict[int, str] = {
    CloseCode.TLS_ONLY: "The app takes TLS connections only: use wss://. Like all codes up to 4099, do not come back.",
    CloseCode.NO_SUCH_APP: "No app has this key.",
    CloseCode.APP_DISABLED: "The app is disabled.",
    CloseCode.OVER_CONNECTION_QUOTA: "The app has as many connections as its plan allows.",
    CloseCode.PATH_NOT_FOUND: "The path is not /app/{key}.",
    CloseCode.INVALID_VERSION: "The protocol's version is not a number.",
    CloseCode.UNSUPPORTED_VERSION: "The protocol's version is none of 5, 6 and 7.",
    CloseCode.NO_VERSION: "The query has no protocol version.",
    CloseCode.UNAUTHORIZED: "The sign-in failed or did not come in time, or the user was terminated.",
    CloseCode.OVER_CAPACITY: "The server is full, or the client reads too slowly: come back after a pause.",
    CloseCode.RECONNECT: "The server is restarting: come back at once.",
    CloseCode.PONG_NOT_RECEIVED: "The client has not answered a ping in time: come back at once.",
    WATCHLIST_TOO_LONG: "The watchlist was longer than the app allows. This one closes nothing: the first are watched.",
    CLIENT_EVENT_RATE: "Too many client events in a second. This one closes nothing: the event is dropped.",
}

PUSHER = Side(
    id="pusher",
    title="Pusher protocol",
    address="/app/{key}",
    description=(
        "What pusher-js and the other Pusher clients speak: one JSON object in each WebSocket text message. The `data` "
        "of the server's own messages is a string that holds JSON, that of errors excepted.\n\n"
        "A client connects, takes the greeting, and subscribes. After a lost connection it does so again: a new "
        "connection has a new socket id and no subscriptions."
    ),
    parameters={"key": "An API key of the app. It is public."},
    query=record(
        {"protocol": {"type": "integer", "enum": [5, 6, 7], "description": "The protocol's version."}},
        {"client": text("The client library's name."), "version": text("Its version.")},
    ),
    security=("appKey",),
    to_server=_TO_SERVER,
    to_client=_TO_CLIENT,
    errors=tuple(ErrorCode(int(code), meaning) for code, meaning in _CODES.items()),
    errors_title="Close and error codes",
)
