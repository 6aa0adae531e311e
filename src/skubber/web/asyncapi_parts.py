"""What the AsyncAPI document is made of: for each client protocol the way in, and the messages both ways."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from skubber.codecs import signing

SOCKET_ID = "1234.5678"
"""The connection of the examples."""

Schema = dict[str, Any]
"""A JSON Schema (draft 7, with ``contentSchema`` of 2019-09 for strings that hold JSON)."""


@dataclass(frozen=True, slots=True)
class MessageExample:
    """One example: a line that says what it shows, and the message as JSON."""

    summary: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Message:
    """One kind of message.

    Attributes:
        id: its key in the document.
        title: what a heading says.
        summary: what it is for.
        payload: its schema.
        examples: at least one.
        replies: ids of the messages that may answer it.
    """

    id: str
    title: str
    summary: str
    payload: Schema
    examples: tuple[MessageExample, ...]
    replies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One way in which a connection or a call may fail."""

    code: int | str
    meaning: str


@dataclass(frozen=True, slots=True)
class Side:
    """One client protocol.

    Attributes:
        id: its key in the document.
        title: its name.
        address: the path, with ``{variables}``.
        description: paragraphs of text, in which backquotes mark code.
        parameters: what the path's variables stand for, by name.
        query: the query's parameters, an object's schema.
        security: names of the security schemes, any of which will do.
        to_server: what clients send.
        to_client: what the server sends.
        errors: how it may fail.
        errors_title: what the list of these is called.
    """

    id: str
    title: str
    address: str
    description: str
    query: Schema
    security: tuple[str, ...]
    to_server: tuple[Message, ...]
    to_client: tuple[Message, ...]
    errors: tuple[ErrorCode, ...]
    errors_title: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def messages(self) -> Iterable[Message]:
        """All messages, those that go both ways once."""
        return {message.id: message for message in (*self.to_server, *self.to_client)}.values()


def record(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """The schema of an object, whose reader ignores further members."""
    schema: Schema = {"type": "object", "properties": {**required, **(optional or {})}}
    return {**schema, "required": list(required)} if required else schema


def text(description: str, **keywords: Any) -> Schema:
    """The schema of a string."""
    return {"type": "string", "description": description, **keywords}


def number(description: str) -> Schema:
    """The schema of an integer."""
    return {"type": "integer", "description": description}


def json_text(content: Schema, description: str) -> Schema:
    """The schema of a string that holds JSON."""
    return text(description, contentMediaType="application/json", contentSchema=content)


def anything(description: str) -> Schema:
    """The schema of any JSON value."""
    return {"description": description}


def signed(signed_text: bytes) -> str:
    """An authorization for the examples, as a back end makes it; ``skubber.codecs.signing`` has the text to sign."""
    return f"YOUR_KEY:{signing.sign('YOUR_SECRET', signed_text)}"
