"""Spans with explicit parents.

OpenTelemetry's own way is a context variable. It does not do here: up to their first wait requests run outside of any
task, see ``skubber.server.eager``, so that what one of them sets would be seen by the next.
"""

from collections.abc import Mapping
from random import random

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, get_current_span
from opentelemetry.trace.propagation import set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

APP_ID = "skubber.app.id"

TRACEPARENT = "traceparent"

_MAX_HEADER_LENGTH = 512
"""Longest header field of a trace that is looked at, characters; longest ``tracestate`` of the W3C Trace Context."""

_propagator = TraceContextTextMapPropagator()


class Spans:
    """Begins spans.

    Args:
        tracer: OpenTelemetry's; it samples everything, since here it is asked for spans that are sampled already.
        ratio: the share of traces that are sampled, of those that begin here.
    """

    def __init__(self, tracer: Tracer, ratio: float) -> None:
        self._tracer = tracer
        self._ratio = ratio

    def is_sampled(self) -> bool:
        """Whether a trace that would begin here is one of those that are recorded."""
        return random() < self._ratio  # noqa: S311 - nobody gains by guessing it

    def begin(
        self,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AttributeValue],
        parent: Context | None = None,
        start_time: int | None = None,
    ) -> Span:
        """Begin a span.

        Args:
            name: its name, one of few.
            kind: its kind.
            attributes: what is known already.
            parent: what it belongs to; None: it begins a trace.
            start_time: when it began, nanoseconds since the epoch; now if not given.
        """
        context = Context() if parent is None else parent
        return self._tracer.start_span(name, context, kind, attributes, start_time=start_time)


def continued(traceparent: str, tracestate: str = "") -> Context | None:
    """The parent that header fields of the W3C Trace Context name; None when they name none."""
    if len(traceparent) > _MAX_HEADER_LENGTH or len(tracestate) > _MAX_HEADER_LENGTH:
        return None
    context = _propagator.extract({TRACEPARENT: traceparent, "tracestate": tracestate}, Context())
    return context if get_current_span(context).get_span_context().is_valid else None


def is_recorded(parent: Context) -> bool:
    """Whether whoever began the trace has it recorded."""
    return get_current_span(parent).get_span_context().trace_flags.sampled


def parent_of_next(span: Span) -> str:
    """The value of a ``traceparent`` header that makes a span the parent of what comes next."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, set_span_in_context(span, Context()))
    return carrier[TRACEPARENT]


def fail(span: Span, error_type: str) -> None:
    """Note that what a span stands for failed, and what kind of failure it was; not more: messages may hold names."""
    span.set_attribute("error.type", error_type)
    span.set_status(Status(StatusCode.ERROR))
