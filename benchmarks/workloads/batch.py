"""Publishing in batches of ten, the most that Pusher's API takes."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench
from benchmarks.harness.row import Row
from benchmarks.workloads.publish import BASELINE, UNIT, requests_per_second

BATCH = 10


def run(bench: Bench) -> Iterator[Row]:
    """POST /batch_events with ten events, beside the same requests to a bare HTTP parser."""
    requests = bench.sized(5000)
    with bench.server() as server, bench.http_echo() as echo:
        yield Row(
            "batch",
            f"publish batches of {BATCH}, plain key",
            UNIT,
            bench.compare(
                lambda: requests_per_second(server, requests, "plain", BATCH),
                lambda: requests_per_second(echo, requests, "plain", BATCH),
            ),
            BASELINE,
        )
