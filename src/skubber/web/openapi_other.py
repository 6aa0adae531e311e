"""The operations outside ``/apps``: tokens and negotiation for SignalR clients, and whether the server runs.

Source: the product's API contract, "Client connections"; ASP.NET Core SignalR, TransportProtocols.md.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from skubber.api.access_tokens import MAX_GRANTS, TokenRequest, TokenResponse
from skubber.api.message import ErrorBody
from skubber.web.openapi_examples import Example
from skubber.web.openapi_parts import error_response, json_content, request_body


class AvailableTransport(msgspec.Struct, rename="camel"):
    """A transport, and what it can carry."""

    transport: str
    transfer_formats: list[str]


class NegotiateResponse(msgspec.Struct, rename="camel"):
    """A connection to open, within 15 seconds."""

    negotiate_version: int
    connection_id: Annotated[str, Meta(description="Public: others see it, and publishers exclude by it.")]
    available_transports: list[AvailableTransport]
    connection_token: (
        Annotated[str, Meta(description="Secret: the `id` of every later request. From version 1.")] | UnsetType
    ) = UNSET
    use_stateful_reconnect: (
        Annotated[bool, Meta(description="Whether the connection may be resumed, if that was asked for.")] | UnsetType
    ) = UNSET


class StatusResponse(msgspec.Struct):
    """How the server is."""

    status: str


OTHER_TYPES = (TokenRequest, TokenResponse, NegotiateResponse, StatusResponse)
"""The types of these operations' bodies."""

_CREDENTIALS = {"apiKey": "YOUR_KEY", "apiSecret": "YOUR_SECRET"}

_TOKEN_REQUESTS = {
    "anybody": Example("A token that says nothing of its holder: for public channels", _CREDENTIALS),
    "a_user": Example(
        "A token for one user, with grants for private and presence channels",
        {
            **_CREDENTIALS,
            "userId": "user123",
            "userInfo": {"name": "Ada"},
            "channels": ["private-user123-*", "presence-lobby"],
            "permissions": ["subscribe", "trigger"],
            "expiresIn": 900,
        },
    ),
}

_TOKEN_DESCRIPTION = f"""\
For the back end: the secret must not go to a browser. The answer's `token` goes into the hub URL's `access_token`, or
is what the client's access token factory returns. It cannot fetch further tokens.

With a `userId` the token is that user's: the connection is signed in as the user. With `channels`, at most
{MAX_GRANTS}, it grants private and presence channels; `*` stands for any text. Presence channels need a `userId` too.

When a token expires the server closes the connection, and lets the client come back with a new one.
"""

_NEGOTIATE_DESCRIPTION = """\
The first request of a SignalR client, which makes it by itself. What follows, with the connection token as `id`: a
WebSocket at `/push`; or a `GET` of `/push` that accepts `text/event-stream`, or polls by `GET`, each with `POST`s of
what the client sends.
"""

_NEGOTIATE_QUERY: dict[str, tuple[str, dict[str, Any]]] = {
    "negotiateVersion": ("The version. 0 knows no connection token.", {"enum": ["0", "1"], "default": "0"}),
    "userId": ("The user, where the token does not name one. It proves nothing.", {}),
    "dispatch": ("`name`: events are calls of their own names.", {"enum": ["name"]}),
    "useStatefulReconnect": ("`true`: ask for stateful reconnect.", {"enum": ["true"]}),
}

TOKEN_ERRORS = {
    400: ErrorBody("invalid_expires_in", "expiresIn is 1 to 3600 whole seconds."),
    401: ErrorBody("invalid_credentials", "The key and secret do not belong together."),
    403: ErrorBody("app_disabled", "This app is disabled."),
    413: ErrorBody("body_too_large", "Request bodies have at most 65536 bytes."),
    429: ErrorBody("too_many_attempts", "Too many wrong secrets came from here: try again in 5 s."),
}

METRICS_ERROR = ErrorBody("invalid_metrics_token", "Send metrics_token: Authorization: Bearer ....")

NEGOTIATE_ERRORS = {
    400: ErrorBody("invalid_user_id", "User ids have 1 to 128 characters."),
    401: ErrorBody("invalid_access_token", "The access token is not valid."),
    403: ErrorBody("user_mismatch", "The access token was issued to another userId than the URL names."),
}

_REASONS = {
    400: "The request cannot be understood or breaks a rule.",
    401: "Credentials are missing, unknown or do not match.",
    403: "The credentials are good, yet this app or user may not do it.",
    413: "The body is too large.",
    429: "Too many wrong secrets came from this address, about this key or about any.",
}


def other_paths() -> dict[str, Any]:
    """The operations, by path and method."""
    return {
        "/api/auth/signalr-token": {"post": _token()},
        "/push/negotiate": {"post": _negotiate()},
        "/health": {"get": _status("health", "Whether the process runs", "It does.", "ok")},
        "/ready": {
            "get": _status(
                "ready", "Whether the server takes requests and connections", "It does.", "ready", "not ready"
            )
        },
        "/metrics": {"get": _metrics()},
    }


def _token() -> dict[str, Any]:
    return {
        "tags": ["SignalR"],
        "operationId": "issueToken",
        "summary": "Fetch an access token for a SignalR client",
        "description": _TOKEN_DESCRIPTION,
        "security": [],
        "requestBody": request_body(TokenRequest, _TOKEN_REQUESTS),
        "responses": {
            "200": {"description": "The token.", "content": json_content(TokenResponse, {"token": "eyJhbGciOi..."})},
            **_errors(TOKEN_ERRORS),
        },
    }


def _negotiate() -> dict[str, Any]:
    answer = {
        "negotiateVersion": 1,
        "connectionId": "1234.5678",
        "connectionToken": "pIqZ4oXa2xjM2i3F0g3v3Q5bq7d8kYtS",
        "availableTransports": [
            {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
            {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
            {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
        ],
    }
    return {
        "tags": ["SignalR"],
        "operationId": "negotiate",
        "summary": "Begin a SignalR connection",
        "description": _NEGOTIATE_DESCRIPTION,
        "security": [{"access_token": []}, {"bearer": []}],
        "parameters": [
            {"name": name, "in": "query", "description": description, "schema": {"type": "string", **keywords}}
            for name, (description, keywords) in _NEGOTIATE_QUERY.items()
        ],
        "responses": {
            "200": {"description": "The connection.", "content": json_content(NegotiateResponse, answer)},
            **_errors(NEGOTIATE_ERRORS),
        },
    }


def _status(operation_id: str, summary: str, good: str, status: str, bad_status: str | None = None) -> dict[str, Any]:
    responses = {"200": {"description": good, "content": json_content(StatusResponse, {"status": status})}}
    if bad_status is not None:
        content = json_content(StatusResponse, {"status": bad_status})
        responses["503"] = {"description": "It is starting or stopping.", "content": content}
    return {
        "tags": ["Server"],
        "operationId": operation_id,
        "summary": summary,
        "security": [],
        "responses": responses,
    }


def _metrics() -> dict[str, Any]:
    example = "# TYPE skubber_ready gauge\nskubber_ready 1.0\n"
    return {
        "tags": ["Server"],
        "operationId": "metrics",
        "summary": "The server's metrics, for Prometheus",
        "description": "Here if `metrics_token` is set, which is the bearer token; and on `metrics_port`, if that is.",
        "security": [{"bearer": []}],
        "responses": {
            "200": {
                "description": "The metrics, in Prometheus' text format or as OpenMetrics.",
                "content": {"text/plain": {"schema": {"type": "string"}, "example": example}},
            },
            "401": error_response(_REASONS[401], METRICS_ERROR),
            "404": {"$ref": "#/components/responses/NotFound"},
            "405": {"$ref": "#/components/responses/MethodNotAllowed"},
            "500": {"$ref": "#/components/responses/InternalError"},
        },
    }


def _errors(examples: Mapping[int, ErrorBody]) -> dict[str, Any]:
    """The answers that are errors; those that any path may give are the same everywhere."""
    return {
        **{str(status): error_response(_REASONS[status], example) for status, example in examples.items()},
        "405": {"$ref": "#/components/responses/MethodNotAllowed"},
        "500": {"$ref": "#/components/responses/InternalError"},
    }
