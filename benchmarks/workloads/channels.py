"""Many channels with one subscriber each: no fan-out to share the cost of a publish with."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench
from benchmarks.harness.events import data_size
from benchmarks.harness.row import Row
from benchmarks.workloads.fanout import BASELINE

PUBLISHERS = 64


def run(bench: Bench) -> Iterator[Row]:
    """10,000 channels, each published to in turn."""
    channels = bench.sized(10_000)
    size = data_size(200)
    with bench.server() as server, bench.send_loop() as send_loop:
        for subject in (server, send_loop):
            subject.load.connect(channels, channels)
        yield Row(
            "channels",
            f"{channels:,} channels of 1 subscriber, publish and deliver",
            "events/s of a core",
            bench.compare(
                lambda: server.per_core_second(
                    channels, lambda: server.load.publish(channels, size, "flood", publishers=PUBLISHERS)
                ),
                lambda: send_loop.per_core_second(
                    channels, lambda: send_loop.load.publish(channels, size, "flood", publishers=PUBLISHERS)
                ),
            ),
            BASELINE,
        )
