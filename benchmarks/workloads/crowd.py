"""Independence: what a channel costs does not depend on how many others there are."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.events import data_size
from benchmarks.harness.row import Row, Target
from benchmarks.workloads import fanout, publish

BASELINE = "without them"
SUBSCRIBERS, FRAME_BYTES = 100, 200


def run(bench: Bench) -> Iterator[Row]:
    """Two servers of ours, of which one has 10,000 clients more, each on another channel."""
    if bench.is_foreign:
        return
    others = bench.sized(10_000)
    with bench.server() as server, bench.server() as calm, bench.crowd(server, others):
        yield _publish_row(bench, server, calm, others)
        for subject in (server, calm):
            subject.load.connect(SUBSCRIBERS)
        yield _fan_out_row(bench, server, calm, others)


def _publish_row(bench: Bench, server: Subject, calm: Subject, others: int) -> Row:
    requests = bench.sized(20_000)
    return Row(
        "crowd",
        f"publish to an empty channel, beside {others:,} channels",
        publish.UNIT,
        bench.compare(
            lambda: publish.requests_per_second(server, requests, "plain"),
            lambda: publish.requests_per_second(calm, requests, "plain"),
        ),
        BASELINE,
        Target(0.9, "at least", "ratio"),
    )


def _fan_out_row(bench: Bench, server: Subject, calm: Subject, others: int) -> Row:
    events = fanout.events_a_round(bench, SUBSCRIBERS, 1)
    size = data_size(FRAME_BYTES)
    return Row(
        "crowd",
        f"fan-out to {SUBSCRIBERS}, {FRAME_BYTES} B, beside {others:,} channels",
        fanout.UNIT,
        bench.compare(
            lambda: fanout.microseconds_per_delivery(server, events, size, 1),
            lambda: fanout.microseconds_per_delivery(calm, events, size, 1),
        ),
        BASELINE,
        Target(1.1, "at most", "ratio"),
    )
