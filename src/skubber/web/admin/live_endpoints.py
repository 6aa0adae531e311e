"""The endpoints about what all nodes hold right now."""

from skubber.api.endpoints import QueryParameter
from skubber.web.admin import live_answers as answers
from skubber.web.admin import live_handlers as handlers
from skubber.web.admin.endpoint import LIMIT, AdminEndpoint
from skubber.web.admin.handlers import Done

_AFTER = QueryParameter("after", "The last of the page before: `next` of that page.", "1234.5678")
_PREFIX = QueryParameter("prefix", "Only those that start so.", "presence-")
_CHANNEL = QueryParameter("channel", "Only those subscribed to this channel.", "presence-room")
_USER_ID = QueryParameter("userId", "Only those of this user.", "ada")

_APP = "/apps/{appId}"
_CONNECTION = _APP + "/connections/{socketId}"

LIVE_ENDPOINTS = (
    AdminEndpoint("GET", "/nodes", "listNodes", "List the nodes", handlers.list_nodes, answers.NodeList),
    AdminEndpoint(
        "GET",
        _APP + "/channels",
        "listOccupiedChannels",
        "List an app's occupied channels",
        handlers.list_channels,
        answers.ChannelOutlines,
        query=(_PREFIX, LIMIT, _AFTER),
    ),
    AdminEndpoint(
        "GET",
        _APP + "/channels/{channel}",
        "showOccupiedChannel",
        "Show a channel",
        handlers.show_channel,
        answers.ChannelState,
    ),
    AdminEndpoint(
        "GET",
        _APP + "/connections",
        "listConnections",
        "List an app's connections",
        handlers.list_connections,
        answers.ConnectionOutlines,
        query=(_CHANNEL, _USER_ID, LIMIT, _AFTER),
    ),
    AdminEndpoint(
        "GET", _CONNECTION, "showConnection", "Show a connection", handlers.show_connection, answers.ConnectionState
    ),
    AdminEndpoint("DELETE", _CONNECTION, "endConnection", "End a connection", handlers.end_connection, Done),
    AdminEndpoint(
        "GET",
        _APP + "/users",
        "listConnectedUsers",
        "List an app's users",
        handlers.list_users,
        answers.UserOutlines,
        query=(_PREFIX, LIMIT, _AFTER),
    ),
    AdminEndpoint(
        "POST",
        _APP + "/users/{userId}/terminate",
        "terminateUser",
        "End a user's connections",
        handlers.terminate_user,
        Done,
    ),
    AdminEndpoint(
        "POST",
        _APP + "/events",
        "publishEvent",
        "Publish an event",
        handlers.publish_event,
        answers.Published,
        answers.Publication,
    ),
)
