"""The calls that SignalR clients make, for the AsyncAPI document: made from the signatures of the hub's methods.

Source: ASP.NET Core SignalR, HubProtocol.md; the hub contract.
"""

from collections.abc import Mapping

import msgspec

from skubber.codecs import signing
from skubber.codecs.signalr import MessageType
from skubber.sessions.signalr.hub_methods import SIGN_IN, STREAM_EVENTS, SUBSCRIBE, TRIGGER, UNSUBSCRIBE, Signature
from skubber.web.asyncapi_parts import SOCKET_ID, Message, MessageExample, Schema, record, signed, text

_PARAMETERS = {
    "channel": "The channel's name.",
    "auth": (
        "Private and presence channels, unless the token grants them: the key, a colon, and the hexadecimal HMAC "
        "SHA256 of `connectionId:channel`, or of `connectionId:channel:channelData`, under the key's secret."
    ),
    "channelData": "Presence channels with `auth`: JSON with `user_id` and perhaps `user_info`, exactly as signed.",
    "event": "The event's name. It starts with `client-`.",
    "data": "Any JSON. It arrives as it was sent.",
    "userData": "JSON with an `id`, exactly as signed.",
}
_SIGN_IN_AUTH = (
    "The key, a colon, and the hexadecimal HMAC SHA256 of `connectionId::user::userData` under the key's secret."
)


def message_type(kind: MessageType) -> Schema:
    """The schema of a message's ``type``."""
    return {"const": int(kind), "description": kind.name.capitalize().replace("_", " ")}


_INVOCATION_ID = text("The call's id, 1 to 128 characters. A call without one is not answered.")


def _call(signature: Signature, descriptions: Mapping[str, str] = _PARAMETERS) -> Schema:
    """The schema of a call of a hub method, made from its signature."""
    names = [name.rstrip("?") for name in signature.text.split(", ")]
    arguments = [
        {"title": name, "description": descriptions[name], **msgspec.json.schema(kind)}
        for name, kind in zip(names, signature.types, strict=True)
    ]
    is_stream = signature is STREAM_EVENTS
    members = {
        "type": message_type(MessageType.STREAM_INVOCATION if is_stream else MessageType.INVOCATION),
        "target": {"const": signature.name, "description": "The method; upper and lower case are the same."},
        "arguments": {
            "type": "array",
            "items": arguments,
            "minItems": signature.required,
            "maxItems": len(arguments),
        },
    }
    if is_stream:
        return record({**members, "invocationId": _INVOCATION_ID})
    return record(members, {"invocationId": _INVOCATION_ID})


def _invocation(invocation_id: str | None, signature: Signature, *arguments: object) -> dict[str, object]:
    kind = MessageType.STREAM_INVOCATION if signature is STREAM_EVENTS else MessageType.INVOCATION
    identity = {} if invocation_id is None else {"invocationId": invocation_id}
    return {"type": int(kind), **identity, "target": signature.name, "arguments": list(arguments)}


_ANSWERS = ("completion", "error")

CALLS = (
    Message(
        "subscribe",
        f"Subscribe({SUBSCRIBE.text})",
        "Asks for a channel's events. Private and presence channels need a grant in the token, or a signature.",
        _call(SUBSCRIBE),
        (
            MessageExample("A channel that is public, or granted by the token", _invocation("0", SUBSCRIBE, "orders")),
            MessageExample(
                "A private channel, by signature",
                _invocation(
                    "0",
                    SUBSCRIBE,
                    "private-orders",
                    signed(signing.channel_text(SOCKET_ID, "private-orders")),
                ),
            ),
        ),
        replies=("subscriptionSucceeded", "subscriptionError", *_ANSWERS),
    ),
    Message(
        "unsubscribe",
        f"Unsubscribe({UNSUBSCRIBE.text})",
        "Ends a subscription, and a stream of the channel.",
        _call(UNSUBSCRIBE),
        (MessageExample("A channel", _invocation("1", UNSUBSCRIBE, "orders")),),
        replies=_ANSWERS,
    ),
    Message(
        "trigger",
        f"Trigger({TRIGGER.text})",
        "Sends a client event to the channel's other subscribers, Pusher's included. The sender must be subscribed to "
        "the channel, which must be a private or a presence channel and not an encrypted one.",
        _call(TRIGGER),
        (
            MessageExample(
                "Somebody is typing, and no answer is wanted",
                _invocation(None, TRIGGER, "private-chat", "client-typing", {"text": "Hel"}),
            ),
        ),
        replies=_ANSWERS,
    ),
    Message(
        "signIn",
        f"SignIn({SIGN_IN.text})",
        "Signs the user in by signature, where the token does not name the user already: events to the user reach this "
        "connection, and terminating the user ends it.",
        _call(SIGN_IN, {**_PARAMETERS, "auth": _SIGN_IN_AUTH}),
        (
            MessageExample(
                "A user",
                _invocation(
                    "2",
                    SIGN_IN,
                    signed(signing.user_text(SOCKET_ID, '{"id":"user123"}')),
                    '{"id":"user123"}',
                ),
            ),
        ),
        replies=_ANSWERS,
    ),
    Message(
        "streamEvents",
        f"StreamEvents({STREAM_EVENTS.text})",
        "Asks for a channel's events as a stream, instead of a subscription. It goes on until it is cancelled.",
        _call(STREAM_EVENTS),
        (MessageExample("A channel", _invocation("3", STREAM_EVENTS, "orders")),),
        replies=("streamItem", "completion"),
    ),
    Message(
        "cancelInvocation",
        "CancelInvocation",
        "Ends a stream.",
        record({"type": message_type(MessageType.CANCEL_INVOCATION), "invocationId": text("The stream's id.")}),
        (MessageExample("A stream", {"type": 5, "invocationId": "3"}),),
        replies=("completion",),
    ),
)
