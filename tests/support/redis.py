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
        options: more options of it, by name and value in turn.
        certificate: PEM files of a certificate and its key: it speaks TLS only then.
        directory: where it keeps what it must have in files.
        password: the one that ``options`` ask for.
    """

    def __init__(
        self,
        *options: str,
        certificate: tuple[Path, Path] | None = None,
        directory: str | Path | None = None,
        password: str | None = None,
    ) -> None:
        self.port = free_port()
        self.directory = directory or tempfile.gettempdir()
        self._options = list(options)
        self._certificate = certificate
        self._password = password
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *self._options]
        if self._certificate is None:
            options += ["--port", str(self.port)]
        else:
            certificate, key = map(str, self._certificate)
            options += ["--port", "0", "--tls-port", str(self.port), "--tls-cert-file", certificate]
            options += ["--tls-key-file", key, "--tls-ca-cert-file", certificate, "--tls-auth-clients", "no"]
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
        if self._certificate is None:
            return redis.Redis(port=self.port, password=self._password)
        return redis.Redis(port=self.port, password=self._password, ssl=True, ssl_ca_certs=str(self._certificate[0]))

    def empty(self) -> None:
        """Forget everything."""
        with self.client() as client:
            client.flushall()

    def kill(self) -> None:
        """Kill it, and everything it knows."""
        self._process.kill()
        self._process.wait(20)
