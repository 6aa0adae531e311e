"""Reading channels: ``GET /apps/{appId}/channels``, one channel, and its users."""

import math

import msgspec

from skubber.api.call import ATTRIBUTES, Call, attributes, parse_info
from skubber.api.schema import CachedData, ChannelResponse, ChannelsResponse, User, UsersResponse
from skubber.core.channel_name import ChannelKind, check_channel_name
from skubber.core.errors import InvalidRequestError

_CHANNEL_ATTRIBUTES = ATTRIBUTES | {"cache"}


async def list_channels(call: Call) -> ChannelsResponse:
    """The app's occupied channels, those with a prefix when ``filter_by_prefix`` is given."""
    info = parse_info(call.request.parameter("info"))
    prefix = call.request.parameter("filter_by_prefix") or ""
    # Pusher's rule. It has no subscription_count here: who asks for both gets users where a channel has some.
    if info == {"user_count"} and not prefix.startswith(ChannelKind.PRESENCE.prefix):
        raise InvalidRequestError(
            "invalid_info", "user_count is for presence channels: add filter_by_prefix=presence- to the query."
        )
    channels = await call.hub.broker.channels(call.app.id, prefix)
    return ChannelsResponse(
        {
            name: attributes(occupancy, info)
            for name, occupancy in channels.items()
            if not ChannelKind.of(name).comes_with_sign_in
        }
    )


async def show_channel(call: Call) -> ChannelResponse:
    """Whether a channel is occupied, and the attributes asked for."""
    name = _channel_name(call)
    info = parse_info(call.request.parameter("info"), _CHANNEL_ATTRIBUTES)
    kind = ChannelKind.of(name)
    if "user_count" in info and not kind.is_presence:
        raise InvalidRequestError("invalid_info", "user_count is for presence channels only.")
    if "cache" in info and not kind.is_cache:
        raise InvalidRequestError("invalid_info", "cache is for cache channels only.")
    occupancy = await call.hub.broker.occupancy(call.app.id, name)
    asked = attributes(occupancy, info)
    response = ChannelResponse(occupancy.subscriptions > 0, asked.user_count, asked.subscription_count)
    if "cache" in info:
        response.cache = await _cache(call, name)
    return response


async def list_users(call: Call) -> UsersResponse:
    """The users on a presence channel, each once."""
    name = _channel_name(call)
    if not ChannelKind.of(name).is_presence:
        raise InvalidRequestError(
            "not_a_presence_channel", "Only presence channels have users: their names start presence-."
        )
    members = await call.hub.broker.members(call.app.id, name)
    return UsersResponse([User(member.user_id) for member in members])


async def _cache(call: Call, name: str) -> CachedData | None:
    kept = await call.hub.broker.kept_event(call.app.id, name)
    if kept is None:
        return None
    return CachedData(msgspec.json.decode(kept.event.data, type=str), math.ceil(kept.expires_in))


def _channel_name(call: Call) -> str:
    name = call.arguments[0]
    check_channel_name(name, call.app.limits.channel_name_length)
    return name
