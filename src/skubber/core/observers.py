"""Whoever watches what happens in an app, as it happens.

Watching is rare and what happens is not: where nobody watches, all that is paid is a look whether anybody does.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from skubber.core.event import Event

NAMES_SEPARATOR = ", "
"""Between the names of several events that are told of at once."""


class Kind(StrEnum):
    """What happens in an app. Each thing is told on one node: the one where it happens."""

    PUBLISH = "publish"
    CLIENT_EVENT = "client_event"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    MEMBER_ADDED = "member_added"
    MEMBER_REMOVED = "member_removed"
    CHANNEL_OCCUPIED = "channel_occupied"
    CHANNEL_VACATED = "channel_vacated"
    SIGNED_IN = "signed_in"
    WEBHOOK = "webhook"
    ERROR = "error"


class Occurrence(NamedTuple):
    """Something that happens in an app.

    Attributes:
        kind: what it is.
        channels: on which channels.
        name: the name of what is told or tried, where there is no event: a client event's that was refused, say.
        event: the event, if it is one.
        socket_id: whose connection it is about; of a publish, who is left out.
        user_id: whom it is about.
        detail: more, as a sentence.
        code: the code of an error.
    """

    kind: Kind
    channels: Sequence[str] = ()
    name: str | None = None
    event: Event | None = None
    socket_id: str | None = None
    user_id: str | None = None
    detail: str | None = None
    code: str | None = None


Observe = Callable[[Occurrence], None]
"""Takes what happens in one app. Never blocks, never raises."""


class Observers:
    """Who watches which app, on this node.

    Attributes:
        by_app: what takes it, by app id. Look whether there is any before you put together what to tell.
    """

    __slots__ = ("by_app",)

    def __init__(self) -> None:
        self.by_app: dict[str, Observe] = {}

    def tell(
        self,
        app_id: str,
        kind: Kind,
        channels: Sequence[str] = (),
        name: str | None = None,
        event: Event | None = None,
        socket_id: str | None = None,
        user_id: str | None = None,
        detail: str | None = None,
        code: str | None = None,
    ) -> None:
        """Tell whoever watches an app; the arguments after the app's id are the attributes of ``Occurrence``."""
        observe = self.by_app.get(app_id)
        if observe is not None:
            observe(Occurrence(kind, channels, name, event, socket_id, user_id, detail, code))
