"""The admin API's part of the OpenAPI document, made from the table of its endpoints."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from skubber.core.errors import (
    ConflictError,
    ForbiddenError,
    RateLimitedError,
    SkubberError,
    TooLargeError,
    UnavailableError,
)
from skubber.web.admin.endpoint import PATH_PREFIX, AdminEndpoint
from skubber.web.admin.endpoints import ADMIN_ENDPOINTS
from skubber.web.admin.examples import ADMIN_ERRORS, ADMIN_EXAMPLES, PATH_EXAMPLES
from skubber.web.openapi_parts import RETRY_AFTER, error_response, json_content, query_parameter, request_body

ADMIN_TYPES: tuple[type[msgspec.Struct], ...] = tuple(
    {kind for endpoint in ADMIN_ENDPOINTS for kind in (endpoint.request, endpoint.response) if kind is not None}
)
"""The types of these operations' bodies."""

ADMIN_SECURITY = {
    "type": "http",
    "scheme": "bearer",
    "description": "Of the admin API: an admin token, made with `skubber tokens create`.",
}
"""How one authenticates."""

_PATH_PARAMETERS = {
    "appId": "The app's id.",
    "key": "The key.",
    "webhookId": "The webhook's id.",
    "name": "The plan's name.",
    "tokenId": "The token's id.",
    "channel": "The channel's name.",
    "socketId": "The connection's socket id.",
    "userId": "The user's id.",
}


def admin_paths() -> dict[str, Any]:
    """The operations, by path and method."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ADMIN_ENDPOINTS:
        paths.setdefault(PATH_PREFIX + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return paths


def admin_responses() -> Iterator[tuple[str, dict[str, Any]]]:
    """The answers that are errors, by name."""
    for error, example in ADMIN_ERRORS.items():
        response = error_response((error.__doc__ or "").splitlines()[0], example)
        if error in {RateLimitedError, UnavailableError}:
            response["headers"] = {"Retry-After": RETRY_AFTER}
        yield _response_name(error), response


def _operation(endpoint: AdminEndpoint) -> dict[str, Any]:
    examples = ADMIN_EXAMPLES[endpoint.operation_id]
    operation: dict[str, Any] = {
        "tags": ["Administration"],
        "operationId": endpoint.operation_id,
        "summary": endpoint.summary,
        "description": endpoint.handler.__doc__,
        "security": [{"admin": []}],
        "parameters": [
            *(
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "description": _PATH_PARAMETERS[name],
                    "schema": {"type": "string", "minLength": 1},
                    "example": PATH_EXAMPLES[name],
                }
                for name in re.findall(r"{(\w+)}", endpoint.path)
            ),
            *map(query_parameter, endpoint.query),
        ],
        "responses": {
            str(endpoint.status): {
                "description": _described(endpoint),
                "content": _content(endpoint, examples.answer),
            },
            **{str(error.status): _reference(_response_name(error)) for error in ADMIN_ERRORS if _may(endpoint, error)},
            "405": _reference("MethodNotAllowed"),
            "500": _reference("InternalError"),
        },
    }
    if endpoint.request is not None:
        is_required = any(field.required for field in msgspec.structs.fields(endpoint.request))
        operation["requestBody"] = request_body(endpoint.request, examples.requests) | {"required": is_required}
    return operation


def _described(endpoint: AdminEndpoint) -> str:
    description = (endpoint.response.__doc__ or "").strip()
    if endpoint.event:
        description += f" The `data` of each event `{endpoint.event}` is a `{endpoint.response.__name__}`, as JSON."
    return description


def _content(endpoint: AdminEndpoint, example: Any) -> dict[str, Any]:
    if not endpoint.event:
        return json_content(endpoint.response, example)
    text = f"event: {endpoint.event}\r\ndata: {msgspec.json.encode(example).decode()}\r\n\r\n"
    return {"text/event-stream": {"schema": {"type": "string"}, "example": text}}


def _may(endpoint: AdminEndpoint, error: type[SkubberError]) -> bool:
    """Whether an endpoint may answer with an error."""
    if error in {ForbiddenError, ConflictError}:
        return endpoint.changes
    return error is not TooLargeError or endpoint.request is not None


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{name}"}


def _response_name(error: type[SkubberError]) -> str:
    return "Admin" + error.__name__.removesuffix("Error")
