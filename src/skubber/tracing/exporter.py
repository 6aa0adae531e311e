"""Sending spans, without a flood of words when nobody takes them."""

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

_log = structlog.stdlib.get_logger("skubber.tracing")


class QuietExporter(SpanExporter):
    """Stands before an exporter and says once that it fails, and once that it does no longer.

    Args:
        exporter: sends the spans; it is called in a thread of the SDK's, never by the event loop.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._is_failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:
            self._note(has_failed=True, error=type(error).__qualname__)
            return SpanExportResult.FAILURE
        self._note(has_failed=result is not SpanExportResult.SUCCESS)
        return result

    def shutdown(self) -> None:
        """Send nothing more."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here."""
        return self._exporter.force_flush(timeout_millis)

    def quieten_others(self) -> None:
        """Keep the SDK from telling of every attempt, and of every span that finds no place in the queue."""
        for name in ("opentelemetry.exporter", "opentelemetry.sdk"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def _note(self, *, has_failed: bool, **details: str) -> None:
        if has_failed and not self._is_failing:
            # Not where to: the URL may hold a password.
            _log.warning("traces cannot be sent, and are lost until the collector takes them", **details)
        elif self._is_failing and not has_failed:
            _log.info("traces are sent again")
        self._is_failing = has_failed
