"""Measure the server: ``make bench``, or ``make bench ARGS="fanout publish"`` for some of the workloads."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.harness.bench import Bench, ForeignServer
from benchmarks.harness.build import BuildError
from benchmarks.harness.credentials import BENCHMARK_APP, Credentials
from benchmarks.harness.load import LoadError
from benchmarks.harness.machine import OthersWatch, describe_machine, raise_file_limit
from benchmarks.harness.results import save
from benchmarks.harness.row import Row
from benchmarks.harness.table import render_table
from benchmarks.workloads import (
    batch,
    channels,
    client_events,
    connect,
    crowd,
    fanout,
    fanout_sizes,
    latency,
    memory,
    presence,
    publish,
    scale,
    signalr_fanout,
    signalr_memory,
    slow_readers,
    tls_fanout,
    tls_memory,
)

WORKLOADS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "fanout": fanout.run,
    "publish": publish.run,
    "memory": memory.run,
    "connect": connect.run,
    "fanout-sizes": fanout_sizes.run,
    "channels": channels.run,
    "crowd": crowd.run,
    "batch": batch.run,
    "presence": presence.run,
    "client-events": client_events.run,
    "latency": latency.run,
    "slow-readers": slow_readers.run,
    "signalr-fanout": signalr_fanout.run,
    "signalr-memory": signalr_memory.run,
    "tls-fanout": tls_fanout.run,
    "tls-memory": tls_memory.run,
    "scale": scale.run,
}

ROUNDS = 5
QUIET = 0.05
"""The share of the machine that other processes may take without a word about it."""


def main() -> int:
    """Run the workloads asked for; returns the exit code."""
    parser = _parser()
    options = parser.parse_args()
    names = options.workloads or list(WORKLOADS)
    if unknown := set(names) - set(WORKLOADS):
        parser.error(f"there is no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    if options.url and not options.url.startswith("http://"):
        parser.error("give the server as http://host:port: what it is compared with is not encrypted")
    foreign = ForeignServer(options.url.rstrip("/"), options.app, options.pid) if options.url else None
    raise_file_limit()
    others = OthersWatch()
    rounds = 1 if options.quick else options.rounds
    try:
        with tempfile.TemporaryDirectory() as directory:
            bench = Bench(Path(directory), rounds, options.quick, foreign)
            rows = [row for name in names for row in _run(bench, name)]
    except (BuildError, LoadError) as error:
        print(error, *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        return 1
    share = others.share()
    print(render_table(rows))
    if share > QUIET:
        print(f"Other processes took {share:.0%} of the machine meanwhile: the figures are worse than they could be.")
    is_complete = set(names) == set(WORKLOADS) and not options.quick and foreign is None
    save(rows, describe_machine(), share, is_complete)
    return 0


def _run(bench: Bench, name: str) -> list[Row]:
    started = time.monotonic()
    print(f"{name} ...", end="", file=sys.stderr, flush=True)
    rows = list(WORKLOADS[name](bench))
    print(f" {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="workload", help=", ".join(WORKLOADS))
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often to measure each figure ({ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="only see that everything works: a tenth of the load")
    parser.add_argument("--url", help="measure this Pusher-compatible server (http://host:port) in place of ours")
    parser.add_argument("--app", type=Credentials.parse, default=BENCHMARK_APP, help="its app, ID:KEY:SECRET")
    parser.add_argument("--pid", type=int, help="its process, if it runs here: to read processor time and memory")
    return parser


if __name__ == "__main__":
    sys.exit(main())
