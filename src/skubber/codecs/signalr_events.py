"""Events as SignalR clients get them: calls of methods on the client.

Source: the hub contract. A delivery is ``Event({event, channel, data, userId?})``, or, to connections opened with
``dispatch=name``, a call of the event's own name with ``(data, {channel, userId?})``.
"""

from collections.abc import Callable, Sequence
from functools import cache

from msgspec import Raw

from skubber.codecs.signalr import HubProtocol
from skubber.core.event import Event, MemberAdded, MemberRemoved, SubscriptionCount, UserOffline, UserOnline
from skubber.core.presence import PresenceMember

RESERVED_TARGETS = frozenset(
    {
        "event",
        "subscriptionsucceeded",
        "subscriptionerror",
        "memberadded",
        "memberremoved",
        "subscriptioncount",
        "cachemiss",
        "watchlistevents",
        "error",
    }
)
"""The methods that the server calls by itself, in lower case: an event of such a name comes as ``Event``."""

Frame = Callable[[bytes], bytes]
"""Wraps one encoded message for the transport."""


class SignalRWireFormat:
    """Encodes events as calls. Implements ``WireFormat``.

    Args:
        protocol: the encoding of messages.
        frame: wraps a message for the transport.
        by_name: whether an event is a call of its own name.
    """

    __slots__ = ("_by_name", "frame", "protocol")

    def __init__(self, protocol: HubProtocol, frame: Frame, *, by_name: bool) -> None:
        self.protocol = protocol
        self.frame = frame
        self._by_name = by_name

    def encode(self, event: Event, channel: str) -> bytes:
        """Encode an event on a channel as a finished frame."""
        return self.frame(self.protocol.invocation(*self._call(event, channel)))

    def _call(self, event: Event, channel: str) -> tuple[str, Sequence[object]]:
        if isinstance(event, MemberAdded | MemberRemoved):
            return _member_call(event, channel)
        if isinstance(event, SubscriptionCount):
            return "SubscriptionCount", [{"channel": channel, "subscriptionCount": Raw(event.data)}]
        if isinstance(event, UserOnline | UserOffline):
            return "WatchlistEvents", [watchlist_object(event.name, [event.user_id or ""])]
        if not self._by_name or event.name.lower() in RESERVED_TARGETS:
            return "Event", [event_object(event, channel)]
        sender = {} if event.user_id is None else {"userId": event.user_id}
        return event.name, [Raw(event.data), {"channel": channel, **sender}]


class StreamWireFormat:
    """Encodes events as items of a stream. Implements ``WireFormat``.

    Streams of different clients share frames as long as their invocation ids are the same, and they mostly are: every
    client counts its own from the start.

    Args:
        calls: the connection's format; what is no event of the channel still comes as a call.
        invocation_id: the stream's.
    """

    __slots__ = ("__weakref__", "_calls", "_invocation_id")

    def __init__(self, calls: SignalRWireFormat, invocation_id: str) -> None:
        self._calls = calls
        self._invocation_id = invocation_id

    def encode(self, event: Event, channel: str) -> bytes:
        """Encode an event on a channel as a finished frame."""
        if isinstance(event, MemberAdded | MemberRemoved | SubscriptionCount):
            return self._calls.encode(event, channel)
        item = self._calls.protocol.stream_item(self._invocation_id, event_object(event, channel))
        return self._calls.frame(item)


@cache
def signalr_wire_format(protocol: HubProtocol, frame: Frame, *, by_name: bool) -> SignalRWireFormat:
    """The process's one format for an encoding, a framing and a way of dispatch."""
    return SignalRWireFormat(protocol, frame, by_name=by_name)


def event_object(event: Event, channel: str) -> dict[str, object]:
    """The argument of ``Event``, and the item of a stream."""
    delivery: dict[str, object] = {"event": event.name, "channel": channel, "data": Raw(event.data)}
    if event.user_id is not None:
        delivery["userId"] = event.user_id
    return delivery


def subscription_object(
    channel: str, members: Sequence[PresenceMember], me: PresenceMember | None
) -> dict[str, object]:
    """The argument of ``SubscriptionSucceeded``, which is also the result of ``Subscribe``."""
    result: dict[str, object] = {"channel": channel}
    if me is not None:
        result["members"] = [member_object(member) for member in members]
        result["me"] = member_object(me)
    return result


def watchlist_object(name: str, user_ids: Sequence[str]) -> dict[str, object]:
    """The argument of ``WatchlistEvents``: users of the watchlist have come ``online`` or gone ``offline``."""
    return {"events": [{"name": name, "userIds": user_ids}]}


def member_object(member: PresenceMember) -> dict[str, object]:
    """A presence member: ``{userId, userInfo}``."""
    return {"userId": member.user_id, "userInfo": Raw(member.user_info)}


def _member_call(event: MemberAdded | MemberRemoved, channel: str) -> tuple[str, Sequence[object]]:
    member: dict[str, object] = {"channel": channel, "userId": event.user_id}
    if isinstance(event, MemberRemoved):
        return "MemberRemoved", [member]
    return "MemberAdded", [{**member, "userInfo": Raw(event.data)}]
