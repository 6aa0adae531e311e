"""A server as a child process, started the way other programs start it."""

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from support.ports import free_port

EXECUTABLE = Path(sys.executable).parent / "skubber"

# Digits, as Pusher has them: its Python SDK takes no other ids.
APP_ID, KEY, SECRET = "4711", "mps_" + "k" * 32, "s" * 48
OTHER_ID, OTHER_KEY, OTHER_SECRET = "other", "mps_" + "o" * 32, "t" * 48


class Endpoint(Protocol):
    """Where clients connect: a server, or what stands in front of several."""

    @property
    def port(self) -> int: ...

    @property
    def is_tls(self) -> bool: ...

    @property
    def certificate(self) -> Path | None: ...

    @property
    def url(self) -> str: ...

    @property
    def websocket_url(self) -> str: ...


class Server:
    """``skubber serve`` on a free port, with two apps or, as for a newcomer, with the demo app it makes up."""

    def __init__(
        self,
        log: Path,
        *flags: str,
        certificate: Path | None = None,
        working_directory: Path | None = None,
        is_demo: bool = False,
        environment: Mapping[str, str] = MappingProxyType({}),
    ):
        self.port = free_port()
        self.is_tls = certificate is not None
        self.certificate = certificate
        self._log = log
        self.flags = flags
        self._is_demo = is_demo
        self._environment = environment
        self._directory = working_directory or log.parent
        self._process: subprocess.Popen[bytes]
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"{'wss' if self.is_tls else 'ws'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text()

    def start(self) -> None:
        apps = [] if self._is_demo else [f"{APP_ID}:{KEY}:{SECRET}", f"{OTHER_ID}:{OTHER_KEY}:{OTHER_SECRET}"]
        flags = [flag for app in apps for flag in ("--app", app)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._directory), **self._environment}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [EXECUTABLE, "serve", "--port", str(self.port), *flags, *self.flags],
                cwd=self._directory,
                env=environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 20
        while not self._is_ready():
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        context = ssl._create_unverified_context() if self.is_tls else None
        try:
            with urllib.request.urlopen(f"{self.url}/ready", timeout=5, context=context) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait_for_log(self, text: str) -> None:
        """Wait until the log says something."""
        deadline = time.monotonic() + 10
        while text not in self.log:
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def wait(self) -> None:
        self._process.wait(20)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def exit_status(self) -> int:
        """Wait for its end; returns its exit status, negative for a signal."""
        return self._process.wait(20)

    def stop(self) -> None:
        """Stop it, and see that nothing went wrong that nobody was told of."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self.wait()
        assert "Traceback" not in self.log, self.log


NewServer = Callable[..., Server]
"""Starts a server with more flags."""
