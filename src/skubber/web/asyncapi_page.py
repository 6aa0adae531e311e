"""The AsyncAPI document as a page to read, made on the server: it needs no script."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

Document = Mapping[str, Any]

_SHORT_JSON = 72
"""Longest JSON that is shown on one line, characters."""

_CODE = re.compile(r"`([^`]+)`")
_JSON_TOKEN = re.compile(r'(?P<name>"(?:\\.|[^"\\])*"(?=:))|(?P<string>"(?:\\.|[^"\\])*")|(?P<word>[-+.\w]+)')

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "html"), autoescape=True, undefined=StrictUndefined
)


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a table of fields.

    Attributes:
        path: where it is, ``data.channel`` say.
        title: what it is called, where its place alone does not say it.
        kind: its type, or the one value it has.
        is_required: whether it is always there.
        description: what it holds.
    """

    path: str
    title: str
    kind: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as the page shows it: in one direction.

    Attributes:
        anchor: its id within the page.
        message: it, in the document.
        fields: what it consists of.
        replies: anchors and titles of the messages that may answer it.
    """

    anchor: str
    message: Mapping[str, Any]
    fields: list[Field]
    replies: list[tuple[str, str]]


def realtime_page(document: Document) -> str:
    """The page, as HTML.

    Args:
        document: made by ``skubber.web.asyncapi``.
    """
    return _environment.get_template("realtime.html").render(document=document, sides=list(sides(document)))


def sides(document: Document) -> Iterator[dict[str, Any]]:
    """What there is to show of each client protocol, the document's references resolved.

    Args:
        document: made by ``skubber.web.asyncapi``.
    """
    for name, channel in document["channels"].items():
        trait = document["components"]["operationTraits"][name]
        yield {
            "id": name,
            "channel": channel,
            "query": list(_fields(channel["bindings"]["ws"]["query"])),
            "security": [_resolved(document, each) for each in trait["security"]],
            "directions": [
                ("receive", "What clients send", list(_messages(document, name, "receive"))),
                ("send", "What clients receive", list(_messages(document, name, "send"))),
            ],
        }


def _messages(document: Document, channel: str, action: str) -> Iterator[MessageView]:
    for operation in document["operations"].values():
        if operation["action"] != action or operation["channel"]["$ref"] != f"#/channels/{channel}":
            continue
        (reference,) = operation["messages"]
        message = _resolved(document, reference)
        replies = [_resolved(document, each) for each in operation.get("reply", {}).get("messages", ())]
        yield MessageView(
            _anchor(channel, action, message),
            message,
            list(_fields(message["payload"])),
            [(_anchor(channel, "send", reply), reply["title"]) for reply in replies],
        )


def _anchor(channel: str, action: str, message: Mapping[str, Any]) -> str:
    return f"{channel}-{action}-{message['name']}"


def _resolved(document: Document, reference: Mapping[str, str]) -> Any:
    found: Any = document
    for step in reference["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def _fields(schema: Mapping[str, Any], prefix: str = "") -> Iterator[Field]:
    """The members of an object, those of the objects within behind each."""
    for name, member in schema.get("properties", {}).items():
        yield from _field(member, f"{prefix}{name}", is_required=name in schema.get("required", ()))


def _field(schema: Mapping[str, Any], path: str, *, is_required: bool) -> Iterator[Field]:
    yield Field(path, schema.get("title", ""), _kind(schema), is_required, schema.get("description", ""))
    yield from _fields(schema, f"{path}.")
    yield from _fields(schema.get("contentSchema", {}), f"{path}.")
    items = schema.get("items", {})
    if isinstance(items, list):
        for position, item in enumerate(items):
            yield from _field(item, f"{path}[{position}]", is_required=position < schema["minItems"])
    else:
        yield from _fields(items, f"{path}[].")


def _kind(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return msgspec.json.encode(schema["const"]).decode()
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "contentSchema" in schema:
        return "string of JSON"
    kind = schema.get("type", "any JSON")
    return kind if isinstance(kind, str) else " or ".join(kind)


def _prose(text: str) -> Markup:
    """Text, in which backquotes mark code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just here


def _json(value: Any) -> Markup:
    """JSON to read, its names and values marked for the style sheet."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    if len(text) <= _SHORT_JSON:
        text = msgspec.json.format(text, indent=0)
    pieces, position = [], 0
    for token in _JSON_TOKEN.finditer(text):
        pieces += [
            escape(text[position : token.start()]),
            Markup('<span class="{}">{}</span>').format(token.lastgroup, token[0]),
        ]
        position = token.end()
    return Markup().join([*pieces, escape(text[position:])])


_environment.filters.update(prose=_prose, json=_json)
