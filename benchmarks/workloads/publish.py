"""Publishing: requests a second, beside a bare HTTP parser that answers the same requests with two fixed bytes."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.events import data_size
from benchmarks.harness.load import Authentication
from benchmarks.harness.row import Row, Target

BASELINE = "bare httptools"
UNIT = "requests/s of a core"

PUBLISHERS = 64
"""Keep-alive connections, each with one request under way: enough to keep the server busy all the time."""


def run(bench: Bench) -> Iterator[Row]:
    """POST /events with an event for a channel without subscribers, with a plain key and with a signature."""
    with bench.server() as server, bench.http_echo() as echo:
        yield _row(bench, server, echo, "plain", "plain key", Target(0.5, "at least", "ratio"))
        yield _row(bench, server, echo, "signed", "HMAC", Target(0.35, "at least", "ratio"))


def _row(
    bench: Bench, server: Subject, echo: Subject, authentication: Authentication, name: str, target: Target
) -> Row:
    requests = bench.sized(20_000)
    return Row(
        "publish",
        f"publish, {name}",
        UNIT,
        bench.compare(
            lambda: requests_per_second(server, requests, authentication),
            lambda: requests_per_second(echo, requests, authentication),
        ),
        BASELINE,
        target,
    )


def requests_per_second(subject: Subject, requests: int, authentication: Authentication, batch: int = 1) -> float:
    """How many requests a server answers in a second of one core."""
    return subject.per_core_second(
        requests,
        lambda: subject.load.publish(
            requests * batch,
            data_size(200),
            "flood",
            publishers=PUBLISHERS,
            batch=batch,
            authentication=authentication,
        ),
    )
