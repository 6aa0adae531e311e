"""Client events: everyone on a channel sends, everyone else receives."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.events import data_size
from benchmarks.harness.row import Row


def run(bench: Bench) -> Iterator[Row]:
    """100 members of a presence channel each send one client event, again and again."""
    members = bench.sized(100)
    with bench.server() as server:
        server.load.connect(members, kind="presence")
        server.load.join(members)
        yield Row(
            "client-events",
            f"client events among {members} members",
            "us CPU a message",
            bench.compare(lambda: _microseconds_per_delivery(server)),
        )


def _microseconds_per_delivery(server: Subject) -> float | None:
    size = data_size(200, "presence", "client-bench")
    published, cpu_seconds = server.cpu_seconds_of(lambda: server.load.client_events(5, size))
    return None if cpu_seconds is None else cpu_seconds * 1e6 / published.delivered
