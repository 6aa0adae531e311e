"""The server's metrics by name, as far as they are there without waiting.

Source: Prometheus documentation, "Metric and label naming": base units, ``_total`` behind what only grows.
"""

from collections.abc import Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from skubber import __version__
from skubber.core.app import Scope
from skubber.core.histogram import Histogram
from skubber.core.publish_watch import SAMPLE_EVERY
from skubber.metrics.app_series import Totals
from skubber.metrics.census import Census
from skubber.metrics.sources import Sources

_LIMITS = (
    "server_connections",
    "app_connections",
    "tcp_connections",
    "publish_rate",
    "read_rate",
    "message_rate",
    "message_quota",
    "client_event_rate",
    "too_many_channels",
    "too_many_subscriptions",
    "presence_channel_full",
)
"""All there are, so that each is there from the start: what comes into being with a 1 shows no increase."""

_KINDS = {
    ("pusher", "websockets"),
    ("pusher", "http"),
    ("signalr", "websockets"),
    ("signalr", "server_sent_events"),
    ("signalr", "long_polling"),
}
"""All there are, likewise."""

_OPERATIONS = {Scope.PUBLISH: "publish", Scope.READ: "read", Scope.ADMIN: "terminate"}


def server_families(sources: Sources) -> Iterator[Metric]:
    """The process and its connections as a whole."""
    yield InfoMetricFamily("skubber_build", "The version that runs.", {"version": __version__})
    yield GaugeMetricFamily(
        "skubber_ready", "1: the server takes requests and connections.", value=float(sources.is_ready())
    )
    yield GaugeMetricFamily(
        "skubber_tcp_connections", "Open TCP connections, silent ones included.", value=sources.tcp_connections()
    )
    yield CounterMetricFamily(
        "skubber_slow_clients", "Clients that were closed for leaving too much unread.", value=sources.slow_clients()
    )
    yield _histogram(
        "skubber_event_loop_delay_seconds",
        "How late the event loop was, looked at once a second.",
        sources.loop_delays,
    )
    yield _refusals(sources)


def request_families(sources: Sources) -> Iterator[Metric]:
    """What back ends ask for."""
    requests = CounterMetricFamily(
        "skubber_api_requests",
        "Requests of the Channels HTTP API that were answered, by what they asked for and the class of the status.",
        labels=["operation", "status"],
    )
    for scope, operation in _OPERATIONS.items():
        requests.add_metric([operation, "2xx"], sources.api.succeeded[scope])
        for hundreds in (4, 5):
            requests.add_metric([operation, f"{hundreds}xx"], sources.api.failed[scope, hundreds])
    yield requests
    yield _histogram(
        "skubber_publish_duration_seconds",
        "From when a publish is accepted until the broker has answered it and this node's subscribers' frames are "
        f"written. One publish in {SAMPLE_EVERY} is measured.",
        sources.watch.durations,
    )


def broker_families(sources: Sources) -> Iterator[Metric]:
    """The way to the other nodes. Without other nodes it is always open."""
    broker = sources.hub.broker
    yield GaugeMetricFamily(
        "skubber_broker_available", "1: the other nodes can be reached.", value=float(broker.is_available)
    )
    yield CounterMetricFamily(
        "skubber_broker_reconnects",
        "How often the connection to the broker was lost and had again.",
        value=broker.health.reconnects,
    )
    yield _histogram(
        "skubber_broker_round_trip_seconds",
        "How long the broker takes to answer, measured with every heartbeat.",
        broker.health.round_trips,
    )


def app_families(totals: Mapping[str, Totals], connections: Mapping[str, int], census: Census) -> Iterator[Metric]:
    """What apps have and use, by label."""
    for name, documentation, present in (
        ("skubber_connections", "Connected clients.", connections),
        ("skubber_channels", "Channels with subscribers on this node.", census.channels),
        ("skubber_subscriptions", "Subscriptions of these channels, of this node's clients.", census.subscriptions),
    ):
        gauge = GaugeMetricFamily(name, documentation, labels=["app"])
        for label in totals:
            gauge.add_metric([label], present.get(label, 0))
        yield gauge
    for name, documentation, attribute in (
        ("skubber_messages_published", "Messages taken: events, once for each channel, client events.", "published"),
        ("skubber_messages_delivered", "Messages written to clients.", "delivered"),
        ("skubber_delivered_bytes", "Bytes of these, framing included.", "delivered_bytes"),
        ("skubber_webhook_events_delivered", "Events that endpoints have taken.", "webhooks"),
    ):
        counter = CounterMetricFamily(name, documentation, labels=["app"])
        for label, used in totals.items():
            counter.add_metric([label], getattr(used, attribute))
        yield counter
    transports = GaugeMetricFamily(
        "skubber_transport_connections",
        "Connected clients by the protocol they speak and the transport they came over.",
        labels=["protocol", "transport"],
    )
    for kind in sorted(_KINDS | census.connections.keys()):
        transports.add_metric(kind, census.connections[kind])
    yield transports


def _refusals(sources: Sources) -> Metric:
    refusals = CounterMetricFamily(
        "skubber_refusals", "What was refused because somebody was over a limit.", labels=["limit"]
    )
    counted = sources.hub.refusals
    elsewhere = {"app_connections": sources.quota.refused, "tcp_connections": sources.turned_away()}
    for limit in _LIMITS:
        refusals.add_metric([limit], counted[limit] + elsewhere.get(limit, 0))
    return refusals


def _histogram(name: str, documentation: str, histogram: Histogram) -> Metric:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    buckets = list(zip(bounds, histogram.cumulative(), strict=True))
    return HistogramMetricFamily(name, documentation, buckets=buckets, sum_value=histogram.total)
