"""Publishing in batches of ten, the most that Pusher's API takes."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.load import Authentication
from benchmarks.harness.row import Row
from benchmarks.workloads.publish import BASELINE, UNIT, requests_per_second

BATCH = 10


def run(bench: Bench) -> Iterator[Row]:
    """POST /batch_events with ten events, beside the same requests to a bare HTTP parser."""
    with bench.server() as server, bench.http_echo() as echo:
        yield _row(bench, server, echo, "plain", "plain key")
        yield _row(bench, server, echo, "signed", "HMAC")


def _row(bench: Bench, server: Subject, echo: Subject, authentication: Authentication, name: str) -> Row:
    requests = bench.sized(5000)
    return Row(
        "batch",
        f"publish batches of {BATCH}, {name}",
        UNIT,
        bench.compare(
            lambda: requests_per_second(server, requests, authentication, BATCH),
            lambda: requests_per_second(echo, requests, authentication, BATCH),
        ),
        BASELINE,
    )
