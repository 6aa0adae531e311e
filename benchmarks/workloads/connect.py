"""Connecting: opening handshake, greeting and one subscription."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.load import Kind
from benchmarks.harness.row import Row, Target
from benchmarks.workloads.fanout import BASELINE

TARGET = Target(5000, "at least", "measured")


def run(bench: Bench) -> Iterator[Row]:
    """Connections a second to a public channel, and to a private one, which takes checking a signature."""
    with bench.server() as server, bench.send_loop() as send_loop:
        yield _row(bench, server, send_loop, "public")
        yield _row(bench, server, send_loop, "private")


def _row(bench: Bench, server: Subject, send_loop: Subject, kind: Kind) -> Row:
    clients = bench.sized(2000)
    return Row(
        "connect",
        f"connect and subscribe, {kind} channel",
        "clients/s of a core",
        bench.compare(
            lambda: _clients_per_second(server, clients, kind),
            lambda: _clients_per_second(send_loop, clients, kind),
        ),
        BASELINE,
        TARGET,
    )


def _clients_per_second(subject: Subject, clients: int, kind: Kind) -> float:
    figure = subject.per_core_second(clients, lambda: subject.load.connect(clients, kind=kind))
    subject.load.close()
    # Forgetting the clients is another matter, and must not fall into the next round.
    subject.wait_until_idle()
    return figure
