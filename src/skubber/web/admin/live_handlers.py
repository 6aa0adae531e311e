"""What answers the endpoints about what all nodes hold. The first line of a docstring is in the OpenAPI document."""

import heapq
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from skubber.api import users
from skubber.api.events import publish_for_operator
from skubber.api.schema import TriggerRequest
from skubber.core.app import App
from skubber.core.channel_name import ChannelKind, check_channel_name
from skubber.core.errors import NotFoundError, UnavailableError
from skubber.insight.insight import merged_users
from skubber.insight.questions import (
    Answer,
    DescribeNode,
    EndConnection,
    FindConnections,
    FindUsers,
    FoundConnection,
    ShowConnection,
)
from skubber.web.admin.call import AdminCall
from skubber.web.admin.handlers import Done
from skubber.web.admin.live_answers import (
    ChannelMember,
    ChannelOutline,
    ChannelOutlines,
    ChannelState,
    ConnectionOutlines,
    ConnectionState,
    LastEvent,
    NodeList,
    Publication,
    Published,
    ReachedChannel,
    UserOutline,
    UserOutlines,
    connection_outline,
    connection_state,
    node_state,
)

_MOST_MEMBERS = 200

Item = TypeVar("Item")


async def list_nodes(call: AdminCall) -> NodeList:
    """Each process that serves connections is a node, workers included. A node has three seconds to answer."""
    insight = call.services.insight
    answers, silent = await insight.ask(DescribeNode())
    nodes = [node_state(each, each.description, insight.node.id) for each in answers if each.description is not None]
    return NodeList(sorted(nodes, key=lambda node: (node.host, node.pid)), silent)


async def list_channels(call: AdminCall) -> ChannelOutlines:
    """Those with subscribers, over all nodes, by name. Users' own channels are left out."""
    app, hub = call.app, call.services.hub
    occupied = await hub.broker.channels(app.id, call.query.get("prefix", ""))
    names = [name for name in occupied if not ChannelKind.of(name).comes_with_sign_in]
    page, following = _page(call, names, str)
    outlines = [ChannelOutline(name, _kind(name), occupied[name].subscriptions, occupied[name].users) for name in page]
    return ChannelOutlines(outlines, following, len(names))


async def show_channel(call: AdminCall) -> ChannelState:
    """How full it is, who is there, and the event that a cache channel keeps."""
    app, broker = call.app, call.services.hub.broker
    name = call.path["channel"]
    check_channel_name(name, app.limits.channel_name_length)
    kind = ChannelKind.of(name)
    occupancy = await broker.occupancy(app.id, name)
    members = await broker.members(app.id, name) if kind.is_presence else ()
    shown = heapq.nsmallest(_MOST_MEMBERS, members, key=lambda member: member.user_id)
    return ChannelState(
        name,
        _kind(name),
        occupancy.subscriptions,
        occupancy.users,
        [ChannelMember(member.user_id, msgspec.json.decode(member.user_info)) for member in shown],
        await _last_event(call, app, name) if kind.is_cache else None,
    )


async def list_connections(call: AdminCall) -> ConnectionOutlines:
    """Those of all nodes, by socket id; of one channel or user if you say so."""
    question = FindConnections(
        call.app.id,
        call.query.get("channel"),
        call.query.get("userId"),
        call.query.get("after", ""),
        call.limit + 1,
    )
    answers, _ = await call.services.insight.ask(question)
    found = [(answer, each) for answer in answers for each in answer.connections]
    page, following = _page(call, found, lambda pair: pair[1].socket_id)
    return ConnectionOutlines(
        [connection_outline(*pair) for pair in page], following, sum(answer.total for answer in answers)
    )


async def show_connection(call: AdminCall) -> ConnectionState:
    """Its protocol and transport, its channels, and what the kernel knows of its bytes and round trip."""
    question = ShowConnection(call.app.id, call.path["socketId"])
    return connection_state(*_found(*await call.services.insight.ask(question)))


async def end_connection(call: AdminCall) -> Done:
    """As if its user had been terminated: its client does not come back by itself."""
    app, socket_id = call.app, call.path["socketId"]
    _found(*await call.services.insight.ask(EndConnection(app.id, socket_id)))
    await _note(call, "connection.terminate", socket_id, {"app": app.id})
    return Done()


async def list_users(call: AdminCall) -> UserOutlines:
    """Who is connected with a user id, over all nodes: signed in, or on a presence channel."""
    app, limit = call.app, call.limit
    question = FindUsers(app.id, call.query.get("prefix", ""), call.query.get("after", ""), limit + 1)
    answers, _ = await call.services.insight.ask(question)
    page, following = _page(call, merged_users(answers, limit + 1), lambda user: user.user_id)
    outlines = [UserOutline(user.user_id, user.connection_count) for user in page]
    return UserOutlines(outlines, following, sum(answer.total for answer in answers))


async def terminate_user(call: AdminCall) -> Done:
    """Ends all connections of the user, on all nodes."""
    app, user_id = call.app, call.path["userId"]
    await users.terminate_user(app, call.services.hub, user_id)
    await _note(call, "user.terminate", user_id, {"app": app.id})
    return Done()


async def publish_event(call: AdminCall) -> Published:
    """By the rules and limits of the Channels API, which need no key here. What it holds is not on the record."""
    publication = call.request(Publication)
    app, hub = call.app, call.services.hub
    event = TriggerRequest(
        publication.name, publication.data, channels=list(publication.channels), socket_id=publication.socket_id
    )
    channels = await publish_for_operator(app, hub, event, call.services.clock())
    await _note(call, "event.publish", publication.name, {"app": app.id, "channels": list(channels)})
    return Published(
        [ReachedChannel(name, (await hub.broker.occupancy(app.id, name)).subscriptions) for name in channels]
    )


def _page(call: AdminCall, items: Sequence[Item], key: Callable[[Item], str]) -> tuple[list[Item], str | None]:
    """The page of some items, and what the page after it comes after; None: nothing does."""
    limit, after = call.limit, call.query.get("after", "")
    first = heapq.nsmallest(limit + 1, (item for item in items if key(item) > after), key=key)
    return first[:limit], key(first[limit - 1]) if len(first) > limit else None


def _found(answers: Sequence[Answer], silent: int) -> tuple[Answer, FoundConnection]:
    for answer in answers:
        for connection in answer.connections:
            return answer, connection
    if silent:
        raise UnavailableError("nodes_silent", "Not all nodes have answered, and none of the others has it: try again.")
    raise NotFoundError("no_such_connection", "This app has no open connection with this socket id.")


def _kind(name: str) -> str:
    return ChannelKind.of(name).prefix.rstrip("-") or "public"


async def _last_event(call: AdminCall, app: App, name: str) -> LastEvent | None:
    kept = await call.services.hub.broker.kept_event(app.id, name)
    return None if kept is None else LastEvent(kept.event.name, kept.event.text, math.ceil(kept.expires_in))


async def _note(call: AdminCall, action: str, subject: str, details: dict[str, Any]) -> None:
    await call.administration.audit.note(call.actor, action, subject, details)
