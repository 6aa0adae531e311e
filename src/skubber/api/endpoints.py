"""The table of endpoints: the router and the OpenAPI document are both made from it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from skubber.api import channels, events, schema, users
from skubber.api.call import Call
from skubber.core.app import Scope


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """A query parameter; ``schema`` holds what its JSON Schema says beside that it is a string."""

    name: str
    description: str
    example: str
    is_required: bool = False
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API.

    Attributes:
        method: upper case.
        path: with ``{variables}``, the first of which is the app id.
        operation_id: its name for generated clients.
        summary: one line for a person.
        handler: what answers it.
        response: the type of its answer.
        scope: what a key must be good for.
        request: the type of its JSON body, if it takes one; ``str`` for a body that is taken as it is.
        query: the query parameters it takes.
        status: the status of its answer, errors aside.
        is_deprecated: kept for clients that still use it.
    """

    method: str
    path: str
    operation_id: str
    summary: str
    handler: Callable[[Call], Awaitable[msgspec.Struct]]
    response: type[msgspec.Struct]
    scope: Scope
    request: type[msgspec.Struct | str] | None = None
    query: tuple[QueryParameter, ...] = ()
    status: int = 200
    is_deprecated: bool = False


_INFO = QueryParameter(
    "info",
    "Attributes to return: user_count (presence channels), subscription_count.",
    "subscription_count",
    schema=schema.INFO_SCHEMA,
)
_CHANNEL_INFO = QueryParameter(
    "info",
    "Attributes to return: user_count (presence channels), subscription_count, cache (cache channels).",
    "subscription_count",
    schema={"pattern": schema.INFO_SCHEMA["pattern"].replace("|sub", "|cache|sub")},
)
_PREFIX = QueryParameter("filter_by_prefix", "Only channels whose names start so.", "presence-")

ENDPOINTS = (
    Endpoint(
        "POST",
        "/apps/{appId}/events",
        "triggerEvent",
        "Publish an event to one or more channels",
        events.trigger,
        schema.TriggerResponse,
        Scope.PUBLISH,
        request=schema.TriggerRequest,
    ),
    Endpoint(
        "POST",
        "/apps/{appId}/batch_events",
        "triggerBatch",
        "Publish up to ten events",
        events.trigger_batch,
        schema.BatchResponse,
        Scope.PUBLISH,
        request=schema.BatchRequest,
    ),
    Endpoint(
        "GET",
        "/apps/{appId}/channels",
        "listChannels",
        "List the occupied channels",
        channels.list_channels,
        schema.ChannelsResponse,
        Scope.READ,
        query=(_PREFIX, _INFO),
    ),
    Endpoint(
        "GET",
        "/apps/{appId}/channels/{channelName}",
        "showChannel",
        "Show one channel",
        channels.show_channel,
        schema.ChannelResponse,
        Scope.READ,
        query=(_CHANNEL_INFO,),
    ),
    Endpoint(
        "GET",
        "/apps/{appId}/channels/{channelName}/users",
        "listUsers",
        "List the users on a presence channel",
        channels.list_users,
        schema.UsersResponse,
        Scope.READ,
    ),
    Endpoint(
        "POST",
        "/apps/{appId}/users/{userId}/terminate_connections",
        "terminateConnections",
        "End all connections of a user",
        users.terminate_connections,
        schema.EmptyResponse,
        Scope.ADMIN,
    ),
    Endpoint(
        "POST",
        "/apps/{appId}/channels/{channelName}/events",
        "triggerEventOnChannel",
        "Publish an event to one channel, the old way",
        events.trigger_on_channel,
        schema.EmptyResponse,
        Scope.PUBLISH,
        request=str,
        query=(
            QueryParameter(
                "name",
                "Event name, at most 200 characters.",
                "order-shipped",
                is_required=True,
                schema=schema.EVENT_NAME_SCHEMA,
            ),
            QueryParameter(
                "socket_id",
                "The connection that must not receive the event.",
                "1234.5678",
                schema=schema.SOCKET_ID_SCHEMA,
            ),
        ),
        status=202,
        is_deprecated=True,
    ),
)
