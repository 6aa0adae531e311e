"""A Redis Cluster of the tests' own: three primaries, and a replica if one is wanted."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot

from .ports import free_port
from .redis import RedisServer

_SLOTS = 16384


class ClusterServer(RedisServer):
    """One server of a cluster.

    Args:
        directory: where it writes down what it knows of the others.
        node_timeout: milliseconds after which one that is silent is lost.
        certificate: PEM files of a certificate and its key, for TLS.
    """

    def __init__(self, directory: Path, node_timeout: int, certificate: tuple[Path, Path] | None = None) -> None:
        self.bus_port = free_port()
        super().__init__(
            *("--cluster-enabled", "yes", "--cluster-port", str(self.bus_port)),
            *("--cluster-config-file", f"nodes-{self.bus_port}.conf", "--cluster-node-timeout", str(node_timeout)),
            *("--cluster-allow-replica-migration", "no", "--repl-diskless-sync-delay", "0"),
            *("--repl-ping-replica-period", "1"),
            *(() if certificate is None else ("--tls-cluster", "yes")),
            directory=directory,
            certificate=certificate,
        )

    def cluster(self, *command: str | int) -> Any:
        """Do something of CLUSTER's."""
        with self.client() as client:
            return client.execute_command("CLUSTER", *command)

    @property
    def node_id(self) -> str:
        """What the others call it."""
        answer: bytes = self.cluster("MYID")
        return answer.decode()


class RedisCluster:
    """A cluster that is whole.

    Args:
        directory: for its servers' files.
        node_timeout: milliseconds after which a server that is silent is lost.
        replicated: a key; the primary that has it gets a replica.
        certificate: PEM files of a certificate and its key: everything is over TLS then.

    Attributes:
        primaries: its servers that have slots.
        replica: the other one.
    """

    def __init__(
        self,
        directory: Path,
        node_timeout: int = 5000,
        replicated: str | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.primaries = [ClusterServer(directory, node_timeout, certificate) for _ in range(3)]
        self.replica = ClusterServer(directory, node_timeout) if replicated is not None else None
        for number, server in enumerate(self.primaries):
            server.cluster("SET-CONFIG-EPOCH", number + 1)
            server.cluster("ADDSLOTSRANGE", number * _SLOTS // 3, (number + 1) * _SLOTS // 3 - 1)
        self._meet()
        if self.replica is not None and replicated is not None:
            self.replica.cluster("REPLICATE", self.primary_of(replicated).node_id)
            self.wait_for(self._is_replicated)

    @property
    def url(self) -> str:
        """What the setting ``broker`` says."""
        return f"redis+cluster://{self.hosts}"

    @property
    def hosts(self) -> str:
        """Its primaries, as in a URL."""
        return ",".join(f"127.0.0.1:{server.port}" for server in self.primaries)

    def client(self) -> redis.RedisCluster:
        """A client of all of it."""
        return redis.RedisCluster(host="127.0.0.1", port=self.primaries[0].port)

    def primary_of(self, key: str) -> ClusterServer:
        """The primary that has a key, as the first server sees it."""
        slot = key_slot(key.encode())
        for first, last, (_, port, *_), *_ in self.primaries[0].cluster("SLOTS"):
            if first <= slot <= last:
                return next(server for server in self._servers() if server.port == port)
        raise AssertionError(f"nobody has slot {slot}")

    def move_slot(self, key: str, target: ClusterServer) -> None:
        """Give the slot of a key, and all keys in it, to another primary, as redis-cli does."""
        slot, source = key_slot(key.encode()), self.primary_of(key)
        with self.migrating(key, target), source.client() as client:
            while keys := client.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
                client.migrate("127.0.0.1", target.port, keys, 0, 5000)
        for server in (target, source, *self.primaries):
            server.cluster("SETSLOT", slot, "NODE", target.node_id)

    @contextmanager
    def migrating(self, key: str, target: ClusterServer) -> Iterator[None]:
        """The slot of a key is on its way to another primary meanwhile."""
        slot, source = key_slot(key.encode()), self.primary_of(key)
        target.cluster("SETSLOT", slot, "IMPORTING", source.node_id)
        source.cluster("SETSLOT", slot, "MIGRATING", target.node_id)
        yield
        for server in (source, target):
            server.cluster("SETSLOT", slot, "STABLE")

    def empty(self) -> None:
        """Forget everything."""
        for server in self.primaries:
            server.empty()

    def kill(self) -> None:
        """Kill all of it."""
        for server in self._servers():
            server.kill()

    def wait_for(self, holds: Callable[[], bool]) -> None:
        """Wait for something that the servers bring about among themselves."""
        deadline = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _servers(self) -> list[ClusterServer]:
        return [*self.primaries, *([self.replica] if self.replica else [])]

    def _meet(self) -> None:
        servers = self._servers()
        first, *others = servers
        for server in others:
            first.cluster("MEET", "127.0.0.1", server.port, server.bus_port)

        def all_have_met() -> bool:
            for server in servers:
                with server.client() as client:
                    info = client.execute_command("CLUSTER INFO")
                if info["cluster_state"] != "ok" or int(info["cluster_known_nodes"]) != len(servers):
                    return False
            return True

        self.wait_for(all_have_met)

    def _is_replicated(self) -> bool:
        assert self.replica is not None
        with self.replica.client() as client:
            is_linked = client.info("replication")["master_link_status"] == "up"
        known = [entry for entry in self.primaries[0].cluster("SLOTS") if len(entry) > 3]
        return is_linked and len(known) == 1


class WithoutShards:
    """A cluster of which sharded pub/sub is not used, as if it were older."""

    def __init__(self, cluster: RedisCluster) -> None:
        self.url = f"{cluster.url}?sharded_pubsub=no"
        self.client = cluster.client
