"""A connection's place on a channel."""

from dataclasses import dataclass

from skubber.core.channel import Channel
from skubber.core.connection import Connection
from skubber.core.event import Event
from skubber.core.newcomer import Newcomer
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
        newcomer: holds the connection's place until ``catch_up``, where there is something to be told first.
    """

    channel: Channel
    subscriber: Connection
    member: PresenceMember | None = None
    user_id: str | None = None
    kept: Event | None = None
    newcomer: Newcomer | None = None

    @property
    def is_cache_miss(self) -> bool:
        """Whether this is a cache channel that had no event to send; it can tell until ``catch_up``."""
        return self.channel.kind.is_cache and self.kept is None

    def catch_up(self) -> None:
        """Let the connection have the channel's events: a cache channel's last one, what it missed, what comes now.

        To be called once, right after the client was told that it is subscribed.
        """
        newcomer, kept = self.newcomer, self.kept
        self.newcomer = self.kept = None
        if newcomer is None:
            return
        self.channel.add(self.subscriber)  # in the newcomer's place
        if kept is not None:
            frame = self.subscriber.wire_format.encode(kept, self.channel.name)
            # Published since the connection subscribed, it is one of the missed, perhaps joined with its neighbours.
            if not any(frame in frames for frames in newcomer.missed):
                self.subscriber.write(frame)
        for frames in newcomer.missed:
            self.subscriber.write(frames)
