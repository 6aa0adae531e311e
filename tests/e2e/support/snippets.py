"""What the console gives people to copy, and how they run it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from conftest import require

from .javascript import CLIENTS
from .server import APP_ID, KEY, SECRET, Server

CONSOLE = Path(__file__).parents[3] / "console"
PATIENCE = 60
"""Seconds in which even a machine with much else to do has run a snippet."""


@dataclass(frozen=True)
class Snippets:
    """The texts by the ids of their tabs."""

    app: dict[str, str]
    webhooks: dict[str, str]


def snippets_for(
    server: Server, app_id: str = APP_ID, key: str = KEY, secret: str | None = SECRET, host: str = "127.0.0.1"
) -> Snippets:
    """The snippets as a page of the server's shows them."""
    require("The console's snippets", "node")
    source = {
        "appId": app_id,
        "key": key,
        "secret": secret,
        "host": host,
        "port": server.port,
        "isTls": server.is_tls,
    }
    printed = subprocess.run(
        ["node", CONSOLE / "scripts/print_snippets.mjs", json.dumps(source)],
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    lists = json.loads(printed.stdout)
    return Snippets(*({each["id"]: each["text"] for each in lists[name]} for name in ("app", "webhooks")))


class Snippet:
    """A file with a snippet, in a directory where the packages that it names are installed."""

    def __init__(self, directory: Path, text: str, suffix: str, server: Server | None = None) -> None:
        (directory / "node_modules").symlink_to(CLIENTS / "node_modules")
        self._file = directory / f"snippet{suffix}"
        self._file.write_text(text)
        self._command = {".mjs": [shutil.which("node") or "node"], ".py": [sys.executable], ".sh": ["sh"]}[suffix]
        self._environment = dict(os.environ)
        if server is not None and server.certificate is not None:
            # What a certificate that a public authority has signed would need nobody to say.
            names = ("NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
            self._environment |= dict.fromkeys(names, str(server.certificate))

    async def run(self) -> None:
        """Run it to its end, which must be a good one."""
        program = await asyncio.create_subprocess_exec(
            *self._command,
            self._file,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(program.communicate(), PATIENCE)
        assert program.returncode == 0, output.decode()

    @asynccontextmanager
    async def running(self, *flags: str, **environment: str) -> AsyncIterator[asyncio.StreamReader]:
        """Start it, with flags for its interpreter; gives what it prints. It is stopped with the context."""
        program = await asyncio.create_subprocess_exec(
            *self._command, *flags, self._file, env=self._environment | environment, stdout=asyncio.subprocess.PIPE
        )
        assert program.stdout is not None
        try:
            yield program.stdout
        finally:
            program.kill()
            await program.communicate()
