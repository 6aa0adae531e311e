"""What a back end may be told of: the events of webhooks, and where they go.

Source: Pusher Channels documentation, "Webhooks".
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import msgspec


class WebhookEventName(StrEnum):
    """The events there are."""

    CHANNEL_OCCUPIED = "channel_occupied"
    CHANNEL_VACATED = "channel_vacated"
    MEMBER_ADDED = "member_added"
    MEMBER_REMOVED = "member_removed"
    CLIENT_EVENT = "client_event"
    CACHE_MISS = "cache_miss"
    SUBSCRIPTION_COUNT = "subscription_count"


class WebhookEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened on a channel, as it stands in the body of a webhook.

    Attributes:
        name: what happened.
        channel: the channel.
        user_id: the member it is about, or who sent the client event on a presence channel.
        event: a client event's name.
        data: a client event's data; JSON text where the client sent anything but a string.
        socket_id: the connection that sent a client event.
        subscription_count: how many are subscribed.
    """

    name: WebhookEventName
    channel: str
    user_id: str | None = None
    event: str | None = None
    data: str | None = None
    socket_id: str | None = None
    subscription_count: int | None = None


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """A URL of a back end that is told of events.

    Attributes:
        id: unique among all endpoints of all apps.
        url: ``http://`` or ``https://``.
        events: the events it wants.
        channel_prefix: it wants those of channels whose names start so.
        headers: header fields of its requests, besides those that all have.
        is_batched: whether a request may hold several events.
        enabled: a disabled one is told nothing.
    """

    id: str
    url: str
    events: frozenset[WebhookEventName] = frozenset(WebhookEventName)
    channel_prefix: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    is_batched: bool = True
    enabled: bool = True

    def wants(self, event: WebhookEvent) -> bool:
        """Whether it is to be told of an event."""
        return self.enabled and event.name in self.events and event.channel.startswith(self.channel_prefix)


class Announcer(Protocol):
    """Takes what happens to an app's back end. Never blocks, never raises."""

    def __call__(self, app_id: str, event: WebhookEvent) -> None:
        """Tell of an event, in the order in which they happen."""
        ...
