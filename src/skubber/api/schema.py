"""Bodies of the Channels HTTP API. The OpenAPI document is generated from these types.

Source: the product's API contract; Pusher Channels documentation, "HTTP API reference".
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

# What the schemas say is said for people and tools. The rules themselves are checked elsewhere, against each plan's own
# limits, and with sentences of their own.
EVENT_NAME_SCHEMA = {"minLength": 1, "maxLength": 200, "pattern": "^(?!pusher:|pusher_internal:)"}
CHANNEL_NAME_SCHEMA = {
    "minLength": 1,
    "maxLength": 200,
    "pattern": "^(#server-to-user-[ -~]+|[A-Za-z0-9_=@,.;-]+)$",
}
SOCKET_ID_SCHEMA = {"pattern": "^[0-9]+[.][0-9]+$"}
INFO_SCHEMA = {"pattern": "^((user_count|subscription_count)(,(user_count|subscription_count))*)?$"}

EventName = Annotated[
    str,
    Meta(
        description="Event name, at most 200 characters.",
        examples=["order-shipped"],
        extra_json_schema=EVENT_NAME_SCHEMA,
    ),
]
EventData = Annotated[
    str,
    Meta(
        description="Event data, a string of at most 10 KB; encode objects as JSON first.",
        examples=['{"orderId": 42}'],
        extra_json_schema={"maxLength": 10_240},
    ),
]
ChannelName = Annotated[
    str,
    Meta(
        description="Channel name: letters, digits and _ - = @ , . ; only.",
        examples=["my-channel"],
        extra_json_schema=CHANNEL_NAME_SCHEMA,
    ),
]
SocketId = Annotated[
    str,
    Meta(
        description="The connection that must not receive the event.",
        examples=["1234.5678"],
        extra_json_schema=SOCKET_ID_SCHEMA,
    ),
]
Info = Annotated[
    str,
    Meta(
        description="Comma-separated attributes to return: user_count, subscription_count.",
        examples=["user_count"],
        extra_json_schema=INFO_SCHEMA,
    ),
]
IdempotencyKey = Annotated[
    str,
    Meta(
        description="Makes a request that is sent again publish once: a key seen in the last 10 minutes does not "
        "publish. An `Idempotency-Key` header wins over it.",
        examples=["order-42-shipped"],
        extra_json_schema={"minLength": 1, "maxLength": 255, "pattern": "^[ -~]*$"},
    ),
]


class TriggerRequest(msgspec.Struct):
    """One event for one channel or several: give ``channel`` or ``channels``."""

    name: EventName
    data: EventData
    channel: ChannelName | None = None
    channels: (
        Annotated[
            list[ChannelName],
            Meta(description="At most 100 channels.", extra_json_schema={"minItems": 1, "maxItems": 100}),
        ]
        | None
    ) = None
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

    batch: Annotated[
        list[BatchEvent], Meta(description="At most 10 events.", extra_json_schema={"minItems": 1, "maxItems": 10})
    ]
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
