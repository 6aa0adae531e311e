"""TLS fan-out: what a message costs over TLS, beside a bare SSL_write() loop in C with the same cipher."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.events import data_size
from benchmarks.harness.row import Row
from benchmarks.workloads.fanout import BURST, UNIT, at_once, events_a_round, microseconds_per_delivery

BASELINE = "C SSL_write() loop"

_FRAME_BYTES = 200


def run(bench: Bench) -> Iterator[Row]:
    """1,000 subscribers and frames of 200 bytes; what is published comes over TLS, too."""
    if bench.is_foreign:
        return
    subscribers = bench.sized(1000)
    with bench.server(is_tls=True) as server, bench.send_loop(is_tls=True) as send_loop:
        for subject in (server, send_loop):
            subject.load.connect(subscribers)
        for burst in (1, BURST):
            yield _row(bench, server, send_loop, subscribers, burst)


def _row(bench: Bench, server: Subject, send_loop: Subject, subscribers: int, burst: int) -> Row:
    events, size = events_a_round(bench, subscribers, burst), data_size(_FRAME_BYTES)
    return Row(
        "tls-fanout",
        f"TLS, fan-out to {subscribers:,}, {_FRAME_BYTES} B, {at_once(burst)}",
        UNIT,
        bench.compare(
            lambda: microseconds_per_delivery(server, events, size, burst),
            lambda: microseconds_per_delivery(send_loop, events, size, burst),
        ),
        BASELINE,
    )
