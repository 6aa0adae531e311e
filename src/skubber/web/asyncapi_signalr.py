"""The SignalR side of the AsyncAPI document.

Source: ASP.NET Core SignalR, HubProtocol.md; the hub contract.
"""

from skubber.codecs.signalr import HANDSHAKE_ACCEPTED, MessageType, handshake_refused
from skubber.codecs.signalr_json import JSON
from skubber.web.asyncapi_hub_answers import ANSWERS, sent
from skubber.web.asyncapi_hub_calls import CALLS, message_type
from skubber.web.asyncapi_parts import ErrorCode, Message, MessageExample, Side, number, record, text

_HANDSHAKE = Message(
    "handshake",
    "Handshake",
    "The first message: which encoding and which version of the hub protocol the client speaks. Always JSON.",
    record(
        {
            "protocol": text("The encoding.", enum=["json", "messagepack"]),
            "version": {"type": "integer", "enum": [1, 2], "description": "2 with stateful reconnect, else 1."},
        }
    ),
    (MessageExample("JSON", {"protocol": "json", "version": 1}),),
    replies=("handshakeAnswer",),
)
_HANDSHAKE_ANSWER = Message(
    "handshakeAnswer",
    "Handshake answer",
    "An empty object, or why the client cannot be let in; then the connection is closed.",
    record({}, {"error": text("A sentence that says why.")}),
    (
        MessageExample("Let in", sent(HANDSHAKE_ACCEPTED)),
        MessageExample("Refused", sent(handshake_refused("The app is over its connection quota."))),
    ),
)

_PING = Message(
    "ping",
    "Ping",
    "Keeps the connection alive, from either side. The server sends one every 15 seconds; a client that sends nothing "
    "for 30 seconds counts as gone. It is not answered.",
    record({"type": message_type(MessageType.PING)}),
    (MessageExample("A ping", sent(JSON.ping)),),
)
_CLOSE = Message(
    "close",
    "Close",
    "Ends the connection, from either side. A client may come back by itself only where `allowReconnect` is true.",
    record(
        {"type": message_type(MessageType.CLOSE)},
        {
            "error": text("A sentence that says why."),
            "allowReconnect": {"type": "boolean", "description": "Whether the client should come back by itself."},
        },
    ),
    (
        MessageExample(
            "The server restarts",
            sent(JSON.close("The server is restarting: please reconnect.", allow_reconnect=True)),
        ),
    ),
)
_ACK = Message(
    "ack",
    "Ack",
    "Stateful reconnect: every message of types 1 to 5 up to this number has arrived, and need not be kept.",
    record({"type": message_type(MessageType.ACK), "sequenceId": number("The number; each side counts from 1.")}),
    (MessageExample("Three messages have arrived", sent(JSON.ack(3))),),
)
_SEQUENCE = Message(
    "sequence",
    "Sequence",
    "Stateful reconnect: the first message over a new WebSocket, before those that are sent again.",
    record({"type": message_type(MessageType.SEQUENCE), "sequenceId": number("The number of the next message.")}),
    (MessageExample("The fourth message is next", sent(JSON.sequence(4))),),
)

_ALONGSIDE = (_PING, _CLOSE, _ACK, _SEQUENCE)

_ERRORS = {
    "already_signed_in": "The connection is signed in as another user.",
    "already_subscribed": "The connection is subscribed to the channel already, or streams it.",
    "client_event_channel": "The channel takes no client events.",
    "client_event_rate": "Too many client events in a second.",
    "client_events_disabled": "The app's settings switch client events off.",
    "client_stream": "No method takes streams from the client.",
    "event_data_too_large": "The event's data is too large.",
    "event_name_too_long": "The event's name is too long.",
    "invalid_arguments": "The method does not take these arguments.",
    "invalid_channel_data": "The signed channel data lacks a user id, or is too large.",
    "invalid_channel_name": "No channel may have this name.",
    "invalid_event_data": "The event's data is not JSON that every client can read.",
    "invalid_event_name": "The event's name does not start with client-.",
    "invalid_signature": "There is neither a grant nor a right signature.",
    "invalid_user_data": "The signed user data lacks an id.",
    "message_quota": "The messages that the app's plan has for the day are used up.",
    "message_rate": "More messages than the app's plan has for a second.",
    "not_permitted": "The token does not hold the permission.",
    "not_subscribed": "The connection is not subscribed to the channel.",
    "presence_channel_full": "The presence channel has as many members as it may have.",
    "sign_in_required": "A user's own events need a sign-in and no subscription.",
    "too_many_channels": "As many channels as the app's plan has are occupied already.",
    "too_many_streams": "The connection has as many streams as it may have, or one with this id.",
    "too_many_subscriptions": "The connection has as many subscriptions as it may have.",
    "unknown_method": "The hub has no such method.",
    "unknown_stream": "The hub has no such stream.",
    "user_required": "A grant for a presence channel needs a token with a userId.",
}

SIGNALR = Side(
    id="signalr",
    title="SignalR hub",
    address="/push",
    description=(
        "What Microsoft's SignalR clients speak, here in its JSON encoding over WebSockets: each message is a JSON "
        "object behind which the character U+001E stands. MessagePack, Server-Sent Events and long polling carry the "
        "same messages; the clients negotiate which, with a `POST` to `/push/negotiate`.\n\n"
        "A client connects with an access token, sends the handshake, and subscribes. After an automatic reconnect it "
        "does so again: that is a new connection, with a new id and no subscriptions. A stateful reconnect, which both "
        "sides have to agree on, goes on with the old one, and what was missed is sent again."
    ),
    query=record(
        {},
        {
            "access_token": text(
                "A token of `POST /api/auth/signalr-token`, unless the Authorization header holds it."
            ),
            "id": text("The connection token of the negotiation. Without one the connection is new."),
            "userId": text("The user, where the token does not name one. It proves nothing."),
            "dispatch": text("`name`: events are calls of their own names.", enum=["name"]),
            "useStatefulReconnect": text("`true`: ask for stateful reconnect.", enum=["true"]),
        },
    ),
    security=("accessToken", "bearer"),
    to_server=(_HANDSHAKE, *CALLS, *_ALONGSIDE),
    to_client=(_HANDSHAKE_ANSWER, *ANSWERS, *_ALONGSIDE),
    errors=tuple(ErrorCode(code, meaning) for code, meaning in _ERRORS.items()),
    errors_title="Error codes of calls",
)
