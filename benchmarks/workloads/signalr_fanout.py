"""SignalR fan-out: what a message costs in either encoding of the SignalR hub, beside the same for Pusher clients."""

from collections.abc import Iterator

from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.events import data_size
from benchmarks.harness.load import SignalRKind
from benchmarks.harness.row import Row, Target
from benchmarks.workloads.fanout import BURST, UNIT, at_once, events_a_round, microseconds_per_delivery

BASELINE = "Pusher"
ENCODINGS: dict[SignalRKind, str] = {"signalr-json": "JSON", "signalr-messagepack": "MessagePack"}
TARGET = Target(1.3, "at most", "ratio")

_FRAME_BYTES = 200


def run(bench: Bench) -> Iterator[Row]:
    """1,000 subscribers on each of two servers of ours, and frames of 200 bytes for both."""
    if bench.is_foreign:
        return
    subscribers = bench.sized(1000)
    for kind in ENCODINGS:
        with bench.server() as server, bench.server() as pusher:
            server.load.connect(subscribers, kind=kind)
            pusher.load.connect(subscribers)
            for burst in (1, BURST):
                yield _row(bench, server, pusher, kind, subscribers, burst)


def _row(bench: Bench, server: Subject, pusher: Subject, kind: SignalRKind, subscribers: int, burst: int) -> Row:
    events = events_a_round(bench, subscribers, burst)
    return Row(
        "signalr-fanout",
        f"SignalR {ENCODINGS[kind]}, fan-out to {subscribers:,}, {_FRAME_BYTES} B, {at_once(burst)}",
        UNIT,
        bench.compare(
            lambda: microseconds_per_delivery(server, events, data_size(_FRAME_BYTES, kind), burst),
            lambda: microseconds_per_delivery(pusher, events, data_size(_FRAME_BYTES), burst),
        ),
        BASELINE,
        TARGET,
    )
