"""Traces of real servers, as a collector has them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.support.api import HEADERS
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, NewServer, Server
from e2e.support.webhook_config import webhook_config
from support.ports import free_port
from support.redis import RedisServer
from support.trace_collector import Span, TraceCollector
from support.webhook_receiver import Receiver

ROUTE = "POST /apps/{appId}/events"
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50"}
"""Spans are sent after 50 ms and not after 5 s."""


@pytest.fixture
def collector() -> Iterator[TraceCollector]:
    collector = TraceCollector()
    yield collector
    collector.stop()


@pytest.fixture
def traced_server(new_server: NewServer, collector: TraceCollector) -> Callable[..., Server]:
    """Starts a server that sends every trace to the collector."""

    def start(*flags: str, environment: dict[str, str] | None = None) -> Server:
        return new_server(*traced(collector.url), *flags, environment=SOON if environment is None else environment)

    return start


def traced(url: str, ratio: float = 1) -> tuple[str, ...]:
    return "--set", f"traces_endpoint={url}", "--set", f"traces_sample_ratio={ratio}", "--set", "database="


async def publish(
    server: Server,
    body: dict[str, Any] | None = None,
    traceparent: str | None = None,
    secret: str = SECRET,
    more: dict[str, str] | None = None,
) -> httpx.Response:
    headers = {
        **HEADERS,
        "X-Api-Secret": secret,
        **(more or {}),
        **({} if traceparent is None else {"traceparent": traceparent}),
    }
    body = {"name": "e", "channel": "c", "data": "d", **(body or {})}
    async with httpx.AsyncClient() as http:
        return await http.post(f"{server.url}/apps/{APP_ID}/events", headers=headers, json=body)


def only(spans: list[Span]) -> Span:
    (span,) = spans
    return span


async def test_one_trace_leads_from_the_request_through_the_broker_to_the_subscribers_of_every_server(
    redis_server: RedisServer, traced_server: Callable[..., Server], collector: TraceCollector
) -> None:
    broker = ("--set", f"broker={redis_server.url}")
    one, two, _ = traced_server(*broker), traced_server(*broker), traced_server(*broker)
    async with RawClient.connected(one) as here, RawClient.connected(two) as there:
        await here.subscribe("c")
        await there.subscribe("c")
        assert (await publish(one)).status_code == 200
        for client in (here, there):
            assert (await client.receive())["event"] == "e"
        fan_outs = await collector.wait_for(2, "fan_out")
    request, sent = only(await collector.wait_for(1, ROUTE)), only(await collector.wait_for(1, "publish"))
    assert (request.kind, sent.kind, {each.kind for each in fan_outs}) == ("SERVER", "PRODUCER", {"CONSUMER"})
    assert request.parent_id == ""
    assert sent.parent_id == request.span_id
    assert {each.parent_id for each in fan_outs} == {sent.span_id}
    assert {each.trace_id for each in collector.spans} == {request.trace_id}
    assert all(0 <= each.seconds < 60 and not each.has_failed for each in collector.spans)
    nodes = {each.resource["service.instance.id"] for each in fan_outs}
    assert len(nodes) == 2
    assert request.resource["service.instance.id"] in nodes
    assert {each.resource["service.name"] for each in collector.spans} == {"skubber"}


async def test_spans_say_what_the_semantic_conventions_want_and_keep_what_is_private(
    traced_server: Callable[..., Server], collector: TraceCollector
) -> None:
    server = traced_server()
    async with RawClient.connected(server) as client:
        await client.subscribe("c")
        private = {"data": "confidential", "channels": ["c", "#server-to-user-ada"], "channel": None}
        await publish(server, private, more={"Idempotency-Key": "once-only"})
        await publish(server)
        await collector.wait_for(2, "fan_out")
    assert (await collector.wait_for(2, ROUTE))[0].attributes == {
        "http.request.method": "POST",
        "http.route": "/apps/{appId}/events",
        "http.response.status_code": 200,
        "url.path": f"/apps/{APP_ID}/events",
        "url.scheme": "http",
        "skubber.app.id": APP_ID,
    }
    several, one = await collector.wait_for(2, "publish")
    common = {
        "messaging.system": "skubber",
        "messaging.operation.type": "send",
        "messaging.operation.name": "publish",
        "skubber.app.id": APP_ID,
    }
    assert several.attributes == {
        **common,
        "messaging.batch.message_count": 2,
        "messaging.message.body.size": len('"confidential"'),
        "skubber.channels": ["c", "#server-to-user-*"],
    }
    assert one.attributes == {
        **common,
        "messaging.destination.name": "c",
        "messaging.message.body.size": len('"d"'),
    }
    assert collector.named("fan_out")[0].attributes == {
        **common,
        "messaging.operation.type": "process",
        "messaging.operation.name": "fan_out",
        "messaging.destination.name": "c",
        "skubber.subscribers": 1,
    }
    told = b"".join(collector.bodies)
    assert not [each for each in (SECRET, KEY, "confidential", "ada", "once-only") if each.encode() in told]


async def test_a_path_with_a_channel_in_it_is_not_told(
    traced_server: Callable[..., Server], collector: TraceCollector
) -> None:
    server = traced_server()
    async with httpx.AsyncClient() as http:
        url = f"{server.url}/apps/{APP_ID}/channels/%23server-to-user-ada/events?name=e"
        assert (await http.post(url, headers=HEADERS, content="d")).status_code == 202
    span = only(await collector.wait_for(1, "POST /apps/{appId}/channels/{channelName}/events"))
    assert span.attributes["url.path"] == f"/apps/{APP_ID}/channels/{{channelName}}/events"
    await collector.wait_for(1, "publish")
    assert b"ada" not in b"".join(collector.bodies)


async def test_the_trace_of_the_back_end_goes_on(new_server: NewServer, collector: TraceCollector) -> None:
    server = new_server(*traced(collector.url, 0), environment=SOON)
    await publish(server)  # which names no trace, and of those none is recorded
    await publish(server, traceparent=f"00-{TRACE_ID}-{SPAN_ID}-01")
    request = only(await collector.wait_for(1, ROUTE))
    await collector.wait_for(1, "publish")
    assert (request.trace_id, request.parent_id) == (TRACE_ID, SPAN_ID)
    assert {span.trace_id for span in collector.spans} == {TRACE_ID}


async def test_a_trace_that_nobody_records_is_not_recorded_here_either(
    traced_server: Callable[..., Server], collector: TraceCollector
) -> None:
    server = traced_server()
    await publish(server, traceparent=f"00-{TRACE_ID}-{SPAN_ID}-00")
    await publish(server, traceparent="00-of-another-kind")
    server.stop()  # everything has been sent then
    assert [span.trace_id != TRACE_ID for span in collector.named(ROUTE)] == [True]


async def test_requests_of_strangers_begin_no_traces(
    traced_server: Callable[..., Server], collector: TraceCollector
) -> None:
    server = traced_server()
    traceparent = f"00-{TRACE_ID}-{SPAN_ID}-01"
    answer = await publish(server, None, traceparent, "s" * 47)
    assert answer.status_code == 401
    await publish(server, {"channel": "no good name"}, traceparent=traceparent)
    server.stop()
    refused = only(collector.spans)
    assert (refused.attributes["http.response.status_code"], refused.has_failed) == (400, False)


async def test_a_publish_that_the_broker_does_not_take_has_failed(
    new_server: NewServer, collector: TraceCollector
) -> None:
    redis = RedisServer()
    server = new_server(*traced(collector.url), "--set", f"broker={redis.url}", environment=SOON)
    redis.kill()
    async with asyncio.timeout(60):
        while (await publish(server)).status_code != 503:
            pass
    await asyncio.to_thread(server.stop)
    failed = [span for span in collector.spans if span.has_failed]
    assert {span.name: span.attributes["error.type"] for span in failed} == {
        ROUTE: "503",
        "publish": "broker_unavailable",
    }


async def test_a_back_end_can_go_on_with_the_trace_of_a_webhook(
    new_server: NewServer, collector: TraceCollector, tmp_path: Path
) -> None:
    receiver = Receiver()
    secret_path, own = "/hooks/T0PSECRET", {"traceparent": "mine", "x-own": "1"}
    config = webhook_config(tmp_path, {"url": receiver.url(secret_path), "headers": own})
    flags = [flag for flag in traced(collector.url) if flag != "database="]
    server = new_server("--config", config, *flags[:-1], environment=SOON, is_demo=True)
    receiver.status = 500
    async with RawClient.connected(server) as client:
        await client.subscribe("c")
        await receiver.wait_for_requests(1)
        receiver.status = 200
        await receiver.wait_for_events(1)
    server.stop()
    receiver.stop()
    spans = {span.span_id: span for span in collector.named("POST")}
    assert len(spans) == len(receiver.requests)
    for request in receiver.requests:
        version, trace_id, span_id, sampling = request.headers["traceparent"].split("-")
        span = spans[span_id]
        assert (version, int(sampling, 16) & 1, span.trace_id) == ("00", 1, trace_id)
        assert (span.kind, span.parent_id, request.headers["x-own"]) == ("CLIENT", "", "1")
        has_failed = request.status == 500
        assert span.attributes == {
            "http.request.method": "POST",
            "http.response.status_code": request.status,
            "server.address": "127.0.0.1",
            "server.port": receiver.port,
            "url.scheme": "http",
            **({"error.type": "500"} if has_failed else {}),
        }
        assert span.has_failed is has_failed
    assert b"T0PSECRET" not in b"".join(collector.bodies)


async def test_a_collector_that_is_away_delays_nothing_and_is_told_of_once(new_server: NewServer) -> None:
    port = free_port()
    environment = {**SOON, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    server = new_server(*traced(f"http://127.0.0.1:{port}/v1/traces"), environment=environment)
    async with RawClient.connected(server) as client:
        await client.subscribe("c")
        await publish(server)
        assert (await client.receive())["event"] == "e"
        await asyncio.to_thread(server.wait_for_log, "traces cannot be sent")
        for _ in range(3):
            assert (await publish(server)).status_code == 200
            assert (await client.receive())["event"] == "e"
        collector = TraceCollector(port)
        await publish(server)
        await asyncio.to_thread(server.wait_for_log, "traces are sent again")
    await asyncio.to_thread(server.stop)
    collector.stop()
    assert collector.spans
    assert server.log.count("traces cannot be sent") == 1
    assert "opentelemetry" not in server.log


async def test_a_server_stops_though_the_collector_is_away(new_server: NewServer) -> None:
    server = new_server(*traced(f"http://127.0.0.1:{free_port()}/v1/traces"))
    await publish(server)
    server.signal(signal.SIGTERM)
    assert await asyncio.to_thread(server.exit_status) == -signal.SIGTERM
    assert "the last traces were not sent" in server.log or "traces cannot be sent" in server.log


async def test_what_was_recorded_last_is_sent_before_the_server_ends(
    traced_server: Callable[..., Server], collector: TraceCollector
) -> None:
    server = traced_server(environment={"OTEL_BSP_SCHEDULE_DELAY": "600000"})
    await publish(server)
    assert not collector.spans
    await asyncio.to_thread(server.stop)
    assert {span.name for span in collector.spans} == {ROUTE, "publish"}


async def test_the_variables_of_opentelemetry_count(new_server: NewServer, collector: TraceCollector) -> None:
    environment = {
        **SOON,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url.removesuffix("/v1/traces"),
        "OTEL_SERVICE_NAME": "push",
        "OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=one,deployment.environment.name=staging",
    }
    flags = ("--set", "traces_sample_ratio=1", "--set", "database=")
    await publish(new_server(*flags, environment=environment))
    resource = only(await collector.wait_for(1, ROUTE)).resource
    names = ("service.name", "service.instance.id", "deployment.environment.name")
    assert [resource[name] for name in names] == ["push", "one", "staging"]
    received = len(collector.bodies)
    disabled = new_server(*flags, environment={**environment, "OTEL_SDK_DISABLED": "true"})
    await publish(disabled)
    await asyncio.to_thread(disabled.stop)
    assert len(collector.bodies) == received


@pytest.mark.parametrize(
    ("flags", "environment", "status", "message"),
    [
        (("--set", "traces_endpoint=http://localhost:4318/v1/traces"), {}, 2, "install skubber[opentelemetry]"),
        (
            (),
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
            -signal.SIGTERM,
            "install skubber[opentelemetry]",
        ),
    ],
)
def test_without_the_extra_a_server_says_what_to_install(
    tmp_path: Path, flags: tuple[str, ...], environment: dict[str, str], status: int, message: str
) -> None:
    program = "import sys; sys.modules['opentelemetry'] = None\nfrom skubber.cli import main\nmain()"
    arguments = ["serve", "--port", "0", "--app", f"{APP_ID}:{KEY}:{SECRET}", "--set", "database=", *flags]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process:
        said = []
        for line in process.stderr:
            said.append(line)
            if "startup complete" in line:
                process.terminate()
    assert message in "".join(said)
    assert process.returncode == status
