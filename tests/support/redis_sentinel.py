"""A Redis with a replica and three Sentinels of the tests' own."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import redis

from .ports import free_port
from .redis import RedisServer

SERVICE, PASSWORD, SENTINEL_PASSWORD = "pushes", "pass@word", "watch/word"


class WatchedRedis:
    """A primary and a replica that takes over within two or three seconds when it is killed.

    Args:
        directory: where the Sentinels write down what they know.
        certificate: PEM files of a certificate and its key: all of them speak TLS only then.
    """

    def __init__(self, directory: Path, certificate: tuple[Path, Path] | None = None) -> None:
        self._certificate = certificate
        options = ["--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"]
        if certificate is not None:
            options += ["--tls-replication", "yes"]
        self.primary = RedisServer(*options, password=PASSWORD, certificate=certificate)
        self.replica = RedisServer(
            *options, "--replicaof", f"127.0.0.1 {self.primary.port}", password=PASSWORD, certificate=certificate
        )
        self._sentinel_ports = [free_port() for _ in range(3)]
        self._sentinels = [self._watch(directory / f"{port}.conf", port) for port in self._sentinel_ports]
        _wait_for(self._is_watched)

    @property
    def hosts(self) -> str:
        """The Sentinels' hosts, as in a URL."""
        return ",".join(f"127.0.0.1:{port}" for port in self._sentinel_ports)

    def wait_for_replica(self) -> None:
        """Wait until the replica has everything that the primary has now."""
        with self.primary.client() as client:
            assert client.execute_command("WAIT", 1, 10_000) == 1

    def stop(self) -> None:
        """Kill all of it."""
        for process in self._sentinels:
            process.kill()
            process.wait(20)
        for server in (self.primary, self.replica):
            server.kill()

    def _watch(self, configuration: Path, port: int) -> subprocess.Popen[bytes]:
        lines = [
            f"port {port}",
            "bind 127.0.0.1",
            f"requirepass {SENTINEL_PASSWORD}",
            f"sentinel sentinel-pass {SENTINEL_PASSWORD}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {self.primary.port} 2",
            f"sentinel auth-pass {SERVICE} {PASSWORD}",
            f"sentinel down-after-milliseconds {SERVICE} 300",
            f"sentinel failover-timeout {SERVICE} 2000",
        ]
        if self._certificate is not None:
            certificate, key = self._certificate
            lines[0] = f"port 0\ntls-port {port}\ntls-cert-file {certificate}\ntls-key-file {key}"
            lines += [f"tls-ca-cert-file {certificate}", "tls-auth-clients no", "tls-replication yes"]
        configuration.write_text("\n".join(lines) + "\n")
        return subprocess.Popen(
            ["redis-server", str(configuration), "--sentinel"],
            cwd=configuration.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def sentinel_clients(self) -> list[redis.Redis]:
        """A client of each Sentinel."""
        certificate = None if self._certificate is None else str(self._certificate[0])
        return [
            redis.Redis(port=port, password=SENTINEL_PASSWORD, ssl=certificate is not None, ssl_ca_certs=certificate)
            for port in self._sentinel_ports
        ]

    def _is_watched(self) -> bool:
        """Whether every Sentinel knows the others and the replica."""
        for client in self.sentinel_clients():
            with client:
                try:
                    state = cast("dict[str, Any]", client.sentinel_master(SERVICE))
                except redis.RedisError:
                    return False
                if (state["num-other-sentinels"], state["num-slaves"]) != (2, 1):
                    return False
        return True


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
