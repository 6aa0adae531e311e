"""The tutorial's commands, word for word, each in the terminal it belongs to.

What is put in: other ports than 5187 and 8000, which may be taken, and keys and secrets as a reader copies them.
"""

import asyncio
import contextlib
import itertools
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx
import pytest

from e2e.support.javascript import JavaScript
from support.ports import free_port

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text("utf-8")
PATIENCE = 30
"""Seconds until a terminal has to show something."""


@dataclass(frozen=True)
class Block:
    """A fenced block of the page.

    Attributes:
        language: ``sh`` for commands.
        terminal: the number of the terminal it belongs to.
        verb: ``shows`` before what the terminal shows then, ``press`` before keys, empty before commands.
        text: what it says.
    """

    language: str
    terminal: int
    verb: str
    text: str


BLOCKS = [
    Block(match[1], int(match[2]), match[3] or "", match[4])
    for match in re.finditer(r'^```(\w+) title="Terminal (\d):? ?(\w+)?"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
]
STEPS = list(itertools.pairwise([*BLOCKS, Block("", 0, "", "")]))
"""Each block, and the one that follows it."""


class Terminal:
    """A shell that does what is pasted into it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._position = 0
        self._changed = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())
        self.output = ""

    @classmethod
    async def open(cls, directory: Path, port: int) -> Self:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        process = await asyncio.create_subprocess_exec(
            "bash",
            cwd=directory,
            env={"PATH": path, "HOME": str(directory), "SKUBBER_PORT": str(port)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        return cls(process)

    async def close(self) -> None:
        """End the shell and what still runs in it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        await self._reader

    def paste(self, commands: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(commands.encode())

    def press_control_c(self) -> None:
        os.killpg(self._process.pid, signal.SIGINT)

    async def finish(self) -> None:
        """Wait until what was pasted is done; it has to have succeeded."""
        self.paste('echo "[status $?]"\n')
        assert (await self.shows(r"\[status (\d+)\]\n"))[1] == "0", self.output

    async def shows(self, pattern: str) -> re.Match[str]:
        """Wait for something to appear after what was waited for last."""
        expression = re.compile(pattern)
        async with self._changed:
            try:
                async with asyncio.timeout(PATIENCE):
                    while not (match := expression.search(self.output, self._position)):
                        await self._changed.wait()
            except TimeoutError:
                pytest.fail(f"It never showed {pattern!r}, but:\n{self.output}")
        self._position = match.end()
        return match

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(65_536):
            async with self._changed:
                self.output += data.decode()
                self._changed.notify_all()


class Reader:
    """Somebody who goes through the tutorial, in a directory without anything."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ports = {"5187": free_port(), "8000": free_port()}
        self._terminals: dict[int, Terminal] = {}
        self._copied: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._ports['5187']}"

    async def close(self) -> None:
        for terminal in self._terminals.values():
            await terminal.close()

    async def follow(self, block: Block, following: Block) -> None:
        """Do what a block says; what comes of it is in the following one, where that shows something."""
        if block.terminal not in self._terminals:
            self._terminals[block.terminal] = await Terminal.open(self._directory, self._ports["5187"])
        terminal = self._terminals[block.terminal]
        if block.verb == "shows":
            await terminal.shows(_pattern(block.text))
            await self._copy(terminal)
        elif block.verb == "press":
            assert block.text == "Ctrl-C\n"
            terminal.press_control_c()
        else:
            assert block.language == "sh"
            terminal.paste(self._filled_in(block.text))
            if following.verb != "shows":
                await terminal.finish()

    async def _copy(self, terminal: Terminal) -> None:
        """Take down the app that a terminal shows, if it does, and wait for it to be served."""
        shown = re.findall(r"app id  (\S+)\s+key     (\S+)\s+secret  (\S+)", terminal.output)
        if not shown or self._copied.get("app") == shown[-1][0]:
            return
        self._copied = dict(zip(("app", "KEY=mps_...", "SECRET=..."), shown[-1], strict=True))
        app, key, secret = shown[-1]
        headers = {"X-Api-Key": key, "X-Api-Secret": secret}
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(headers=headers) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.get(f"{self.url}/apps/{app}/channels")
                    if answer.status_code == 200:
                        return
                await asyncio.sleep(0.05)

    def _filled_in(self, commands: str) -> str:
        for name in ("KEY=mps_...", "SECRET=..."):
            if name in commands:
                commands = commands.replace(name, name.partition("=")[0] + "=" + self._copied[name])
        for port, taken in self._ports.items():
            commands = re.sub(rf"\b{port}\b", str(taken), commands)
        return commands


def _pattern(text: str) -> str:
    """What a block shows, as an expression: … stands for anything within a line."""
    return re.escape(text.rstrip("\n")).replace("…", ".+")


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    reader = Reader(tmp_path)
    yield reader
    await reader.close()


def test_every_block_belongs_to_a_terminal() -> None:
    assert len(BLOCKS) == len(re.findall(r"^```\w+", PAGE, re.MULTILINE)) >= 20


async def test_every_command_does_what_the_page_says(reader: Reader) -> None:
    for block, following in STEPS:
        await reader.follow(block, following)


async def test_the_first_event_appears_in_the_browser(
    reader: Reader, web_assets: None, quiet_browser: JavaScript
) -> None:
    first_publish = next(number for number, block in enumerate(BLOCKS) if "curl" in block.text)
    for block, following in STEPS[:first_publish]:
        await reader.follow(block, following)
    await quiet_browser.call("open", page="demo", url=f"{reader.url}/demo")
    selector = "#pusher-client .listening:has-text('Subscribed to my-channel')"
    await quiet_browser.call("wait_for", page="demo", selector=selector)
    await reader.follow(*STEPS[first_publish])
    await quiet_browser.call(
        "wait_for", page="demo", selector="#pusher-client .event-data:has-text('from the tutorial')"
    )
