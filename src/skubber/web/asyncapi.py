"""The AsyncAPI 3.0 document of what clients and server say to each other, over either protocol.

Source: AsyncAPI Specification 3.0.0; WebSockets binding 0.1.0.
"""

from collections.abc import Iterable
from typing import Any

from skubber import __version__
from skubber.web.asyncapi_parts import Message, Side
from skubber.web.asyncapi_pusher import PUSHER
from skubber.web.asyncapi_signalr import SIGNALR

SIDES = (PUSHER, SIGNALR)

_DESCRIPTION = (
    "What clients send and receive, over either of two protocols on the same port. A channel is one thing: an event "
    "that is published once, over the HTTP API, reaches Pusher clients and SignalR clients alike, and so do presence "
    "and client events."
)

_HOST = {"description": "The server's name and port.", "default": "localhost:5187"}

_SECURITY_SCHEMES = {
    "appKey": {
        "type": "apiKey",
        "in": "user",
        "description": "An API key of the app, in the path. It is public; what it opens is public as well.",
    },
    "accessToken": {
        "type": "httpApiKey",
        "in": "query",
        "name": "access_token",
        "description": "A JSON Web Token, which a back end fetches with `POST /api/auth/signalr-token`. Browsers "
        "cannot set headers on WebSockets, so it is in the query.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The same token in the Authorization header, which comes first where both are there.",
    },
}


def asyncapi_document() -> dict[str, Any]:
    """The document, ready to be written as JSON."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Skubber realtime API",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "tls": {
                "host": "{host}",
                "protocol": "wss",
                "description": "With a certificate.",
                "variables": {"host": _HOST},
            },
            "plain": {
                "host": "{host}",
                "protocol": "ws",
                "description": "Without one, on this machine.",
                "variables": {"host": _HOST},
            },
        },
        "channels": {side.id: _channel(side) for side in SIDES},
        "operations": {name: operation for side in SIDES for name, operation in _operations(side)},
        "components": {
            "securitySchemes": _SECURITY_SCHEMES,
            "operationTraits": {
                side.id: {"security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in side.security]}
                for side in SIDES
            },
        },
    }


def _channel(side: Side) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": side.address,
        "title": side.title,
        "description": side.description,
        "messages": {message.id: _message(message) for message in side.messages},
        "bindings": {"ws": {"method": "GET", "query": side.query, "bindingVersion": "0.1.0"}},
        "x-errors": {
            "title": side.errors_title,
            "codes": [{"code": error.code, "meaning": error.meaning} for error in side.errors],
        },
    }
    if side.parameters:
        channel["parameters"] = {name: {"description": meaning} for name, meaning in side.parameters.items()}
    return channel


def _message(message: Message) -> dict[str, Any]:
    return {
        "name": message.id,
        "title": message.title,
        "summary": message.summary,
        "payload": message.payload,
        "examples": [{"summary": example.summary, "payload": example.payload} for example in message.examples],
    }


def _operations(side: Side) -> Iterable[tuple[str, dict[str, Any]]]:
    """An operation for each message and direction; ``receive`` is the server's point of view."""
    for action, messages in (("receive", side.to_server), ("send", side.to_client)):
        for message in messages:
            operation = {
                "action": action,
                "channel": {"$ref": f"#/channels/{side.id}"},
                "title": message.title,
                "summary": message.summary,
                "traits": [{"$ref": f"#/components/operationTraits/{side.id}"}],
                "messages": [_reference(side, message.id)],
            }
            if message.replies and action == "receive":
                operation["reply"] = {
                    "channel": {"$ref": f"#/channels/{side.id}"},
                    "messages": [_reference(side, reply) for reply in message.replies],
                }
            yield f"{action}{side.id.capitalize()}{message.id[0].upper()}{message.id[1:]}", operation


def _reference(side: Side, message_id: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{side.id}/messages/{message_id}"}
