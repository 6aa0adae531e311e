"""Fan-out: what it costs to deliver one event to each of many subscribers, beside a bare send() loop in C."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.events import data_size
from benchmarks.harness.row import Row, Target

BASELINE = "C send() loop"
UNIT = "us CPU a message"
BURST = 20

TARGETS = {
    1: Target(1.15, "at most", "ratio"),
    BURST: Target(0.25, "at most", "ratio"),
}


def run(bench: Bench) -> Iterator[Row]:
    """The rows by which the server is judged: 1,000 subscribers and frames of 200 bytes."""
    subscribers, frame_bytes = bench.sized(1000), 200
    with bench.server() as server, bench.send_loop() as send_loop:
        for subject in (server, send_loop):
            subject.load.connect(subscribers)
        for burst, target in TARGETS.items():
            yield fan_out_row(bench, "fanout", server, send_loop, subscribers, frame_bytes, burst, target)


def fan_out_row(
    bench: Bench,
    workload: str,
    server: Subject,
    send_loop: Subject,
    subscribers: int,
    frame_bytes: int,
    burst: int,
    target: Target | None = None,
    rounds: int | None = None,
) -> Row:
    """One row, for subjects with so many subscribers on one channel.

    Args:
        bench: the benchmark.
        workload: its name.
        server: the server.
        send_loop: the baseline.
        subscribers: how many are connected to each.
        frame_bytes: size of an event's frame.
        burst: how many events are published at once, each on a connection of its own.
        target: what to reach.
        rounds: how many, when less than usual.
    """
    events = events_a_round(bench, subscribers, burst)
    size = data_size(frame_bytes)
    return Row(
        workload,
        f"fan-out to {subscribers:,}, {frame_bytes:,} B, {at_once(burst)}",
        UNIT,
        bench.compare(
            lambda: microseconds_per_delivery(server, events, size, burst),
            lambda: microseconds_per_delivery(send_loop, events, size, burst),
            rounds,
        ),
        BASELINE,
        target,
    )


def at_once(burst: int) -> str:
    """How the events of a row come, in words."""
    return "one event a tick" if burst == 1 else f"bursts of {burst}"


def events_a_round(bench: Bench, subscribers: int, burst: int) -> int:
    """How many events make about 60,000 deliveries."""
    return burst * max(1, bench.sized(60_000) // subscribers // burst)


def microseconds_per_delivery(subject: Subject, events: int, size: int, burst: int) -> float | None:
    """The processor time a server takes for each message it delivers, the share of the publish included."""
    published, cpu_seconds = subject.cpu_seconds_of(
        lambda: subject.load.publish(events, size, "ticks", publishers=burst)
    )
    return None if cpu_seconds is None else cpu_seconds * 1e6 / published.delivered
