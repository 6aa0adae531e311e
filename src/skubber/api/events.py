"""Publishing: ``POST`` to ``/apps/{appId}/events``, ``.../batch_events`` and ``.../channels/{channelName}/events``."""

import re
from collections.abc import Awaitable, Sequence

import msgspec

from skubber.api.call import Call, attributes, parse_info
from skubber.api.idempotency import idempotency_key, once
from skubber.api.schema import (
    BatchEvent,
    BatchRequest,
    BatchResponse,
    ChannelAttributes,
    EmptyResponse,
    TriggerRequest,
    TriggerResponse,
)
from skubber.core.app import App
from skubber.core.channel_name import ChannelKind, check_channel_name
from skubber.core.errors import ForbiddenError, InvalidRequestError, TooLargeError
from skubber.core.event import PublishedEvent
from skubber.core.hub import Hub
from skubber.core.limits import Limits
from skubber.core.meter import Rate

_SOCKET_ID = re.compile(r"[0-9]+\.[0-9]+")
_RESERVED_PREFIXES = ("pusher:", "pusher_internal:")

_trigger_decoder = msgspec.json.Decoder(TriggerRequest)
_batch_decoder = msgspec.json.Decoder(BatchRequest)


class _Publication(msgspec.Struct, frozen=True):
    """A checked event, ready to go out."""

    channels: Sequence[str]
    event: PublishedEvent
    excluded: str | None
    info: frozenset[str]


async def trigger(call: Call) -> TriggerResponse:
    """Publish one event on one channel or several."""
    request = call.body(_trigger_decoder)
    publication = _check(request, _channels(request, call.app.limits), call.app.limits)
    await _publish(call, request.idempotency_key, (publication,), len(publication.channels))
    if not publication.info:
        return TriggerResponse()
    return TriggerResponse({name: await _attributes(call, name, publication.info) for name in publication.channels})


async def publish_for_operator(app: App, hub: Hub, request: TriggerRequest, now: float) -> Sequence[str]:
    """Publish one event for who needs no key of the app; the app's rules and limits are the same.

    Args:
        app: the app.
        hub: the hub.
        request: the event; its idempotency key and ``info`` are not looked at.
        now: seconds since the epoch.

    Returns:
        The channels, each once.

    Raises:
        SkubberError: as for ``trigger``, and ``app_disabled``.
    """
    if not app.enabled:
        raise ForbiddenError("app_disabled", "This app is disabled.")
    publication = _check(request, _channels(request, app.limits), app.limits)
    app.meter.take_publish(app.limits, now)
    if app.limits.publishes_per_second:
        await hub.hold_to_rate(app, Rate.PUBLISHES, app.limits.publishes_per_second)
    await _publish_all(app, hub, now, (publication,), len(publication.channels))
    return publication.channels


async def trigger_batch(call: Call) -> BatchResponse:
    """Publish several events: all are checked before the first goes out, so that none does when one is invalid."""
    request = call.body(_batch_decoder)
    limits = call.app.limits
    if not 1 <= len(request.batch) <= limits.events_per_batch:
        raise InvalidRequestError("invalid_batch", f"A batch holds 1 to {limits.events_per_batch} events.")
    publications = [_check(event, (event.channel,), limits) for event in request.batch]
    await _publish(call, request.idempotency_key, publications, len(publications))
    return BatchResponse([await _attributes(call, each.channels[0], each.info) for each in publications])


async def trigger_on_channel(call: Call) -> EmptyResponse:
    """Publish one event on the path's channel; the body, as it is, is its data. Old SDKs publish so."""
    parameter = call.request.parameter
    event = BatchEvent(parameter("name") or "", call.text(), call.arguments[0], parameter("socket_id") or None)
    publication = _check(event, (event.channel,), call.app.limits)
    await _publish(call, parameter("idempotency_key"), (publication,), 1)
    return EmptyResponse()


def _channels(request: TriggerRequest, limits: Limits) -> Sequence[str]:
    """The channels of a publish, each once, in the order given."""
    if (request.channel is None) == (request.channels is None):
        raise InvalidRequestError("invalid_channels", "Give either channel (a string) or channels (a list).")
    if request.channel is not None:
        return (request.channel,)
    channels = request.channels or ()
    if not 1 <= len(channels) <= limits.channels_per_event:
        raise InvalidRequestError("invalid_channels", f"channels holds 1 to {limits.channels_per_event} names.")
    if len(channels) > 1 and any(ChannelKind.of(name).is_encrypted for name in channels):
        raise InvalidRequestError("invalid_channels", "An end-to-end encrypted event goes to one channel only.")
    return list(dict.fromkeys(channels))


def _check(request: TriggerRequest | BatchEvent, channels: Sequence[str], limits: Limits) -> _Publication:
    """Refuse what may not be published, before anything is."""
    if not 1 <= len(request.name) <= limits.event_name_length:
        raise InvalidRequestError("invalid_event_name", f"name has 1 to {limits.event_name_length} characters.")
    if request.name.startswith(_RESERVED_PREFIXES):
        raise InvalidRequestError(
            "invalid_event_name", "Event names starting with pusher: or pusher_internal: are reserved."
        )
    # A character has at most four bytes: most data need not be encoded to know that it is short enough.
    if len(request.data) * 4 > limits.event_data_bytes and len(request.data.encode()) > limits.event_data_bytes:
        raise TooLargeError("event_data_too_large", f"data has at most {limits.event_data_bytes} bytes of UTF-8.")
    if request.socket_id is not None and not _SOCKET_ID.fullmatch(request.socket_id):
        raise InvalidRequestError("invalid_socket_id", "socket_id looks like 1234.5678.")
    for name in channels:
        check_channel_name(name, limits.channel_name_length)
    event = PublishedEvent(request.name, msgspec.json.encode(request.data))
    return _Publication(channels, event, request.socket_id, parse_info(request.info))


def _publish(call: Call, key_field: str | None, publications: Sequence[_Publication], messages: int) -> Awaitable[None]:
    """Publish; once, however often, when the header or that field of the body holds an idempotency key."""
    if call.trace is not None:
        for publication in publications:
            publication.event.trace = call.trace
    key = idempotency_key(call, key_field)
    if key is None:
        return _publish_all(call.app, call.hub, call.now, publications, messages)
    return once(call, key, lambda: _publish_all(call.app, call.hub, call.now, publications, messages))


async def _publish_all(app: App, hub: Hub, now: float, publications: Sequence[_Publication], messages: int) -> None:
    limits = app.limits
    if limits.messages_per_second:
        await hub.hold_to_rate(app, Rate.MESSAGES, limits.messages_per_second, messages)
    app.meter.take_messages(messages, limits, now)
    for publication in publications:
        await hub.publish(app, publication.channels, publication.event, publication.excluded)


async def _attributes(call: Call, channel: str, info: frozenset[str]) -> ChannelAttributes:
    if not info:
        return ChannelAttributes()
    return attributes(await call.hub.broker.occupancy(call.app.id, channel), info)
