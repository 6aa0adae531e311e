"""Pieces of OpenAPI that every operation is put together from."""

from collections.abc import Mapping
from typing import Any

import msgspec

from skubber.api.endpoints import QueryParameter
from skubber.api.message import ErrorBody
from skubber.web.openapi_examples import Example

SCHEMA_REFERENCE = "#/components/schemas/{name}"

RETRY_AFTER: dict[str, Any] = {
    "description": "Seconds after which to try again.",
    "schema": {"type": "integer", "minimum": 1},
}
"""The header of an answer to too many requests."""


def reference(kind: type[msgspec.Struct]) -> dict[str, str]:
    """What refers to a type's schema."""
    return {"$ref": SCHEMA_REFERENCE.format(name=kind.__name__)}


def json_content(kind: type[msgspec.Struct], example: Any) -> dict[str, Any]:
    """JSON of a type, with an example."""
    return {"application/json": {"schema": reference(kind), "example": example}}


def request_body(kind: type[msgspec.Struct | str], examples: Mapping[str, Example]) -> dict[str, Any]:
    """A request's body: JSON of a type, or text as it is."""
    content: dict[str, Any] = {
        "examples": {name: {"summary": example.summary, "value": example.value} for name, example in examples.items()}
    }
    if issubclass(kind, str):
        body = {"text/plain": {**content, "schema": {"type": "string"}}}
    else:
        body = {"application/json": {**content, "schema": reference(kind)}}
    return {"required": not issubclass(kind, str), "content": body}


def error_response(description: str, example: ErrorBody) -> dict[str, Any]:
    """An answer that is an error."""
    return {"description": description, "content": json_content(ErrorBody, msgspec.to_builtins(example))}


def query_parameter(parameter: QueryParameter) -> dict[str, Any]:
    """A query parameter."""
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "required": parameter.is_required,
        "schema": {"type": "string", **parameter.schema},
        "example": parameter.example,
    }
