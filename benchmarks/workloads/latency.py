"""Latency: from the moment an event is due to be published until the last of its subscribers has it."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.events import data_size
from benchmarks.harness.percentile import percentile
from benchmarks.harness.row import Comparison, Row
from benchmarks.workloads.fanout import BASELINE

PUBLISHERS = 16
SECONDS = 3
PERCENTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


def run(bench: Bench) -> Iterator[Row]:
    """1,000 subscribers at half of what the server can do, and the C loop at the same rate."""
    subscribers = bench.sized(1000)
    rounds = min(3, bench.rounds)
    ours: list[float] = []
    theirs: list[float] = []
    with bench.server() as server, bench.send_loop() as send_loop:
        for subject in (server, send_loop):
            subject.load.connect(subscribers)
        rate = half_of_maximum(server)
        for _ in range(rounds):
            ours += latencies(server, rate, SECONDS)
            theirs += latencies(send_loop, rate, SECONDS)
    for name, share in PERCENTILES.items():
        yield Row(
            "latency",
            f"latency to the last of {subscribers:,}, {rate:.0f} events/s, {name}",
            "ms",
            Comparison([percentile(ours, share) / 1000], [percentile(theirs, share) / 1000]),
            BASELINE,
        )


def half_of_maximum(subject: Subject, frame_bytes: int = 200) -> float:
    """Half of the events a second that a server can deliver to all its subscribers, one after the other."""
    events = 50
    return subject.per_core_second(events, lambda: subject.load.publish(events, data_size(frame_bytes), "ticks")) / 2


def latencies(subject: Subject, rate: float, seconds: float, frame_bytes: int = 200) -> list[float]:
    """Publish at a rate; returns each event's latency in microseconds."""
    events = round(rate * seconds)
    published = subject.load.publish(
        events, data_size(frame_bytes), "rate", publishers=PUBLISHERS, events_per_second=rate
    )
    return published.latencies
