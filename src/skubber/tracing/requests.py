"""The spans of requests that publish."""

from collections.abc import Iterable

from opentelemetry.context import Context
from opentelemetry.semconv.attributes.http_attributes import HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE
from opentelemetry.semconv.attributes.url_attributes import URL_PATH, URL_SCHEME
from opentelemetry.trace import Span, SpanKind

from skubber.tracing.spans import APP_ID, Spans, continued, fail, is_recorded, parent_of_next


class TracedRequest:
    """Implements ``RequestTrace``."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.parent = parent_of_next(span)

    def end(self, status: int) -> None:
        self._span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status)
        if status >= 500:  # what a client did wrong is no failure of the server's (semantic conventions, HTTP spans)
            fail(self._span, str(status))
        self._span.end()


class TracedRequests:
    """Implements ``RequestTracer``.

    A request that names a trace is recorded when that is: its sender has decided. One that names none, or names it
    wrong, may begin one.

    Args:
        spans: begins spans.
        scheme: that of the server's URLs.
    """

    def __init__(self, spans: Spans, scheme: str) -> None:
        self._spans = spans
        self._scheme = scheme

    def begin(
        self, method: str, route: str, app_id: str, headers: Iterable[tuple[bytes, bytes]], began: float
    ) -> TracedRequest | None:
        parent = _parent(headers)
        if not (self._spans.is_sampled() if parent is None else is_recorded(parent)):
            return None
        attributes = {
            HTTP_REQUEST_METHOD: method,
            HTTP_ROUTE: route,
            # Not as it was sent: the name of a channel may be in it.
            URL_PATH: route.replace("{appId}", app_id),
            URL_SCHEME: self._scheme,
            APP_ID: app_id,
        }
        return TracedRequest(
            self._spans.begin(f"{method} {route}", SpanKind.SERVER, attributes, parent, int(began * 1_000_000_000))
        )


def _parent(headers: Iterable[tuple[bytes, bytes]]) -> Context | None:
    traceparent = tracestate = b""
    for name, value in headers:
        if name == b"traceparent":
            traceparent = value
        elif name == b"tracestate":
            tracestate = value
    return continued(traceparent.decode("latin-1"), tracestate.decode("latin-1")) if traceparent else None
