"""The OpenAPI 3.1 document of the HTTP side, made from the table of endpoints and the types of their bodies.

Source: OpenAPI Specification 3.1.1.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from skubber import __version__
from skubber.api.endpoints import ENDPOINTS, Endpoint
from skubber.api.message import ErrorBody
from skubber.api.schema import CHANNEL_NAME_SCHEMA, TriggerRequest
from skubber.core.errors import (
    ConflictError,
    MethodNotAllowedError,
    RateLimitedError,
    SkubberError,
    TooLargeError,
    UnavailableError,
)
from skubber.web.admin.openapi import ADMIN_SECURITY, ADMIN_TYPES, admin_paths, admin_responses
from skubber.web.admin.openapi_session import SESSION_TYPES, session_paths
from skubber.web.openapi_examples import ERROR_EXAMPLES, OPERATION_EXAMPLES, OperationExamples
from skubber.web.openapi_other import OTHER_TYPES, other_paths
from skubber.web.openapi_parts import (
    RETRY_AFTER,
    SCHEMA_REFERENCE,
    error_response,
    json_content,
    query_parameter,
    request_body,
)

_DESCRIPTION = """\
Publish events to channels and ask who listens. The paths, bodies and status codes are those of the Pusher Channels
HTTP API: the Pusher server SDKs work with only their host changed. What clients send and receive is described in
[the realtime API](/docs/realtime); this document is [openapi.json](/docs/openapi.json).

**Authentication** of the API under `/apps`, whichever you like:

- `X-Api-Key` and `X-Api-Secret` headers, or `apiKey` and `apiSecret` in the query. No signature is needed.
- Pusher's HMAC signature in the query: `auth_key`, `auth_timestamp` (seconds since the epoch, within ten minutes of
  the server's clock), `auth_version=1.0`, `body_md5` (of a body that is not empty) and `auth_signature`.

The calls under `/api/admin` take an admin token instead: `Authorization: Bearer mpa_...`.

**Once, however often it is sent:** publish with an `Idempotency-Key` header, or the field `idempotency_key`. Within ten
minutes the same request with the same key is answered and publishes nothing; another request with it is refused.

**Errors** have a stable `code`, and an `error` that says what to do.

**Limits** are those of each app's configuration. The documented ones are the defaults.
"""

_SIGNATURE = """\
The hexadecimal HMAC SHA256, under the app's secret, of the method, the path and the query without `auth_signature`
(sorted by name, not percent-encoded), joined by newlines. `auth_timestamp`, `auth_version` and, with a body, `body_md5`
must be in the query as well. **In Swagger UI enter the secret:** the page computes all of them and does not send it.
"""

_SECURITY_SCHEMES = {
    "X-Api-Key": ("header", "The app's key. Goes with `X-Api-Secret`."),
    "X-Api-Secret": ("header", "The secret that belongs to the key."),
    "apiKey": ("query", "The app's key. Goes with `apiSecret`."),
    "apiSecret": ("query", "The secret that belongs to the key. Proxies log URLs: prefer the headers."),
    "auth_key": ("query", "The app's key. Goes with `auth_signature`."),
    "auth_signature": ("query", _SIGNATURE),
    "access_token": ("query", "Of a SignalR client: a token of `POST /api/auth/signalr-token`."),
}

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "Of a SignalR client: the same token in the Authorization header, which comes first.",
}

# Each entry is a way to authenticate; the schemes within one go together.
_SECURITY: list[dict[str, list[str]]] = [
    {"X-Api-Key": [], "X-Api-Secret": []},
    {"apiKey": [], "apiSecret": []},
    {"auth_key": [], "auth_signature": []},
]

_TAGS = {
    "Events": "Publishing.",
    "Channels": "Who listens to what.",
    "Users": "Acting on a user's connections.",
    "SignalR": "Letting SignalR clients in.",
    "Administration": "Apps, keys, plans, webhooks and usage, for an operator with an admin token.",
    "Server": "Whether the server runs.",
}

# By the path's first segment after the app id.
_TAG_OF = {"events": "Events", "batch_events": "Events", "channels": "Channels", "users": "Users"}

_PATH_PARAMETERS = {
    "appId": "The app's id.",
    "channelName": "The channel's name.",
    "userId": "The user's id, as in presence channels and sign-ins.",
}

_PATH_SCHEMAS: dict[str, dict[str, Any]] = {
    "channelName": CHANNEL_NAME_SCHEMA,
    "userId": {"minLength": 1, "maxLength": 128},
}

# A publish names its channel or its channels. The type cannot say so.
_EITHER = {
    "oneOf": [{"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in ("channel", "channels")]
}

_INTERNAL_ERROR = ErrorBody("internal_error", "The server failed to answer; its log says why.")


def openapi_document(app_id: str) -> bytes:
    """The document, as JSON text.

    Args:
        app_id: the app id of the examples.
    """
    types = {kind for endpoint in ENDPOINTS for kind in (endpoint.request, endpoint.response)} - {None, str}
    _, schemas = msgspec.json.schema_components(
        sorted([*types, *OTHER_TYPES, *ADMIN_TYPES, *SESSION_TYPES, ErrorBody], key=lambda kind: kind.__name__),
        ref_template=SCHEMA_REFERENCE,
    )
    schemas[TriggerRequest.__name__] |= _EITHER
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, app_id)
    document = {
        "openapi": "3.1.1",
        "info": {
            "title": "Skubber HTTP API",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "security": _SECURITY,
        "tags": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "paths": paths | other_paths() | session_paths() | admin_paths(),
        "components": {
            "schemas": schemas,
            "responses": dict([*_error_responses(), *admin_responses()]),
            "securitySchemes": {
                name: {"type": "apiKey", "in": place, "name": name, "description": description}
                for name, (place, description) in _SECURITY_SCHEMES.items()
            }
            | {"bearer": _BEARER, "admin": ADMIN_SECURITY},
        },
    }
    # In the expressions of JSON Schema "$" is the end; in Python's, a line feed might follow.
    return msgspec.json.encode(document).replace(rb"$(?!\\n)", b"$")


def _operation(endpoint: Endpoint, app_id: str) -> dict[str, Any]:
    examples = OPERATION_EXAMPLES[endpoint.operation_id]
    operation: dict[str, Any] = {
        "tags": [_TAG_OF[endpoint.path.split("/")[3]]],
        "operationId": endpoint.operation_id,
        "summary": endpoint.summary,
        "description": endpoint.handler.__doc__,
        "parameters": [
            *_path_parameters(endpoint, {"appId": app_id, **examples.path}),
            *map(query_parameter, endpoint.query),
        ],
        "responses": _responses(endpoint, examples),
    }
    if endpoint.request is not None:
        operation["requestBody"] = request_body(endpoint.request, examples.requests)
    if endpoint.is_deprecated:
        operation["deprecated"] = True
    return operation


def _path_parameters(endpoint: Endpoint, examples: dict[str, str]) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", endpoint.path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMETERS[name],
            "schema": {"type": "string", **_PATH_SCHEMAS.get(name, {"minLength": 1})},
            "example": examples[name],
        }


def _responses(endpoint: Endpoint, examples: OperationExamples) -> dict[str, Any]:
    description = (endpoint.response.__doc__ or "").strip()
    responses: dict[str, Any] = {
        str(endpoint.status): {"description": description, "content": json_content(endpoint.response, examples.answer)}
    }
    for error in ERROR_EXAMPLES:
        if error in {TooLargeError, ConflictError} and endpoint.request is None:
            continue
        responses[str(error.status)] = {"$ref": f"#/components/responses/{_response_name(error)}"}
    responses["500"] = {"$ref": "#/components/responses/InternalError"}
    return responses


def _error_responses() -> Iterable[tuple[str, dict[str, Any]]]:
    for error, example in ERROR_EXAMPLES.items():
        response = error_response((error.__doc__ or "").splitlines()[0], example)
        if error is MethodNotAllowedError:
            response["headers"] = {"Allow": {"description": "The methods it takes.", "schema": {"type": "string"}}}
        if error in {RateLimitedError, UnavailableError}:
            response["headers"] = {"Retry-After": RETRY_AFTER}
        yield _response_name(error), response
    yield "InternalError", error_response("The server's fault: 500.", _INTERNAL_ERROR)


def _response_name(error: type[SkubberError]) -> str:
    return error.__name__.removesuffix("Error")
