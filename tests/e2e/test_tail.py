"""``skubber tail``: several channels, members, and a person who looks on."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.support.server import APP_ID, EXECUTABLE, KEY, SECRET, Server
from e2e.support.terminal import Terminal
from skubber.client import publish
from skubber.core.app import ApiKey, App

APP = App.with_keys(APP_ID, [ApiKey(KEY, SECRET)])


def command(server: Server, *arguments: str) -> list[str]:
    return [str(EXECUTABLE), "tail", *arguments, "--url", server.url, "--app", f"{APP_ID}:{KEY}:{SECRET}"]


@pytest.fixture
def tails() -> Iterator[list[subprocess.Popen[str]]]:
    """Commands that end with the test."""
    running: list[subprocess.Popen[str]] = []
    yield running
    for each in running:
        each.kill()
        each.communicate(timeout=20)


def listening(tails: list[subprocess.Popen[str]], words: list[str]) -> subprocess.Popen[str]:
    """A tail that has subscribed to everything. What a program reads is JSON, whatever colours people want."""
    tail = subprocess.Popen(
        words,
        env={"PATH": os.environ["PATH"], "FORCE_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    tails.append(tail)
    assert tail.stderr is not None
    assert tail.stderr.readline().startswith("Listening on ")
    return tail


def test_of_several_channels_each_line_says_which(server: Server, tails: list[subprocess.Popen[str]]) -> None:
    tail = listening(tails, command(server, "tail-a", "private-tail-b", "tail-a", "-n", "2", "--json"))
    publish(server.url, APP, ["tail-a"], "first", "1")
    publish(server.url, APP, ["private-tail-b"], "second", "2")
    output, _ = tail.communicate(timeout=60)
    assert [json.loads(line) for line in output.splitlines()] == [
        {"channel": "tail-a", "event": "first", "data": "1"},
        {"channel": "private-tail-b", "event": "second", "data": "2"},
    ]


def test_members_are_told_and_not_counted(server: Server, tails: list[subprocess.Popen[str]]) -> None:
    tail = listening(tails, command(server, "presence-tail-c", "-n", "1"))
    other = listening(tails, command(server, "presence-tail-c"))
    assert tail.stdout is not None
    joined = json.loads(tail.stdout.readline())
    assert joined["event"] == "pusher_internal:member_added"
    other.kill()
    left = json.loads(tail.stdout.readline())
    assert left["event"] == "pusher_internal:member_removed"
    assert json.loads(left["data"])["user_id"] == json.loads(joined["data"])["user_id"]
    publish(server.url, APP, ["presence-tail-c"], "last", "{}")
    output, _ = tail.communicate(timeout=60)
    assert json.loads(output)["event"] == "last"


def test_in_a_terminal_events_are_coloured_and_ctrl_c_ends_them(
    server: Server, tails: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    terminal = Terminal(command(server, "presence-tail-d"), tmp_path)
    terminal.wait_for("Listening on presence-tail-d; Ctrl-C ends.")
    publish(server.url, APP, ["presence-tail-d"], "created", '{"id":7}')
    terminal.wait_for('presence-tail-d  created  {"id": 7}')
    listening(tails, command(server, "presence-tail-d"))
    terminal.wait_for("presence-tail-d  joined skubber-tail-")
    assert terminal.interrupt() == 130
    assert "\x1b[" in terminal.written
    assert "Traceback" not in terminal.text


def test_json_is_json_in_a_terminal_too(server: Server, tmp_path: Path) -> None:
    terminal = Terminal(command(server, "tail-e", "--json"), tmp_path)
    terminal.wait_for("Listening on ")
    publish(server.url, APP, ["tail-e"], "created", '{"id":7}')
    terminal.wait_for(r'{"event": "created", "data": "{\"id\":7}"}')
    assert terminal.interrupt() == 130
