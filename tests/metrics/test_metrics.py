"""What is exposed, read by Prometheus' own parser."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from server.http_client import request
from server.live import LiveServer
from skubber.core.errors import ForbiddenError
from skubber.core.hub import Admission
from skubber.core.limits import Limits
from skubber.core.meter import Rate
from skubber.core.presence import PresenceMember
from skubber.metrics.families import _LIMITS
from support.apps import KEY, SECRET, make_app, other_app
from support.recording import LegibleFormat, RecordingConnection

Values = dict[str, float]


async def read(live: LiveServer) -> Values:
    """All samples, by name and labels."""
    text, content_type = await live.runtime.metrics.expose("")
    assert content_type.startswith("text/plain; version=")
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


@pytest.fixture
async def live() -> AsyncIterator[LiveServer]:
    async with LiveServer() as server:
        yield server


async def publish(live: LiveServer, body: bytes = b'{"name":"e","channel":"c","data":"d"}', app: str = "4711") -> int:
    client = await live.connect()
    client.send(request("POST", f"/apps/{app}/events", f"X-Api-Key: {KEY}", f"X-Api-Secret: {SECRET}", body=body))
    return (await client.answer()).status


async def test_requests_are_counted_by_what_they_ask_for_and_their_status(live: LiveServer) -> None:
    assert [await publish(live), await publish(live, b"{}"), await publish(live, app="nowhere")] == [200, 400, 404]
    live.broker.fail("publish")
    assert await publish(live) == 503
    values = await read(live)
    counted = {name: value for name, value in values.items() if name.startswith("skubber_api_requests_total") and value}
    assert counted == {
        "skubber_api_requests_total publish 2xx": 1,
        "skubber_api_requests_total publish 4xx": 2,
        "skubber_api_requests_total publish 5xx": 1,
    }
    assert values["skubber_messages_published_total 4711"] == 2
    assert values["skubber_publish_duration_seconds_count"] == 1


async def test_openmetrics_is_given_to_who_asks_for_it(live: LiveServer) -> None:
    text, content_type = await live.runtime.metrics.expose("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert "skubber_build" in {family.name for family in parse_openmetrics(text.decode())}  # type: ignore[no-untyped-call]


async def test_what_there_may_be_is_there_from_the_start(live: LiveServer) -> None:
    values = await read(live)
    assert [values[f"skubber_refusals_total {limit}"] for limit in _LIMITS] == [0] * len(_LIMITS)
    assert {name.split(" ", 1)[1] for name in values if name.startswith("skubber_transport_connections")} == {
        "pusher websockets",
        "pusher http",
        "signalr websockets",
        "signalr server_sent_events",
        "signalr long_polling",
    }
    assert "process_resident_memory_bytes" in values
    assert "python_gc_collections_total 0" in values


async def test_clients_over_a_limit_are_counted_wherever_they_are_refused() -> None:
    async with LiveServer(connections=2, tcp_connections=1) as live:
        hub, app = live.runtime.hub, make_app(limits=Limits(connections=1, presence_members=1))
        connections = [RecordingConnection(f"1.{number}", LegibleFormat()) for number in range(3)]
        assert [
            hub.connect(each, connection) for each, connection in zip((app, app, other_app()), connections, strict=True)
        ] == [
            Admission.ADMITTED,
            Admission.APP_FULL,
            Admission.ADMITTED,
        ]
        assert hub.connect(other_app(), connections[1]) is Admission.SERVER_FULL
        await hub.subscribe(app, connections[0], "presence-c", PresenceMember("ada"))
        with pytest.raises(ForbiddenError):
            await hub.subscribe(app, connections[0], "presence-c", PresenceMember("bob"))
        await live.connect()
        assert (await (await live.connect()).answer()).status == 503
        values = await read(live)
        assert {name.split(" ")[1]: value for name, value in values.items() if "refusals" in name and value} == {
            "app_connections": 1,
            "server_connections": 1,
            "tcp_connections": 1,
            "presence_channel_full": 1,
        }


def test_every_limit_of_the_errors_is_one_of_the_metrics() -> None:
    limited = [rate.exceeded(1).code for rate in Rate]
    assert set(limited) <= set(_LIMITS)


async def test_the_number_of_series_is_bounded_whatever_the_number_of_apps() -> None:
    async with LiveServer(metrics_apps=1) as live:
        for app in (make_app(), other_app()):
            live.runtime.apps.find(app.id).meter.published += 3  # type: ignore[union-attr]
        values = await read(live)
        assert {name: value for name, value in values.items() if "messages_published" in name} == {
            "skubber_messages_published_total 4711": 3,
            "skubber_messages_published_total other": 3,
        }
