"""A collector of OpenTelemetry traces: takes OTLP over HTTP, as protocol buffers."""

import asyncio
import gzip
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

PATIENCE = 30
"""Seconds a test waits for what must come."""


@dataclass(frozen=True)
class Span:
    """A span, as the collector has it.

    Attributes:
        resource: the attributes of where it comes from.
        parent_id: empty when it begins a trace.
        seconds: from its begin to its end.
    """

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    has_failed: bool
    seconds: float
    resource: dict[str, Any]


class TraceCollector:
    """Takes whatever comes.

    Attributes:
        spans: every span, in the order in which they came.
        bodies: the requests they came in.
    """

    def __init__(self, port: int = 0) -> None:
        self.spans: list[Span] = []
        self.bodies: list[bytes] = []
        self.changed = threading.Condition()
        self._server = _Listener(("127.0.0.1", port), self)
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/traces"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def named(self, name: str) -> list[Span]:
        """The spans with a name."""
        return [span for span in self.spans if span.name == name]

    async def wait_for(self, count: int, name: str) -> list[Span]:
        """Wait until there are so many spans with a name; returns them."""
        await asyncio.to_thread(self._wait, lambda: len(self.named(name)) >= count)
        return self.named(name)

    def _wait(self, is_met: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(is_met, PATIENCE), self.spans

    def take(self, body: bytes) -> None:
        """Take a request."""
        request = ExportTraceServiceRequest.FromString(body)
        with self.changed:
            self.bodies.append(body)
            for group in request.resource_spans:
                resource = _values(group.resource.attributes)
                self.spans += [_span(each, resource) for scope in group.scope_spans for each in scope.spans]
            self.changed.notify_all()


def _span(span: SpanMessage, resource: dict[str, Any]) -> Span:
    return Span(
        span.name,
        SpanMessage.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _values(span.attributes),
        span.status.code == 2,
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        resource,
    )


def _values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, str(kind))


class _Listener(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], collector: TraceCollector) -> None:
        self.collector = collector
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        is_for_us = self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
        if is_for_us:
            self.server.collector.take(body)
        self.send_response(200 if is_for_us else 404)
        self.send_header("content-type", "application/x-protobuf")
        self.end_headers()
        self.wfile.write(ExportTraceServiceResponse().SerializeToString())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output quiet."""
