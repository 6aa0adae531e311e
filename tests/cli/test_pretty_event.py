"""Events as a person reads them."""

import json
from datetime import UTC, datetime

import pytest

from skubber.cli.pretty_event import pretty, visible

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def shown(event: str = "created", channel: str = "orders", **fields: object) -> str:
    return pretty(channel, {"event": event, **fields}, AT).plain


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ('{"id":7,"name":"ü"}', '  {"id": 7, "name": "ü"}'),
        ("just text", "  just text"),
        ("two\nlines", "\ntwo\nlines"),
        ("7", "  7"),
        ("", ""),
        ("null", ""),
        ({"not": "a string"}, '  {"not": "a string"}'),
    ],
)
def test_short_data_stands_beside_the_event(data: object, text: str) -> None:
    assert shown(data=data) == f"03:04:05  orders  created{text}"


def test_long_data_stands_below_it_in_lines() -> None:
    data = {"items": [{"number": number, "name": "a thing"} for number in range(4)]}
    head, _, below = shown(data=json.dumps(data)).partition("\n")
    assert head == "03:04:05  orders  created"
    assert json.loads(below) == data
    assert below.count("\n") > 4


def test_data_is_coloured_by_kind() -> None:
    styles = {str(span.style) for span in pretty("c", {"event": "e", "data": '{"id":7,"ok":true}'}, AT).spans}
    assert {"json.key", "json.number", "json.bool_true"} <= styles


def test_who_sent_a_client_event_is_told() -> None:
    assert shown("client-typing", data="{}", user_id="ann") == "03:04:05  orders  client-typing from ann  {}"


def test_members_come_and_go() -> None:
    joined = shown("pusher_internal:member_added", data='{"user_id":"ann","user_info":{"name":"Ann"}}')
    assert joined == '03:04:05  orders  joined ann  {"name": "Ann"}'
    assert shown("pusher_internal:member_removed", data='{"user_id":"ann"}') == "03:04:05  orders  left ann"


@pytest.mark.parametrize("field", ["event", "channel", "data", "user_id"])
@pytest.mark.parametrize("command", ["\x1b[2J", "\x9b2J", "\x07", "\r", "\u202e", "\ud800"])
def test_nobody_can_command_the_terminal(field: str, command: str) -> None:
    text = shown(**{"event": "e", "data": "d", field: f"a{command}b"})
    assert command not in text
    text.encode()


def test_data_of_json_cannot_either() -> None:
    assert "\x9b" not in shown(data=json.dumps({"a\x9b2J": "\x9b2J"}))
    assert visible("ünï 😀\nx") == "ünï 😀\nx"
