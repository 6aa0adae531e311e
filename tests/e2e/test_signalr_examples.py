"""The programs under ``examples``, each as its readme says to run it, before and after a restart of the server."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import websockets

from conftest import require
from e2e.support.api import with_headers
from e2e.support.javascript import CLIENTS
from e2e.support.server import KEY, SECRET, NewServer, Server

EXAMPLES = Path(__file__).parents[2] / "examples"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SEPARATOR = "\x1e"
DATA = '{"orderId": 42}'


class Program:
    """One of the examples, running in a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._lines: list[str] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, server: Server, directory: Path, *command: str) -> AsyncIterator["Program"]:
        environment = {
            **os.environ,
            "SKUBBER_URL": server.url,
            "SKUBBER_KEY": KEY,
            "SKUBBER_SECRET": SECRET,
            "SKUBBER_CHANNEL": "orders",
        }
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=directory,
            env=environment,
            start_new_session=True,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            yield cls(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def says(self, text: str, seconds: float = 60) -> None:
        """Wait for a line that it prints."""
        assert self._process.stdout is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for line in self._process.stdout:
                    self._lines.append(COLOUR.sub("", line.decode()).rstrip())
                    if self._lines[-1] == text:
                        return
        pytest.fail("\n".join([f"It never said {text!r}, but:", *self._lines]))


async def receives_before_and_after_a_restart(server: Server, program: Program) -> None:
    """See that a program shows what is published, and finds its way back to a server that was away."""
    for number in range(2):
        await program.says("Listening on orders")
        event = {"name": f"order-shipped-{number}", "channel": "orders", "data": DATA}
        assert with_headers(server, "POST", "/events", event).text == "{}"
        await program.says(f"orders order-shipped-{number} {DATA}")
        if number == 0:
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)


def copied(language: str, directory: Path) -> Path:
    """A copy of an example: what it needs and makes stays out of the tree."""
    return Path(shutil.copytree(EXAMPLES / language, directory / language))


async def test_the_javascript_example(new_server: NewServer, tmp_path: Path, node: None) -> None:
    directory = copied("javascript", tmp_path)
    (directory / "node_modules").symlink_to(CLIENTS / "node_modules")
    server = new_server()
    async with Program.running(server, directory, "node", "listen.mjs") as program:
        await receives_before_and_after_a_restart(server, program)


async def test_the_python_example(new_server: NewServer) -> None:
    server = new_server()
    async with Program.running(server, EXAMPLES / "python", sys.executable, "listen.py") as program:
        await receives_before_and_after_a_restart(server, program)


@pytest.mark.timeout(300)  # where Maven has never run it fetches itself first
async def test_the_java_example(new_server: NewServer, tmp_path: Path) -> None:
    require("The Java example", "mvn", "javac")
    directory = copied("java", tmp_path)
    server = new_server()
    async with Program.running(server, directory, "mvn", "-q", "compile", "exec:java") as program:
        await receives_before_and_after_a_restart(server, program)


@pytest.mark.parametrize(
    ("language", "program"),
    [
        ("js", "javascript/listen.mjs"),
        ("csharp", "csharp/Program.cs"),
        ("java", "java/src/main/java/Listen.java"),
        ("python", "python/listen.py"),
    ],
)
def test_what_the_readme_shows_is_in_the_example(language: str, program: str) -> None:
    readme = (EXAMPLES.parent / "README.md").read_text("utf-8")
    section = readme.partition("\n## Listen with SignalR\n")[2].partition("\n## ")[0]
    (shown,) = re.findall(rf"```{language}\n(.+?)```", section, re.DOTALL)
    lines = [line.strip() for line in (EXAMPLES / program).read_text("utf-8").splitlines()]
    for line in filter(None, shown.splitlines()):
        position = lines.index(line.strip())  # in the same order
        lines = lines[position + 1 :]


async def test_the_csharp_example_as_microsofts_client_for_dotnet_talks(server: Server) -> None:
    """There is no .NET here: these are the requests that its HTTP client and its SignalR client make."""
    program = (EXAMPLES / "csharp/Program.cs").read_text("utf-8")
    values = {"KEY": KEY, "SECRET": SECRET}
    credentials = {
        name: values[variable] for name, variable in re.findall(r'(\w+) = Env\S+\("SKUBBER_(KEY|SECRET)"\)', program)
    }
    (token_path, hub_path) = re.findall(r'\$"{url}(.+?)"', program)
    token = post_as_json(server, token_path, credentials)["token"]

    authorization = {"Authorization": f"Bearer {token}"}
    connection = post_nothing(server, f"{hub_path}/negotiate?negotiateVersion=1", authorization)
    url = f"{server.websocket_url}{hub_path}?id={connection['connectionToken']}"
    async with websockets.connect(url, additional_headers=authorization, proxy=None) as hub:
        await hub.send('{"protocol":"json","version":1}' + SEPARATOR)
        assert await hub.recv() == "{}" + SEPARATOR
        target = re.search(r'InvokeAsync\("(\w+)", channel\)', program)
        assert target is not None
        subscribe = {"type": 1, "invocationId": "1", "target": target[1], "arguments": ["csharp"]}
        await hub.send(json.dumps(subscribe) + SEPARATOR)
        received = records(hub)
        assert (await anext(received))["target"] == "SubscriptionSucceeded"
        assert await anext(received) == {"type": 3, "invocationId": "1", "result": {"channel": "csharp"}}
        with_headers(server, "POST", "/events", {"name": "order-shipped", "channel": "csharp", "data": DATA})
        delivery = await anext(received)
    assert f'connection.On<Delivery>("{delivery["target"]}"' in program
    assert delivery["arguments"] == [{"event": "order-shipped", "channel": "csharp", "data": DATA}]
    members = re.search(r"record Delivery\((.+)\);", program)
    assert members is not None
    # System.Text.Json finds members by name, without regard to case.
    assert {name.lower() for name in re.findall(r"\w+ (\w+)", members[1])} == delivery["arguments"][0].keys()


async def records(hub: websockets.ClientConnection) -> AsyncIterator[dict[str, Any]]:
    """The hub messages that come."""
    async for frame in hub:
        assert isinstance(frame, str)
        for record in frame.split(SEPARATOR)[:-1]:
            yield json.loads(record)


def post_as_json(server: Server, path: str, body: dict[str, str]) -> Any:
    """What HttpClient.PostAsJsonAsync puts on the wire; head and body leave separately."""
    text = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nTransfer-Encoding: chunked\r\n"
    head += "Content-Type: application/json; charset=utf-8\r\n\r\n"
    return exchange(server, head.encode(), b"%x\r\n%b\r\n0\r\n\r\n" % (len(text), text))


def post_nothing(server: Server, path: str, headers: dict[str, str]) -> Any:
    """How the SignalR client for .NET negotiates."""
    lines = {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": "Microsoft SignalR/8.0 (8.0.11; Linux; .NET; .NET 8.0.11)",
        "X-Requested-With": "XMLHttpRequest",
        **headers,
        "Content-Length": "0",
    }
    head = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    return exchange(server, head.encode())


def exchange(server: Server, *pieces: bytes) -> Any:
    """Send a request in pieces; the JSON of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        for piece in pieces:
            connection.sendall(piece)
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = response.read()
        assert response.status == 200, body
        return json.loads(body)
