"""Writes docs/reference/http-api.md, from the OpenAPI document.

python scripts/http_api_reference.py [--check] [FILE]
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from reference_page import fenced, prose, table, write
from skubber.web.openapi import openapi_document

_INTRODUCTION = """\
The same as OpenAPI 3.1 is at `/docs/openapi.json` of a running server, and to be tried out at `/docs`. Examples are
those of an app `myapp`. The errors are those of [errors](errors.md)."""

Schema = Mapping[str, Any]


def body() -> Iterator[str]:
    """The page's paragraphs: the operations by their tag, then the types of their bodies."""
    document = msgspec.json.decode(openapi_document("myapp"))
    yield _INTRODUCTION
    yield (
        document["info"]["description"]
        .replace("(/docs/realtime)", "(realtime.md)")
        .replace("; this document is [openapi.json](/docs/openapi.json)", "")
        .strip()
    )
    for tag in document["tags"]:
        yield f"## {tag['name']}"
        yield tag["description"]
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation["tags"]:
                    yield from _operation(f"{method.upper()} {path}", operation, document)
    yield "## Types"
    yield "Of bodies, and of what is in them. A field is optional where it has a default or is said to be."
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f"### {name} {{#{_anchor(name)}}}"
        yield prose(schema.get("description", ""))
        yield _fields(schema)


def _operation(call: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {operation['summary']} {{#{operation['operationId']}}}"
    yield f"`{call}`" + (" (deprecated)" if operation.get("deprecated") else "")
    yield prose(operation.get("description", ""))
    rows = [
        (
            f"`{each['name']}`",
            each["in"] + (", required" if each.get("required") else ""),
            _kind(each["schema"]),
            each["description"],
        )
        for each in operation.get("parameters", ())
    ]
    yield table(("Parameter", "In", "Type", "Meaning"), rows)
    yield from _request(operation.get("requestBody", {}).get("content", {}))
    yield from _responses(operation["responses"], document)


def _request(content: Mapping[str, Any]) -> Iterator[str]:
    for media_type, body_ in content.items():
        yield f"Body: {_kind(body_.get('schema', {}))}, as `{media_type}`."
        for example in body_.get("examples", {}).values():
            yield f"{example['summary']}:"
            yield _json(example["value"])


def _responses(responses: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    errors = []
    for status, response in responses.items():
        if "$ref" in response:
            errors.append(status)
            continue
        content = response.get("content", {}).get("application/json", {})
        kind = f" {_kind(content['schema'])}." if "schema" in content else ""
        yield f"**{status}**:{kind} {prose(response['description'])}".rstrip()
        if "example" in content:
            yield _json(content["example"])
    if errors:
        yield f"Errors: {', '.join(sorted(errors))}."


def _fields(schema: Schema) -> str:
    required = schema.get("required", ())
    rows = [
        (f"`{name}`", _kind(field), _presence(name in required, field), _meaning(field))
        for name, field in schema.get("properties", {}).items()
    ]
    return table(("Field", "Type", "Default", "Meaning"), rows)


def _presence(is_required: bool, field: Schema) -> str:
    if is_required:
        return "required"
    return f"`{msgspec.json.encode(field['default']).decode()}`" if "default" in field else "optional"


def _kind(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_kind(schema['additionalProperties'])}"
    kind = schema.get("type", "any JSON")
    return kind if isinstance(kind, str) else " or ".join(kind)


_BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minimum": "at least {}",
    "maximum": "at most {}",
}


def _meaning(schema: Schema) -> str:
    """What a field holds, and within which bounds."""
    alternatives = [schema, *schema.get("anyOf", ())]
    descriptions = [prose(each["description"]) for each in alternatives if "description" in each]
    bounds = [text.format(each[name]) for each in alternatives for name, text in _BOUNDS.items() if name in each]
    sentence = ", ".join(bounds)
    return " ".join([*descriptions, *([f"{sentence[0].upper()}{sentence[1:]}."] if sentence else [])])


def _json(value: Any) -> str:
    if isinstance(value, str):
        return fenced("text", value)
    return fenced("json", msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _anchor(name: str) -> str:
    return f"type-{name.lower()}"


if __name__ == "__main__":
    write(__file__, "http-api.md", "HTTP API", body)
