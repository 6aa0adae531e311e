"""A Redis with a replica and three Sentinels of the tests' own."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import redis

from .ports import free_port
from .redis import RedisServer

SERVICE, PASSWORD, SENTINEL_PASSWORD = "pushes", "pass@word", "watch/word"


class WatchedRedis:
    """A primary and a replica that takes over within two or three seconds when it is killed.

    Args:
        directory: where the Sentinels write down what they know.
    """

    def __init__(self, directory: Path) -> None:
        options = ["--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0"]
        self.primary = RedisServer(*options, password=PASSWORD)
        self.replica = RedisServer(*options, "--replicaof", f"127.0.0.1 {self.primary.port}", password=PASSWORD)
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
        configuration.write_text("\n".join(lines) + "\n")
        return subprocess.Popen(
            ["redis-server", str(configuration), "--sentinel"],
            cwd=configuration.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _is_watched(self) -> bool:
        """Whether every Sentinel knows the others and the replica."""
        for port in self._sentinel_ports:
            with redis.Redis(port=port, password=SENTINEL_PASSWORD) as client:
                try:
                    state = client.sentinel_master(SERVICE)
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
