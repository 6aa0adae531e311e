"""Several workers: what the way through Redis costs, and what a second worker brings."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.events import data_size
from benchmarks.harness.percentile import percentile
from benchmarks.harness.redis import RedisProcess
from benchmarks.harness.row import Comparison, Row, Target
from benchmarks.workloads import latency
from benchmarks.workloads.fanout import events_a_round

BASELINE = "one, no Redis"
FRAME_BYTES = 200
SUBSCRIBERS = 1000
PERCENTILES = {"p50": 0.5, "p99": 0.99}


def run(bench: Bench) -> Iterator[Row]:
    """One worker and two above a Redis, and one without."""
    if bench.is_foreign:
        return
    subscribers = bench.sized(SUBSCRIBERS)
    with bench.server() as alone:
        alone.load.connect(subscribers)
        with RedisProcess() as redis, bench.server(broker=redis.url) as one:
            one.load.connect(subscribers)
            yield _fan_out_row(bench, one, alone, subscribers, "1 worker with Redis", Target(0.8, "at least", "ratio"))
            yield from _latency_rows(bench, one, alone, subscribers)
        with RedisProcess() as redis, bench.server(broker=redis.url, workers=2) as two:
            two.load.connect(subscribers)
            yield _fan_out_row(bench, two, alone, subscribers, "2 workers with Redis", Target(1.5, "at least", "ratio"))


def _fan_out_row(bench: Bench, subject: Subject, alone: Subject, subscribers: int, name: str, target: Target) -> Row:
    events = events_a_round(bench, subscribers, 1)
    return Row(
        "scale",
        f"fan-out to {subscribers:,}, {FRAME_BYTES} B, {name}",
        "messages/s",
        bench.compare(lambda: messages_a_second(subject, events), lambda: messages_a_second(alone, events)),
        BASELINE,
        target,
    )


def messages_a_second(subject: Subject, events: int) -> float:
    """How many messages a server delivers in a second, if each of its workers has a core to itself.

    That is what the busiest worker's processor time allows. So it can be told on a machine with fewer cores, too.
    """
    assert subject.process is not None
    workers = subject.process.children() or [subject.process]
    before = [worker.cpu_seconds() for worker in workers]
    published = subject.load.publish(events, data_size(FRAME_BYTES), "ticks")
    return published.delivered / max(worker.cpu_seconds() - used for worker, used in zip(workers, before, strict=True))


def _latency_rows(bench: Bench, one: Subject, alone: Subject, subscribers: int) -> Iterator[Row]:
    rate = latency.half_of_maximum(one)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(min(3, bench.rounds)):
        ours += latency.latencies(one, rate, latency.SECONDS)
        theirs += latency.latencies(alone, rate, latency.SECONDS)
    for name, share in PERCENTILES.items():
        yield Row(
            "scale",
            f"latency to the last of {subscribers:,}, {rate:.0f} events/s, with Redis, {name}",
            "ms",
            Comparison([percentile(ours, share) / 1000], [percentile(theirs, share) / 1000]),
            BASELINE,
        )
