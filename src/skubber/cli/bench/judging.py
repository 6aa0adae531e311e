"""What the figures mean: what is wrong with the server, and what is to be kept in mind when reading them."""

from collections.abc import Iterator

from skubber.cli.bench.measurement import Measurement
from skubber.cli.bench.result import (
    Bar,
    Connecting,
    Delivery,
    Generator,
    Moment,
    Publishing,
    Quantiles,
    Result,
    Served,
)
from skubber.cli.bench.tally import Tally
from skubber.load.latencies import Latencies, upper_bound

_BUSY = 0.8
"""Share of a processor from which on a process is busy with itself."""

_LONG_ENOUGH = 1
"""Seconds of publishing from which on shares of them mean something."""

_LATE_LOOP = 10
"""Milliseconds by which an event loop may be late; that much, and more, is in the latencies."""


def judge(measurement: Measurement) -> Result:
    """The result of a measurement that is over, whether it came to its end or not."""
    tally = measurement.tally
    last = [account.last for account in tally.subscribers]
    delivery = Delivery(
        tally.deliveries.total,
        _per_second(tally.deliveries.total, measurement.publish_seconds),
        sum(report.lost for report in last),
        sum(report.duplicated for report in last),
        sum(report.reordered for report in last),
        Quantiles.of(tally.deliveries),
    )
    connecting = Connecting(
        tally.connected,
        measurement.connect_seconds,
        _per_second(tally.connected, measurement.connect_seconds),
        tally.cut,
    )
    answered = tally.answers.total
    publishing = Publishing(
        answered,
        measurement.publish_seconds,
        _per_second(answered, measurement.publish_seconds),
        tally.refused,
        tally.publishers.last.late,
        Quantiles.of(tally.answers),
    )
    generator = _generator(measurement)
    served = _served(measurement)
    return Result(
        measurement.asked,
        connecting,
        publishing,
        delivery,
        generator,
        served,
        list(_histogram(tally.deliveries)),
        list(_timeline(tally)),
        list(_findings(connecting, publishing, delivery)),
        list(_warnings(measurement, publishing, generator, served)) if publishing.seconds >= _LONG_ENOUGH else [],
        measurement.is_interrupted,
        tally.error,
    )


def _generator(measurement: Measurement) -> Generator:
    tally, seconds = measurement.tally, measurement.publish_seconds
    return Generator(
        len(tally.subscribers),
        max((_share(account.cpu, seconds) for account in tally.subscribers), default=0),
        _share(tally.publishers.cpu, seconds),
        tally.delays.percentile(0.99),
    )


def _served(measurement: Measurement) -> Served | None:
    if measurement.connection_bytes is None and measurement.server_cpu is None:
        return None
    connected, used = measurement.tally.connected, measurement.server_cpu
    return Served(
        measurement.connection_bytes / connected if measurement.connection_bytes is not None and connected else None,
        None if used is None else _share(used, measurement.publish_seconds),
    )


def _findings(connecting: Connecting, publishing: Publishing, delivery: Delivery) -> Iterator[str]:
    for count, what in (
        (delivery.lost, "did not arrive"),
        (delivery.duplicated, "arrived more than once"),
        (delivery.reordered, "arrived after a later one"),
    ):
        if count:
            yield f"{count:,} of the messages that clients should have received {what}."
    if connecting.cut:
        yield f"{connecting.cut:,} clients were cut off."
    for reason, count in publishing.refused.items():
        yield f"{count:,} publishes were refused: {reason}"


def _warnings(
    measurement: Measurement, publishing: Publishing, generator: Generator, served: Served | None
) -> Iterator[str]:
    asked = measurement.asked
    if generator.subscribers_cpu > _BUSY:
        yield (
            f"A process that received was busy {generator.subscribers_cpu:.0%} of the time: it is measured, and not "
            "the server. Give more --processes, or a lower --rate."
        )
    if generator.publishers_cpu > _BUSY:
        yield (
            f"The process that published was busy {generator.publishers_cpu:.0%} of the time: it may be what limits "
            "the publish rate, and not the server."
        )
    if generator.loop_delay is not None and generator.loop_delay > _LATE_LOOP:
        yield (
            f"The load generator itself was late by up to {generator.loop_delay:.0f} ms: that is in the latencies. "
            "Give it a machine of its own, or less to do."
        )
    if served is not None and served.cpu is not None and served.cpu > _BUSY:
        yield f"The server was busy {served.cpu:.0%} of the time: this is about what it can do, and latencies are high."
    if publishing.late:
        yield (
            f"{publishing.late:,} messages were due and could not be sent in time: {asked.publishers} publishers got "
            f"{publishing.per_second:,.0f} answers a second and not {asked.rate:,.0f}. Give a lower --rate, or more "
            "--publishers."
        )


def _histogram(latencies: Latencies) -> Iterator[Bar]:
    for bucket in sorted(latencies.counts):
        yield Bar(upper_bound(bucket), latencies.counts[bucket])


def _timeline(tally: Tally) -> Iterator[Moment]:
    interval = tally.timeline.interval
    for number, part in enumerate(tally.timeline.parts):
        yield Moment(round(number * interval, 3), part.total, part.percentile(0.5), part.percentile(0.99))


def _per_second(count: int, seconds: float) -> float:
    return round(count / seconds, 1) if seconds else 0


def _share(used: float, seconds: float) -> float:
    return round(used / seconds, 3) if seconds else 0
