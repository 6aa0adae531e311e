"""Slow readers: one subscriber in a hundred stops reading. The others must not notice, and memory must not grow."""

from collections.abc import Iterator
from functools import partial

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.percentile import percentile
from benchmarks.harness.row import Comparison, Row, Target
from benchmarks.workloads.latency import half_of_maximum, latencies

SUBSCRIBERS = 200
SLOW = SUBSCRIBERS // 100
FRAME_BYTES = 8000
EVENTS = 800
"""6.4 MB for each subscriber: more than the kernel takes for one that does not read, and the server's limit."""

WRITE_BUFFER = 256 * 1024
ROUNDS = 2
CUT_OFF_SECONDS = 7
"""How long the server may take to end a connection that has exceeded its limit."""


def run(bench: Bench) -> Iterator[Row]:
    """200 subscribers at half of what the server can do; on one of two servers, two of them read nothing.

    A foreign server is both of them, so never has both kinds of subscribers at a time. What it allows to those that
    read nothing is a setting of its own: there is nothing to hold it to.
    """
    undisturbed: list[float] = []
    disturbed: list[float] = []
    growths: list[float] = []
    cut_offs: list[float] = []
    # Without a database, for the same reason as in ``memory``.
    start = partial(bench.server, write_buffer_bytes=WRITE_BUFFER, database="")
    with start() as calm, start() as server:
        calm.load.connect(SUBSCRIBERS)
        rate = half_of_maximum(calm, FRAME_BYTES)
        calm.load.close()
        for _ in range(min(ROUNDS, bench.rounds)):
            calm.load.connect(SUBSCRIBERS)
            half_of_maximum(calm, FRAME_BYTES)
            undisturbed += latencies(calm, rate, EVENTS / rate, FRAME_BYTES)
            calm.load.close()
            calm.wait_until_idle()
            server.load.connect(SUBSCRIBERS)
            half_of_maximum(server, FRAME_BYTES)
            server.load.stall(SLOW)
            before = _start_of_peak(server)
            disturbed += latencies(server, rate, EVENTS / rate, FRAME_BYTES)
            if server.process is not None:
                growths.append((server.process.peak_resident_bytes() - before) / SLOW / 1024)
            cut_offs.append(server.load.await_hang_ups(CUT_OFF_SECONDS))
            server.load.close()
            server.wait_until_idle()
    yield Row(
        "slow-readers",
        f"latency p99 of {SUBSCRIBERS} while {SLOW} of them read nothing",
        "ms",
        Comparison([percentile(disturbed, 0.99) / 1000], [percentile(undisturbed, 0.99) / 1000]),
        "without them",
        Target(1.2, "at most", "ratio"),
    )
    if bench.is_foreign:
        return
    yield Row(
        "slow-readers",
        f"most memory for each that reads nothing (limit {WRITE_BUFFER // 1024} KiB)",
        "KiB",
        # What an earlier round has left to be used again would hide the growth of a later one.
        Comparison([max(growths)] if growths else ()),
        target=Target(2 * WRITE_BUFFER / 1024, "at most", "measured"),
    )
    yield Row(
        "slow-readers",
        f"of {SLOW} that read nothing, cut off",
        "clients",
        Comparison(cut_offs),
        target=Target(SLOW, "at least", "measured"),
    )


def _start_of_peak(server: Subject) -> int:
    if server.process is None:
        return 0
    server.process.forget_peak()
    return server.process.resident_bytes()
