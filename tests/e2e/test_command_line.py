"""The ``skubber`` command."""

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from e2e.support.server import APP_ID, EXECUTABLE, KEY, SECRET, NewServer, Server
from support.ports import free_port

APP = f"{APP_ID}:{KEY}:{SECRET}"


def run(*arguments: str, directory: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}
    return subprocess.run(
        [EXECUTABLE, *arguments], cwd=directory, env=environment, input=text, capture_output=True, text=True, timeout=30
    )


def test_new_keys_look_as_documented(tmp_path: Path) -> None:
    first, second = (run("keys", "new", directory=tmp_path).stdout for _ in "12")
    assert re.fullmatch(r'key = "mps_[A-Za-z0-9]{32}"\nsecret = "[A-Za-z0-9]{48}"\n', first)
    assert first != second


@pytest.mark.parametrize("channel", ["tailed", "private-tailed", "presence-tailed"])
async def test_tail_prints_what_trigger_publishes(server: Server, tmp_path: Path, channel: str) -> None:
    tail = await asyncio.create_subprocess_exec(
        EXECUTABLE,
        *("tail", channel, "-n", "2", "--url", server.url, "--app", APP),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert tail.stderr is not None
    assert (await tail.stderr.readline()).startswith(b"Listening on " + channel.encode())
    trigger = ("trigger", channel, "--url", server.url, "--app", APP)
    assert run(*trigger, "first", '{"a":"ü"}', directory=tmp_path).stdout == "{}\n"
    assert run(*trigger, "second", "-", directory=tmp_path, text="from stdin").stdout == "{}\n"
    output, _ = await asyncio.wait_for(tail.communicate(), 10)
    assert [json.loads(line) for line in output.splitlines()] == [
        {"event": "first", "data": '{"a":"ü"}'},
        {"event": "second", "data": "from stdin"},
    ]


@pytest.mark.parametrize(("flags", "files"), [((), {"skubber.db", "skubber.key"}), (("--set", "database="), set())])
def test_the_server_writes_nothing_to_disk_but_its_database(
    new_server: NewServer, tmp_path: Path, flags: tuple[str, ...], files: set[str]
) -> None:
    directory = tmp_path / "empty"
    directory.mkdir()
    server = new_server(*flags, working_directory=directory)
    run("trigger", "c", "e", "--url", server.url, "--app", APP, directory=directory)
    server.stop()
    assert {file.name for file in directory.rglob("*")} == files


def test_the_printed_curl_line_of_the_demo_app_works(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [EXECUTABLE, "serve", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    while "Uvicorn running" not in (line := process.stderr.readline()):
        assert line
    banner = ""
    while "API documentation" not in banner:
        banner += process.stdout.readline()
    curl = banner[banner.index("curl ") : banner.index("API documentation")]
    answer = subprocess.run(["sh", "-c", curl], capture_output=True, text=True, timeout=10)
    assert answer.stdout == "{}"
    process.terminate()
    process.communicate(timeout=20)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("serve", "--app", "only-an-id"), "Give apps as ID:KEY:SECRET"),
        (("serve", "--app", "a:k:s", "--app", "a:k2:s"), "Two apps have the id"),
        (("serve", "--app", "a:k:s", "--app", "b:k:s"), "Two apps have the key"),
        (("serve", "--set", "colour=blue"), "colour"),
        (("serve", "--port", "70000"), "port"),
        (("serve", "--set", "port=70000"), "port"),
        (("serve", "--app", "a:k:s\udcff"), "UTF-8"),
        (("trigger", "c", "e", "data\udcff", "--app", "a:k:s"), "UTF-8"),
        (("serve", "--config", "missing.toml"), "Cannot read missing.toml"),
        (("serve", "--tls-key", "key.pem"), "together"),
        (("serve", "--tls-key", "key.pem", "--tls-certificate", "cert.pem"), "Cannot use the certificate"),
        (("trigger", "c", "e"), "Say which app"),
        (("trigger", "c", "e", "--app", "a:k:s", "--url", "http://127.0.0.1:1"), "Cannot reach"),
        (("tail", "c", "--app", "a:k:s", "--url", "http://127.0.0.1:1"), "ended"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run(*arguments, directory=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
