"""What the server calls and answers SignalR clients, for the AsyncAPI document: made by what makes the real messages.

Source: ASP.NET Core SignalR, HubProtocol.md; the hub contract.
"""

from typing import Any

import msgspec

from skubber.codecs.signalr import RECORD_SEPARATOR, MessageType
from skubber.codecs.signalr_events import SignalRWireFormat, StreamWireFormat, subscription_object
from skubber.codecs.signalr_json import JSON
from skubber.core.event import Event, MemberAdded, MemberRemoved, SubscriptionCount, UserOnline
from skubber.core.presence import PresenceMember
from skubber.web.asyncapi_hub_calls import message_type
from skubber.web.asyncapi_parts import Message, MessageExample, Schema, anything, number, record, text

_ROOM = "presence-room"
_USER = PresenceMember("user123", b'{"name":"Ada"}')
_OTHER = PresenceMember("user456")
_SHIPPED = Event("order-shipped", b'"{\\"orderId\\": 42}"')

_OWN_TARGETS = [
    "Event",
    "SubscriptionSucceeded",
    "SubscriptionError",
    "MemberAdded",
    "MemberRemoved",
    "SubscriptionCount",
    "CacheMiss",
    "WatchlistEvents",
    "Error",
]

_calls = SignalRWireFormat(JSON, lambda message: message, by_name=False)
_calls_by_name = SignalRWireFormat(JSON, lambda message: message, by_name=True)


def sent(message: bytes) -> Any:
    """A message that the server has encoded, as a JSON value."""
    return msgspec.json.decode(message.removesuffix(RECORD_SEPARATOR))


_ANSWERED_ID = text("The id of the call this belongs to.")
_CHANNEL = text("The channel.")
_USER_ID = text("The user's id.")
_USER_INFO = anything("What the back end says of the user, any JSON; null when it says nothing.")
_MEMBER = record({"userId": _USER_ID, "userInfo": _USER_INFO})
_SUBSCRIPTION = record(
    {"channel": _CHANNEL},
    {
        "members": {
            "type": "array",
            "items": _MEMBER,
            "description": "Presence channels: everyone present, the client's own user included.",
        },
        "me": {**_MEMBER, "description": "Presence channels: the client's own user."},
    },
)
_WATCHLIST_EVENT = record(
    {
        "name": {"enum": ["online", "offline"], "description": "What has happened."},
        "userIds": {"type": "array", "items": _USER_ID, "description": "To whom."},
    }
)
_DELIVERY = record(
    {
        "event": text("The event's name."),
        "channel": _CHANNEL,
        "data": anything("The publisher's string; for client events whatever JSON the client sent."),
    },
    {"userId": text("The sender, on client events of presence channels.")},
)


def _called(target: Schema, *arguments: Schema) -> Schema:
    """The schema of a call that the server makes."""
    return record(
        {
            "type": message_type(MessageType.INVOCATION),
            "target": target,
            "arguments": {
                "type": "array",
                "items": list(arguments),
                "minItems": len(arguments),
                "maxItems": len(arguments),
            },
        }
    )


def _one(target: str, argument: Schema) -> Schema:
    return _called({"const": target}, argument)


ANSWERS = (
    Message(
        "event",
        "Event",
        "An event on a channel: published, or sent by another client.",
        _one("Event", _DELIVERY),
        (
            MessageExample("Published", sent(_calls.encode(_SHIPPED, "orders"))),
            MessageExample(
                "Sent by another client",
                sent(_calls.encode(Event("client-typing", b'{"text":"Hel"}', "user456"), _ROOM)),
            ),
        ),
    ),
    Message(
        "eventByName",
        "An event by its own name",
        "How events arrive on connections with `dispatch=name` in their query: as calls of the event's own name. "
        "Events that are named like one of the server's other calls still arrive as `Event`.",
        _called(
            text("The event's name.", **{"not": {"enum": _OWN_TARGETS}}),
            {"title": "data", **anything("The publisher's string, or a client's JSON.")},
            {"title": "metadata", **record({"channel": _CHANNEL}, {"userId": text("The sender, as in Event.")})},
        ),
        (MessageExample("Published", sent(_calls_by_name.encode(_SHIPPED, "orders"))),),
    ),
    Message(
        "subscriptionSucceeded",
        "SubscriptionSucceeded",
        "The channel's events arrive from now on. The result of Subscribe is the same.",
        _one("SubscriptionSucceeded", _SUBSCRIPTION),
        (
            MessageExample(
                "A public or a private channel",
                sent(JSON.invocation("SubscriptionSucceeded", [subscription_object("orders", (), None)])),
            ),
            MessageExample(
                "A presence channel",
                sent(JSON.invocation("SubscriptionSucceeded", [subscription_object(_ROOM, [_OTHER, _USER], _USER)])),
            ),
        ),
    ),
    Message(
        "subscriptionError",
        "SubscriptionError",
        "The subscription was refused. The call of Subscribe fails as well.",
        _one(
            "SubscriptionError",
            record(
                {
                    "channel": _CHANNEL,
                    "code": text("One of the codes below."),
                    "error": text("A sentence that says why."),
                    "status": number("The HTTP status of that kind of error."),
                }
            ),
        ),
        (
            MessageExample(
                "A full channel",
                sent(
                    JSON.invocation(
                        "SubscriptionError",
                        [
                            {
                                "channel": _ROOM,
                                "code": "presence_channel_full",
                                "error": "Presence channels have at most 100 members; presence-room is full.",
                                "status": 403,
                            }
                        ],
                    )
                ),
            ),
        ),
    ),
    Message(
        "memberAdded",
        "MemberAdded",
        "A user's first connection has joined the presence channel.",
        _one("MemberAdded", record({"channel": _CHANNEL, "userId": _USER_ID, "userInfo": _USER_INFO})),
        (MessageExample("A user", sent(_calls.encode(MemberAdded(_USER.user_id, _USER.user_info), _ROOM))),),
    ),
    Message(
        "memberRemoved",
        "MemberRemoved",
        "A user's last connection has left the presence channel.",
        _one("MemberRemoved", record({"channel": _CHANNEL, "userId": _USER_ID})),
        (MessageExample("A user", sent(_calls.encode(MemberRemoved(_USER.user_id), _ROOM))),),
    ),
    Message(
        "subscriptionCount",
        "SubscriptionCount",
        "How many connections are subscribed to the channel, in apps that have this on; not on presence channels.",
        _one("SubscriptionCount", record({"channel": _CHANNEL, "subscriptionCount": number("The count.")})),
        (MessageExample("Three", sent(_calls.encode(SubscriptionCount(3), "orders"))),),
    ),
    Message(
        "cacheMiss",
        "CacheMiss",
        "The cache channel that was just subscribed to holds no event.",
        _one("CacheMiss", record({"channel": _CHANNEL})),
        (MessageExample("A cache channel", sent(JSON.invocation("CacheMiss", [{"channel": "cache-orders"}]))),),
    ),
    Message(
        "watchlistEvents",
        "WatchlistEvents",
        "Users of the watchlist have come online or gone offline.",
        _one("WatchlistEvents", record({"events": {"type": "array", "items": _WATCHLIST_EVENT}})),
        (MessageExample("A user", sent(_calls.encode(UserOnline("user456"), ""))),),
    ),
    Message(
        "error",
        "Error",
        "A call without an invocation id has failed.",
        _one(
            "Error",
            record({"code": text("One of the codes below."), "error": text("A sentence that says why.")}),
        ),
        (
            MessageExample(
                "A client event to a channel that is not subscribed to",
                sent(
                    JSON.invocation(
                        "Error",
                        [
                            {
                                "code": "not_subscribed",
                                "error": "Subscribe to a channel before sending client events to it.",
                            }
                        ],
                    )
                ),
            ),
        ),
    ),
    Message(
        "streamItem",
        "StreamItem",
        "An event on the channel of a stream.",
        record({"type": message_type(MessageType.STREAM_ITEM), "invocationId": _ANSWERED_ID, "item": _DELIVERY}),
        (MessageExample("Published", sent(StreamWireFormat(_calls, "3").encode(_SHIPPED, "orders"))),),
    ),
    Message(
        "completion",
        "Completion",
        "A call with an invocation id is done, or a stream is over. Subscribe and SignIn have a result.",
        record(
            {"type": message_type(MessageType.COMPLETION), "invocationId": _ANSWERED_ID},
            {
                "result": anything("Subscribe: what SubscriptionSucceeded tells. SignIn: an object with the `userId`."),
                "error": text("A sentence that says why it failed, and the code in parentheses."),
            },
        ),
        (
            MessageExample("Unsubscribe is done", sent(JSON.completion("1"))),
            MessageExample(
                "Subscribe is done",
                sent(
                    JSON.completion("0", result={"channel": "orders"}),
                ),
            ),
            MessageExample("SignIn is done", sent(JSON.completion("2", result={"userId": "user123"}))),
            MessageExample(
                "Subscribe has failed",
                sent(JSON.completion("0", "This connection is already subscribed to orders. (already_subscribed)")),
            ),
        ),
    ),
)
