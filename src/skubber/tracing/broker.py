"""The spans of events on their way: into the broker, and out of it on every node that has subscribers."""

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.semconv._incubating.attributes.messaging_attributes import (
    MESSAGING_BATCH_MESSAGE_COUNT,
    MESSAGING_DESTINATION_NAME,
    MESSAGING_MESSAGE_BODY_SIZE,
    MESSAGING_OPERATION_NAME,
    MESSAGING_OPERATION_TYPE,
    MESSAGING_SYSTEM,
)
from opentelemetry.trace import SpanKind
from opentelemetry.util.types import AttributeValue

from skubber.core.broker import Broker, Delivery
from skubber.core.channel_name import SERVER_TO_USER_PREFIX
from skubber.core.errors import SkubberError
from skubber.core.event import Event
from skubber.tracing.spans import APP_ID, Spans, continued, fail, parent_of_next

CHANNELS, SUBSCRIBERS = "skubber.channels", "skubber.subscribers"

CountSubscribers = Callable[[str, str], int]
"""How many subscribers of this node a channel of an app has."""


class TracedBroker:
    """Stands before a broker: implements ``Broker`` by handing everything on to it.

    Args:
        broker: the broker.
        spans: begins spans.
        defer: schedules a call for the end of the running event-loop iteration (``loop.call_soon``).
        count_subscribers: see ``CountSubscribers``.
    """

    def __init__(
        self,
        broker: Broker,
        spans: Spans,
        defer: Callable[[Callable[[], None]], object],
        count_subscribers: CountSubscribers,
    ) -> None:
        self._broker = broker
        self._spans = spans
        self._defer = defer
        self._count_subscribers = count_subscribers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def attach(self, delivery: Delivery) -> None:
        """See ``Broker.attach``."""
        self._broker.attach(_TracedDelivery(delivery, self._spans, self._defer, self._count_subscribers))

    async def publish(self, app_id: str, channels: Sequence[str], event: Event, excluded: str | None) -> None:
        """See ``Broker.publish``."""
        parent = None if event.trace is None else continued(event.trace)
        if parent is None:
            await self._broker.publish(app_id, channels, event, excluded)
            return
        span = self._spans.begin("publish", SpanKind.PRODUCER, _publish_attributes(app_id, channels, event), parent)
        event.trace = parent_of_next(span)
        try:
            await self._broker.publish(app_id, channels, event, excluded)
        except BaseException as error:
            fail(span, error.code if isinstance(error, SkubberError) else type(error).__qualname__)
            raise
        finally:
            span.end()


class _TracedDelivery:
    """Stands before a node's side of a broker: implements ``Delivery`` by handing everything on to it."""

    def __init__(
        self,
        delivery: Delivery,
        spans: Spans,
        defer: Callable[[Callable[[], None]], object],
        count_subscribers: CountSubscribers,
    ) -> None:
        self._delivery = delivery
        self._spans = spans
        self._defer = defer
        self._count_subscribers = count_subscribers
        self.joined = delivery.joined
        self.terminate = delivery.terminate
        self.upheaved = delivery.upheaved

    def deliver(self, app_id: str, channel: str, event: Event, excluded: str | None) -> None:
        """See ``Delivery.deliver``."""
        if event.trace is not None and (subscribers := self._count_subscribers(app_id, channel)):
            self._deliver_traced(app_id, channel, event, excluded, subscribers)
        else:
            self._delivery.deliver(app_id, channel, event, excluded)

    def _deliver_traced(self, app_id: str, channel: str, event: Event, excluded: str | None, subscribers: int) -> None:
        attributes = {
            **_attributes("process", "fan_out", app_id),
            MESSAGING_DESTINATION_NAME: _shown(channel),
            SUBSCRIBERS: subscribers,
        }
        parent = continued(event.trace or "")
        span = self._spans.begin("fan_out", SpanKind.CONSUMER, attributes, parent)
        try:
            self._delivery.deliver(app_id, channel, event, excluded)
        finally:
            # The hub has put off writing to the end of this iteration, and this is put off behind it.
            self._defer(span.end)


def _publish_attributes(app_id: str, channels: Sequence[str], event: Event) -> dict[str, AttributeValue]:
    attributes = _attributes("send", "publish", app_id)
    attributes[MESSAGING_MESSAGE_BODY_SIZE] = len(event.data)
    if len(channels) == 1:
        attributes[MESSAGING_DESTINATION_NAME] = _shown(channels[0])
    else:
        attributes[MESSAGING_BATCH_MESSAGE_COUNT] = len(channels)
        attributes[CHANNELS] = [_shown(channel) for channel in channels]
    return attributes


def _attributes(kind: str, name: str, app_id: str) -> dict[str, AttributeValue]:
    return {
        MESSAGING_SYSTEM: "skubber",
        MESSAGING_OPERATION_TYPE: kind,
        MESSAGING_OPERATION_NAME: name,
        APP_ID: app_id,
    }


def _shown(channel: str) -> str:
    """A channel's name, without the user id that may be in it."""
    return f"{SERVER_TO_USER_PREFIX}*" if channel.startswith(SERVER_TO_USER_PREFIX) else channel
