"""``skubber stats --watch``, with a server that works and is restarted meanwhile."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.support.admin import admin_token
from e2e.support.server import APP_ID, EXECUTABLE, KEY, SECRET, NewServer, Server
from e2e.support.terminal import Terminal
from skubber.client import publish
from skubber.core.app import ApiKey, App

APP = App.with_keys(APP_ID, [ApiKey(KEY, SECRET)])


@pytest.fixture
def watched(new_server: NewServer, tmp_path: Path) -> tuple[Server, list[str]]:
    """A server, and the command that watches it."""
    token = admin_token(tmp_path, "read_only")
    server = new_server(working_directory=tmp_path)
    return server, [
        str(EXECUTABLE),
        *("stats", "--watch", "--interval", "0.2", "--url", server.url, "--token", token),
    ]


@pytest.fixture
def started(watched: tuple[Server, list[str]], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, where nobody sits at a terminal."""
    process = subprocess.Popen(
        watched[1], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    yield process
    process.kill()
    process.communicate(timeout=20)


def lines_until(process: subprocess.Popen[str], pattern: str) -> str:
    """Read what it prints until a line matches, and return that one."""
    assert process.stdout is not None
    for line in process.stdout:
        if re.search(pattern, line):
            return line
    raise AssertionError(pattern)


def test_a_table_follows_the_other_where_nobody_watches_and_ctrl_c_ends_them(
    watched: tuple[Server, list[str]], started: subprocess.Popen[str]
) -> None:
    server, _ = watched
    assert re.split(" {2,}", lines_until(started, "^APP").strip())[-1] == "MESSAGES/S"
    assert lines_until(started, f"^{APP_ID}").split()[-2:] == ["0", "-"]
    publish(server.url, APP, ["c"], "e", "{}")
    rate = lines_until(started, rf"^{APP_ID} .* 1 +[1-9][0-9]*\.[0-9]$|^{APP_ID} .* 1 +0\.[1-9]$").split()[-1]
    assert float(rate) > 0
    lines_until(started, rf"^{APP_ID} .* 1 +0\.0$")
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate(timeout=20)
    assert (started.returncode, errors) == (130, "")


def test_a_server_that_restarts_is_waited_for(
    watched: tuple[Server, list[str]], started: subprocess.Popen[str]
) -> None:
    server, _ = watched
    lines_until(started, f"^{APP_ID}")
    server.stop()
    assert started.stderr is not None
    assert "Cannot reach" in started.stderr.readline()
    server.start()
    lines_until(started, f"^{APP_ID}")
    assert started.poll() is None


def test_it_ends_after_as_many_looks_as_are_wanted_with_json_too(
    watched: tuple[Server, list[str]], tmp_path: Path
) -> None:
    result = subprocess.run(
        [*watched[1], "-n", "2", "--json"], cwd=tmp_path, capture_output=True, check=True, timeout=60
    )
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["apps"][0]["appId"] for line in lines] == [APP_ID, APP_ID]


def test_without_a_token_the_database_is_watched(new_server: NewServer, tmp_path: Path) -> None:
    new_server(working_directory=tmp_path)
    result = subprocess.run(
        [EXECUTABLE, "stats", "--watch", "--interval", "0.1", "-n", "1"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert re.split(" {2,}", result.stdout.splitlines()[1])[-1] == "DELIVERED/S"


def test_a_server_that_was_never_there_ends_it(tmp_path: Path) -> None:
    result = subprocess.run(
        [EXECUTABLE, "stats", "--watch", "--token", "t", "--url", "http://127.0.0.1:1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, result.stderr.startswith("skubber: Cannot reach")) == (2, True)


def test_in_a_terminal_one_table_stays_in_its_place(watched: tuple[Server, list[str]], tmp_path: Path) -> None:
    terminal = Terminal(watched[1], tmp_path)
    terminal.wait_for("Ctrl-C ends.")
    terminal.wait_for("0.0")
    assert terminal.interrupt() == 130
    assert "\x1b[" in terminal.written
    assert "MESSAGES/S" in terminal.text
    assert "Traceback" not in terminal.text
