"""What is made of the reports of processes; here, they say what the test wants."""

import pytest

from skubber.cli.bench.judging import judge
from skubber.cli.bench.measurement import Measurement
from skubber.cli.bench.result import Asked
from skubber.cli.bench.tally import Account
from skubber.load.reports import Report
from skubber.load.tasks import Channels, Target

ASKED = Asked("http://127.0.0.1:1", "pusher", 100, 10, 4, 50.0, 200, 10.0)
TARGET = Target("127.0.0.1", 1, "127.0.0.1", "127.0.0.1:1", "", False, "app", "key", "secret")
WELL = Report(1, cpu=1, delays={500: 10}, latencies={300: 5000}, connected=100, is_last=True)
PUBLISHED = Report(1, cpu=1, latencies={200: 500}, seconds=10, sent=[[50]] * 10, is_last=True)


def measured(received: Report = WELL, published: Report = PUBLISHED, server_cpu: float | None = None) -> Measurement:
    measurement = Measurement(ASKED, TARGET, Channels("run", 10, 4), 1, 0)
    measurement.connect_seconds, measurement.publish_seconds = 0.5, published.seconds
    measurement.server_cpu = server_cpu
    tally = measurement.tally
    tally.subscribers.append(Account())
    tally.is_publishing = True
    tally.take_subscribers(tally.subscribers[0], received)
    tally.take_publishers(published)
    return measurement


def changed(report: Report, **values: object) -> Report:
    copy = Report(report.at)
    for name in report.__struct_fields__:
        setattr(copy, name, values.get(name, getattr(report, name)))
    return copy


def test_figures_are_those_that_were_reported() -> None:
    result = judge(measured())
    assert (result.delivery.received, result.delivery.per_second) == (5000, 500)
    assert (result.publishing.answered, result.publishing.per_second) == (500, 50)
    assert (result.connecting.subscribed, result.connecting.per_second) == (100, 200)
    assert (result.generator.subscribers_cpu, result.generator.publishers_cpu) == (0.1, 0.1)
    assert (result.findings, result.warnings, result.server, result.status) == ([], [], None, 0)


@pytest.mark.parametrize(
    ("received", "published", "server_cpu", "words"),
    [
        (changed(WELL, cpu=8.5), PUBLISHED, None, "A process that received was busy 85%"),
        (WELL, changed(PUBLISHED, cpu=9.0), None, "The process that published was busy 90%"),
        (changed(WELL, delays={1000: 10}), PUBLISHED, None, "The load generator itself was late"),
        (WELL, PUBLISHED, 9.5, "The server was busy 95%"),
        (WELL, changed(PUBLISHED, late=7), None, "7 messages were due and could not be sent in time"),
    ],
)
def test_what_makes_figures_doubtful_is_a_warning_and_no_failure(
    received: Report, published: Report, server_cpu: float | None, words: str
) -> None:
    result = judge(measured(received, published, server_cpu))
    (warning,) = result.warnings
    assert warning.startswith(words)
    assert (result.findings, result.status) == ([], 0)


def test_shares_of_a_short_time_are_no_reason_to_warn() -> None:
    assert judge(measured(published=changed(PUBLISHED, seconds=0.5))).warnings == []


@pytest.mark.parametrize(
    ("received", "published", "words"),
    [
        (changed(WELL, lost=1200), PUBLISHED, "1,200 of the messages"),
        (changed(WELL, duplicated=1), PUBLISHED, "1 of the messages"),
        (changed(WELL, reordered=1), PUBLISHED, "1 of the messages"),
        (changed(WELL, cut=3), PUBLISHED, "3 clients were cut off"),
        (
            WELL,
            changed(PUBLISHED, refused={"message_rate: Slower.": 2}),
            "2 publishes were refused: message_rate: Slower.",
        ),
    ],
)
def test_what_is_wrong_with_the_server_is_a_failure(received: Report, published: Report, words: str) -> None:
    result = judge(measured(received, published))
    (finding,) = result.findings
    assert finding.startswith(words)
    assert result.status == 1


def test_an_error_weighs_more_than_an_interruption_and_that_more_than_a_finding() -> None:
    measurement = measured(changed(WELL, lost=1))
    measurement.interrupt()
    assert judge(measurement).status == 130
    measurement.tally.error = "The server hung up."
    assert judge(measurement).status == 2


def test_nothing_measured_is_null_and_not_a_number() -> None:
    measurement = Measurement(ASKED, TARGET, Channels("run", 10, 4), 1, 0)
    measurement.interrupt()
    result = judge(measurement)
    assert (result.delivery.latency.p50, result.publishing.latency.max, result.generator.loop_delay) == (
        None,
        None,
        None,
    )
    assert (result.histogram, result.timeline, result.status) == ([], [], 130)
