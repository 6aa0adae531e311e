"""Fan-out at other sizes: few and many subscribers, small and larger events, one at a time and in bursts."""

from collections.abc import Iterator
from itertools import product

from benchmarks.harness.bench import Bench
from benchmarks.harness.row import Row
from benchmarks.workloads.fanout import BURST, fan_out_row

SUBSCRIBERS = (100, 1000, 10_000)
FRAME_BYTES = (200, 2000)
ROUNDS = 3


def run(bench: Bench) -> Iterator[Row]:
    """All combinations, but for the two that ``fanout`` measures."""
    for subscribers in SUBSCRIBERS:
        with bench.server() as server, bench.send_loop() as send_loop:
            for subject in (server, send_loop):
                subject.load.connect(bench.sized(subscribers))
            for frame_bytes, burst in product(FRAME_BYTES, (1, BURST)):
                if (subscribers, frame_bytes) == (1000, 200):
                    continue
                yield fan_out_row(
                    bench,
                    "fanout-sizes",
                    server,
                    send_loop,
                    bench.sized(subscribers),
                    frame_bytes,
                    burst,
                    rounds=ROUNDS,
                )
