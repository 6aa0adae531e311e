"""Memory: what an idle subscribed connection costs the server's process."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench
from benchmarks.harness.load import Kind
from benchmarks.harness.row import Comparison, Row, Target

TARGET = Target(3, "at most", "measured")


def run(bench: Bench) -> Iterator[Row]:
    """5,000 and 15,000 connections, all subscribed to one channel."""
    for connections in map(bench.sized, (5000, 15_000)):
        kibibytes = kibibytes_per_connection(bench, connections)
        yield Row(
            "memory",
            f"memory of an idle connection, of {connections:,}",
            "KiB",
            Comparison(() if kibibytes is None else (kibibytes,)),
            target=TARGET,
        )


def kibibytes_per_connection(
    bench: Bench, connections: int, kind: Kind = "public", *, is_tls: bool = False
) -> float | None:
    """What the memory of a server that has just been started grows by, for each of so many subscribed clients."""
    # What opening a database leaves free would be used before the process had to grow.
    with bench.server(is_tls=is_tls, database="") as server:
        if server.process is None:
            return None
        # A first client, so that what is loaded once and for all is not charged to the others.
        server.load.connect(1, kind=kind)
        server.load.close()
        server.wait_until_idle()
        before = server.process.resident_bytes()
        server.load.connect(connections, kind=kind)
        server.wait_until_idle()
        return (server.process.resident_bytes() - before) / connections / 1024
