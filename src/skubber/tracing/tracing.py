"""Traces of one server process, put together."""

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Callable
from typing import cast

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.semconv.resource import ResourceAttributes

from skubber import __version__
from skubber.core.broker import Broker
from skubber.settings import Settings
from skubber.tracing.broker import CountSubscribers, TracedBroker
from skubber.tracing.exporter import QuietExporter
from skubber.tracing.requests import TracedRequests
from skubber.tracing.sender import TracedSender
from skubber.tracing.spans import Spans
from skubber.webhooks.client import Sender

STOP_SECONDS = 5
"""Seconds that the last spans have to be sent when the server stops."""

_log = structlog.stdlib.get_logger("skubber.tracing")


class Tracing:
    """Records traces and sends them with OTLP over HTTP, from a thread of its own.

    The SDK's variables count: ``OTEL_EXPORTER_OTLP_*``, ``OTEL_BSP_*``, ``OTEL_SERVICE_NAME`` and
    ``OTEL_RESOURCE_ATTRIBUTES``; what is sampled is the settings' to say.

    Args:
        settings: the settings.
        defer: schedules a call for the end of the running event-loop iteration (``loop.call_soon``).

    Attributes:
        requests: traces requests that publish.

    Raises:
        ValueError: a variable is not what it should be.
    """

    def __init__(self, settings: Settings, defer: Callable[[Callable[[], None]], object]) -> None:
        self._defer = defer
        exporter = QuietExporter(OTLPSpanExporter(settings.traces_endpoint or None))
        # What is asked for is sampled already. Ending it at the interpreter's exit is what `stop` is for.
        self._provider = TracerProvider(ALWAYS_ON, _resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        exporter.quieten_others()  # not before: what they say of variables is of use
        tracer = self._provider.get_tracer("skubber", __version__)
        self._spans = Spans(tracer, settings.traces_sample_ratio)
        self.requests = TracedRequests(self._spans, "http" if settings.tls_certificate is None else "https")

    def broker(self, broker: Broker, count_subscribers: CountSubscribers) -> Broker:
        """The broker, with what goes into it and comes out of it traced."""
        return cast("Broker", TracedBroker(broker, self._spans, self._defer, count_subscribers))

    def sender(self, sender: Sender) -> Sender:
        """What sends webhook requests, with these traced."""
        return TracedSender(sender, self._spans)

    async def stop(self) -> None:
        """Send what has been recorded, in ``STOP_SECONDS`` at most; the last call of all."""
        loop, is_done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop is closed: it took too long
                loop.call_soon_threadsafe(is_done.set)

        # A daemon, and not `asyncio.to_thread`: the process does not wait for it.
        threading.Thread(target=shut_down, name="traces-stop", daemon=True).start()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await is_done.wait()
        except TimeoutError:
            _log.warning("the last traces were not sent in time")


def _resource() -> Resource:
    """What says where spans come from; the variables weigh more than the names given here."""
    ours = {
        ResourceAttributes.SERVICE_NAME: "skubber",
        ResourceAttributes.SERVICE_VERSION: __version__,
        ResourceAttributes.SERVICE_INSTANCE_ID: secrets.token_hex(8),
    }
    given = OTELResourceDetector().detect().attributes
    return Resource.create({name: value for name, value in ours.items() if name not in given})
