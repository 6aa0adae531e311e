"""SignalR memory: what an idle subscribed client of the SignalR hub costs, beside one that speaks Pusher's protocol."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench
from benchmarks.harness.row import Comparison, Row
from benchmarks.workloads.memory import kibibytes_per_connection
from benchmarks.workloads.signalr_fanout import BASELINE, ENCODINGS, TARGET


def run(bench: Bench) -> Iterator[Row]:
    """5,000 and 15,000 connections of each kind, each to a server of its own: what has been resident stays so."""
    if bench.is_foreign:
        return
    for connections in map(bench.sized, (5000, 15_000)):
        pusher = kibibytes_per_connection(bench, connections)
        for kind, encoding in ENCODINGS.items():
            kibibytes = kibibytes_per_connection(bench, connections, kind)
            yield Row(
                "signalr-memory",
                f"SignalR {encoding}, memory of an idle connection, of {connections:,}",
                "KiB",
                Comparison(*([] if figure is None else [figure] for figure in (kibibytes, pusher))),
                BASELINE,
                TARGET,
            )
