"""A connection's place on a channel."""

from collections.abc import Sequence
from dataclasses import dataclass

from skubber.core.channel import Channel
from skubber.core.connection import Connection
from skubber.core.event import Event
from skubber.core.presence import PresenceMember


@dataclass(slots=True)
class Subscription:
    """A connection's place on a channel.

    Attributes:
        channel: the local channel.
        subscriber: what gets the channel's events: the connection, or something in its stead.
        member: who the connection is there, on presence channels.
        user_id: whose the connection is while it is subscribed: the member's, or the user's who signed in.
        kept: the last event of a cache channel, if one is kept.
        missed: frames of the channel that the connection has not been given yet; see ``catch_up``.
    """

    channel: Channel
    subscriber: Connection
    member: PresenceMember | None = None
    user_id: str | None = None
    kept: Event | None = None
    missed: Sequence[bytes] = ()

    @property
    def is_cache_miss(self) -> bool:
        """Whether this is a cache channel without an event."""
        return self.channel.kind.is_cache and self.kept is None and not self.missed

    def catch_up(self) -> None:
        """Write a cache channel's last event, and what happened while the broker was asked who is there.

        To be called once, right after the client was told that it is subscribed.
        """
        kept, missed = self.kept, self.missed
        self.kept, self.missed = None, ()
        if kept is not None:
            frame = self.subscriber.wire_format.encode(kept, self.channel.name)
            if frame not in missed:
                self.subscriber.write(frame)
        for frame in missed:
            self.subscriber.write(frame)
