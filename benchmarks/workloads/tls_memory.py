"""TLS memory: what an idle subscribed connection costs over TLS, beside one without."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench
from benchmarks.harness.row import Comparison, Row
from benchmarks.workloads.memory import kibibytes_per_connection

BASELINE = "without TLS"


def run(bench: Bench) -> Iterator[Row]:
    """5,000 connections of each kind, each to a server of its own: what has been resident stays so."""
    if bench.is_foreign:
        return
    connections = bench.sized(5000)
    figures = [kibibytes_per_connection(bench, connections, is_tls=is_tls) for is_tls in (True, False)]
    yield Row(
        "tls-memory",
        f"TLS, memory of an idle connection, of {connections:,}",
        "KiB",
        Comparison(*([] if figure is None else [figure] for figure in figures)),
        BASELINE,
    )
