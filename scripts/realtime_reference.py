"""Writes docs/reference/realtime.md, from the AsyncAPI document.

python scripts/realtime_reference.py [--check] [FILE]
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from reference_page import fenced, table, write
from skubber.web.asyncapi import asyncapi_document
from skubber.web.asyncapi_page import MessageView, sides

_INTRODUCTION = """\
The same as AsyncAPI 3.0 is at `/docs/asyncapi.json` of a running server, and as a page at `/docs/realtime`."""


def body() -> Iterator[str]:
    """The page's paragraphs: for each protocol the way in, and the messages both ways."""
    document = asyncapi_document()
    yield document["info"]["description"]
    yield _INTRODUCTION
    for side in sides(document):
        yield from _side(side)


def _side(side: Mapping[str, Any]) -> Iterator[str]:
    channel = side["channel"]
    yield f"## {channel['title']} {{#{side['id']}}}"
    yield channel["description"]
    yield f"The address is `{channel['address']}`, over `wss://` or `ws://`."
    parameters = [
        (f"`{{{name}}}`", "path", parameter["description"]) for name, parameter in channel.get("parameters", {}).items()
    ]
    query = [
        (f"`{field.path}`", field.kind + (", required" if field.is_required else ""), field.description)
        for field in side["query"]
    ]
    yield table(("In the URL", "Type", "Meaning"), [*parameters, *query])
    yield f"Who may connect: {' Or: '.join(scheme['description'] for scheme in side['security'])}"
    for action, title, messages in side["directions"]:
        yield f"### {title} {{#{side['id']}-{action}}}"
        for view in messages:
            yield from _message(view)
    yield f"### {channel['x-errors']['title']} {{#{side['id']}-errors}}"
    errors = channel["x-errors"]["codes"]
    yield table(("Code", "Meaning"), [(f"`{error['code']}`", error["meaning"]) for error in errors])


def _message(view: MessageView) -> Iterator[str]:
    yield f"#### {view.message['title']} {{#{view.anchor}}}"
    yield view.message["summary"]
    if view.replies:
        yield f"Answered by {', '.join(f'[{title}](#{anchor})' for anchor, title in view.replies)}."
    if view.fields:
        rows = (
            (
                f"`{field.path}`" + (f" (`{field.title}`)" if field.title else ""),
                field.kind + ("" if field.is_required else ", optional"),
                field.description,
            )
            for field in view.fields
        )
        yield table(("Field", "Type", "Meaning"), rows)
    for example in view.message["examples"]:
        yield f"{example['summary']}:"
        yield fenced("json", msgspec.json.format(msgspec.json.encode(example["payload"]), indent=2).decode())


if __name__ == "__main__":
    write(__file__, "realtime.md", "Realtime API", body)
