"""Bodies of the Channels HTTP API. The OpenAPI document is generated from these types.

Source: the product's API contract; Pusher Channels documentation, "HTTP API reference".
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

EventName = Annotated[str, Meta(description="Event name, at most 200 characters.", examples=["order-shipped"])]
EventData = Annotated[
    str,
    Meta(
        description="Event data, a string of at most 10 KB; encode objects as JSON first.",
        examples=['{"orderId": 42}'],
    ),
]
ChannelName = Annotated[
    str,
    Meta(description="Channel name: letters, digits and _ - = @ , . ; only.", examples=["my-channel"]),
]
SocketId = Annotated[str, Meta(description="The connection that must not receive the event.", examples=["1234.5678"])]
Info = Annotated[
    str,
    Meta(description="Comma-separated attributes to return: user_count, subscription_count.", examples=["user_count"]),
]
IdempotencyKey = Annotated[
    str,
    Meta(
        description="Makes a request that is sent again publish once: a key seen in the last 10 minutes does not "
        "publish. An `Idempotency-Key` header wins over it.",
        examples=["order-42-shipped"],
    ),
]


class TriggerRequest(msgspec.Struct):
    """One event for one channel or several: give ``channel`` or ``channels``."""

    name: EventName
    data: EventData
    channel: ChannelName | None = None
    channels: Annotated[list[ChannelName], Meta(description="At most 100 channels.")] | None = None
    socket_id: SocketId | None = None
    info: Info | None = None
    idempotency_key: IdempotencyKey | None = None


class BatchEvent(msgspec.Struct):
    """One event of a batch: one channel each."""

    name: EventName
    data: EventData
    channel: ChannelName
    socket_id: SocketId | None = None
    info: Info | None = None


class BatchRequest(msgspec.Struct):
    """Events to publish together: all of them, or none when one is invalid."""

    batch: Annotated[list[BatchEvent], Meta(description="At most 10 events.")]
    idempotency_key: IdempotencyKey | None = None


class ChannelAttributes(msgspec.Struct, omit_defaults=True):
    """The attributes asked for with ``info``."""

    user_count: Annotated[int, Meta(description="Distinct users; presence channels only.")] | UnsetType = UNSET
    subscription_count: Annotated[int, Meta(description="Subscribed connections.")] | UnsetType = UNSET


class TriggerResponse(msgspec.Struct, omit_defaults=True):
    """Empty, or what was asked for with ``info`` of each channel published to."""

    channels: dict[str, ChannelAttributes] | UnsetType = UNSET


class BatchResponse(msgspec.Struct):
    """One object for each event of the batch, in its order."""

    batch: list[ChannelAttributes]


class ChannelsResponse(msgspec.Struct):
    """The occupied channels."""

    channels: dict[str, ChannelAttributes]


class CachedData(msgspec.Struct):
    """The last event of a cache channel."""

    data: str
    ttl: Annotated[int, Meta(description="Seconds it is still kept.")]


class ChannelResponse(msgspec.Struct, omit_defaults=True):
    """One channel's state."""

    occupied: bool
    user_count: int | UnsetType = UNSET
    subscription_count: int | UnsetType = UNSET
    cache: Annotated[CachedData | None, Meta(description="On cache channels; null when there is none.")] | UnsetType = (
        UNSET
    )


class User(msgspec.Struct):
    """A user on a presence channel."""

    id: str


class UsersResponse(msgspec.Struct):
    """The users on a presence channel, each once."""

    users: list[User]


class EmptyResponse(msgspec.Struct):
    """Done; there is nothing to say."""
