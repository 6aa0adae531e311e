"""The spans of webhook requests.

Each begins a trace of its own: what happened on a channel was a client's doing, which is not traced, and waited in the
database since. The back end goes on with the trace by the request's ``traceparent``.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from opentelemetry.semconv.attributes.http_attributes import HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.attributes.url_attributes import URL_SCHEME
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from skubber.tracing.spans import TRACEPARENT, Spans, fail, parent_of_next
from skubber.webhooks.client import DeliveryError, Sender

_PORTS = {"http": 80, "https": 443}


class TracedSender:
    """Implements ``Sender`` above another. Requests that are not sampled are sent as they are.

    Args:
        sender: sends the requests.
        spans: begins spans.
    """

    def __init__(self, sender: Sender, spans: Spans) -> None:
        self._sender = sender
        self._spans = spans

    async def post(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> int:
        """See ``Sender.post``."""
        if not self._spans.is_sampled():
            return await self._sender.post(url, headers, body)
        span = self._spans.begin("POST", SpanKind.CLIENT, _attributes(url))
        others = [header for header in headers if header[0].lower() != TRACEPARENT.encode()]
        try:
            status = await self._sender.post(
                url, [*others, (TRACEPARENT.encode(), parent_of_next(span).encode())], body
            )
            span.set_attribute(HTTP_RESPONSE_STATUS_CODE, status)
        except DeliveryError as error:
            if error.status:
                span.set_attribute(HTTP_RESPONSE_STATUS_CODE, error.status)
            fail(span, str(error.status) if error.status else "no_answer")
            raise
        finally:
            span.end()
        return status


def _attributes(url: str) -> dict[str, AttributeValue]:
    """Where a request goes. Not its path: many who receive webhooks have a secret there."""
    attributes: dict[str, AttributeValue] = {HTTP_REQUEST_METHOD: "POST"}
    try:
        parts = urlsplit(url)
        address, port = parts.hostname, parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):  # the sender will say so
        return attributes
    return {**attributes, URL_SCHEME: parts.scheme, SERVER_ADDRESS: address or "", SERVER_PORT: port}
