"""A Redis server of the tests' own, on a free port, gone when they are over."""

import subprocess
import tempfile
import time
from pathlib import Path

import redis

from .ports import free_port


class RedisServer:
    """A running server that keeps nothing on disk.

    Args:
        directory: where it keeps what it must have in files.
    """

    def __init__(self, *, directory: str | Path | None = None) -> None:
        self.port = free_port()
        self.directory = directory or tempfile.gettempdir()
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            ["redis-server", *options],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        with self.client() as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError:
                    assert self._process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
                else:
                    return

    def client(self) -> redis.Redis:
        """A client of it."""
        return redis.Redis(port=self.port)

    def empty(self) -> None:
        """Forget everything."""
        with self.client() as client:
            client.flushall()

    def kill(self) -> None:
        """Kill it, and everything it knows."""
        self._process.kill()
        self._process.wait(20)
