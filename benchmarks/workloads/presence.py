"""Presence churn: members who join and leave, while all others are told of each."""

from collections.abc import Callable, Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.load import Told
from benchmarks.harness.row import Comparison, Row

AT_A_TIME = 32
ROUNDS = 1
UNIT = "us CPU a notification"


def run(bench: Bench) -> Iterator[Row]:
    """1,000 members join one presence channel, and all leave it: about half a million notifications each way."""
    members = bench.sized(1000)
    joining: list[float] = []
    leaving: list[float] = []
    with bench.server() as server:
        server.load.connect(members, kind="presence")
        for _ in range(min(ROUNDS, bench.rounds)):
            joining += _microseconds_per_notification(server, server.load.join)
            leaving += _microseconds_per_notification(server, server.load.leave)
    yield Row("presence", f"presence, {members:,} members joining", UNIT, Comparison(joining))
    yield Row("presence", f"presence, {members:,} members leaving", UNIT, Comparison(leaving))


def _microseconds_per_notification(server: Subject, action: Callable[[int], Told]) -> list[float]:
    told, cpu_seconds = server.cpu_seconds_of(lambda: action(AT_A_TIME))
    return [] if cpu_seconds is None else [cpu_seconds * 1e6 / told.delivered]
