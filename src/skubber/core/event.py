"""What travels through a channel, and how it becomes bytes exactly once per wire format."""

from typing import ClassVar, Protocol

import msgspec


class Event:
    """An event on its way to a channel's subscribers.

    Attributes:
        name: the event's name.
        data: the event's data as JSON text (UTF-8). A published string arrives here as a JSON string, the data of a
            client event as whatever JSON value the client sent.
        user_id: the sender, on client events of presence channels.
        is_kept: whether cache channels keep it for subscribers to come.
        encoded: pieces a wire format has already encoded, by format, so that a publish to a hundred channels
            encodes its data once.
        trace: where its way belongs in a trace, if it is traced: the parent of the next step, as the value of a
            ``traceparent`` header (W3C Trace Context).
    """

    __slots__ = ("data", "encoded", "name", "trace", "user_id")

    is_kept: ClassVar[bool] = False

    def __init__(self, name: str, data: bytes, user_id: str | None = None) -> None:
        self.name = name
        self.data = data
        self.user_id = user_id
        self.encoded: dict[WireFormat, tuple[bytes, bytes]] = {}
        self.trace: str | None = None

    @property
    def text(self) -> str:
        """The data as a string: the string that it is, or JSON text."""
        value = msgspec.json.decode(self.data) if self.data.startswith(b'"') else None
        return value if isinstance(value, str) else self.data.decode()

    def copy(self) -> "Event":
        """The same event for keeping: without what has been encoded of it, and on no way."""
        return Event(self.name, self.data, self.user_id)


class PublishedEvent(Event):
    """An event that a back end published."""

    __slots__ = ()

    is_kept = True


class MemberAdded(Event):
    """A user's first connection joined a presence channel. ``data`` is the ``user_info`` as JSON, or ``null``."""

    __slots__ = ()

    def __init__(self, user_id: str, user_info: bytes) -> None:
        super().__init__("member_added", user_info, user_id)


class MemberRemoved(Event):
    """A user's last connection left a presence channel."""

    __slots__ = ()

    def __init__(self, user_id: str) -> None:
        super().__init__("member_removed", b"null", user_id)


class SubscriptionCount(Event):
    """How many connections are subscribed to a channel. ``data`` is the number."""

    __slots__ = ()

    def __init__(self, count: int) -> None:
        super().__init__("subscription_count", b"%d" % count)


class UserOnline(Event):
    """A user whom others watch has signed in on a first connection."""

    __slots__ = ()

    def __init__(self, user_id: str) -> None:
        super().__init__("online", b"null", user_id)


class UserOffline(Event):
    """The last connection of a user whom others watch is gone."""

    __slots__ = ()

    def __init__(self, user_id: str) -> None:
        super().__init__("offline", b"null", user_id)


class WireFormat(Protocol):
    """One way of writing events to a socket: a client protocol together with its framing.

    There is one instance of each for the whole process; instances are compared by identity.
    """

    def encode(self, event: Event, channel: str) -> bytes:
        """Encode ``event`` on ``channel`` as finished bytes for the socket, shared by every subscriber."""
        ...
