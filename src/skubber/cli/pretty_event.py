"""An event as a person likes to read it in a terminal."""

import json
from datetime import datetime
from typing import Any

from rich.highlighter import JSONHighlighter
from rich.text import Text

from skubber.client import MEMBER_ADDED, MEMBER_REMOVED

_ONE_LINE = 60
"""Most characters of data that are written beside the event, and not below it."""

_MEMBERS = {MEMBER_ADDED: ("joined", "green"), MEMBER_REMOVED: ("left", "red")}

_highlighter = JSONHighlighter()


def pretty(channel: str, event: dict[str, Any], at: datetime) -> Text:
    """Time, channel, event and data, in colours.

    Args:
        channel: the channel.
        event: the event, as ``tail_channels`` has it.
        at: when it came.
    """
    name, data = event["event"], _parsed(event.get("data"))
    said, style = _MEMBERS.get(name, (name, "bold"))
    text = Text.assemble((f"{at:%H:%M:%S}", "dim"), "  ", (visible(channel), "cyan"), "  ", (visible(said), style))
    if name in _MEMBERS and isinstance(data, dict):
        text.append(f" {visible(str(data.get('user_id')))}", style)
        data = data.get("user_info")
    if "user_id" in event:
        text.append(f" from {visible(str(event['user_id']))}", "magenta")
    return text if data is None or data == "" else text.append_text(_shown(data))


def visible(text: str) -> str:
    """Text in which whatever is no letter to be seen is spelt out: anybody's events must not command the terminal."""
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode() for each in text
    )


def _parsed(data: object) -> Any:
    """What is in a string of JSON; what is none as it is."""
    if not isinstance(data, str):
        return data
    try:
        return json.loads(data)
    except ValueError:
        return data


def _shown(data: object) -> Text:
    if isinstance(data, str):
        shown = Text(visible(data))
    else:
        compact = json.dumps(data, ensure_ascii=False)
        is_long = len(compact) > _ONE_LINE
        shown = _highlighter(visible(json.dumps(data, ensure_ascii=False, indent=2) if is_long else compact))
    return Text("\n" if "\n" in shown.plain else "  ").append_text(shown)
