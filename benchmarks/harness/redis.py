"""A Redis as a child process: what connects several servers."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import redis
from benchmarks.harness.server import free_port

_STARTING_SECONDS = 20


class RedisProcess:
    """A Redis on a free port that keeps nothing on disk; a context manager that ends it.

    Raises:
        RuntimeError: there is no ``redis-server``, or it does not answer.
    """

    def __init__(self) -> None:
        executable = shutil.which("redis-server")
        if executable is None:
            raise RuntimeError("There is no redis-server on this machine: install it, or leave out the workload.")
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen(
            (executable, *options), cwd=Path(tempfile.gettempdir()), stdout=subprocess.DEVNULL
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self._stop()
            raise

    def __enter__(self) -> "RedisProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _STARTING_SECONDS
        with redis.Redis.from_url(self.url) as client:
            while time.monotonic() < deadline and self._process.poll() is None:
                try:
                    client.ping()
                except redis.ConnectionError:
                    time.sleep(0.02)
                else:
                    return
        raise RuntimeError("The redis-server does not answer.")

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()
