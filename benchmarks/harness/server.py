"""Servers as child processes, each on a core of its own."""

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from benchmarks.harness.process import Process

STARTING_SECONDS = 20


class ServerProcess:
    """A server started for the benchmark; a context manager that ends it.

    Args:
        command: what starts it.
        url: where it will listen, ``http://host:port`` or ``https://host:port``.
        core: the core to stay on, if any.
        log: the file its output goes to.

    Raises:
        RuntimeError: it does not listen after 20 s; with what it logged.
    """

    def __init__(self, command: Sequence[str | Path], url: str, core: int | None, log: Path) -> None:
        self.url = url
        self._log = log
        self._name = " ".join(Path(word).name for word in command[:2])
        # No SKUBBER_ variables: the benchmark measures defaults, whatever the shell has set.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SKUBBER_")}
        with log.open("wb") as output:
            self._child = subprocess.Popen(command, cwd=log.parent, env=environment, stdout=output, stderr=output)
        if core is not None:
            os.sched_setaffinity(self._child.pid, {core})
        self.process = Process(self._child.pid)
        try:
            self._wait_until_listening()
        except RuntimeError:
            self._stop()
            raise

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()
        if error is not None:
            error.add_note(f"{self._name} logged:\n{self._log.read_text()[-2000:]}")

    def _wait_until_listening(self) -> None:
        address = urlsplit(self.url)
        deadline = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < deadline and self._child.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex((address.hostname, address.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"The server did not start:\n{self._log.read_text()}")

    def _stop(self) -> None:
        # Killed: nobody is left to say goodbye to, and tens of thousands of goodbyes take their time.
        self._child.kill()
        self._child.wait()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
