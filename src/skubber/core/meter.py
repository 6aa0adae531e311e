"""What an app uses: counted where it happens, and held against its limits.

Source: Pusher Channels documentation, "Message counting": a message counts once when it is published on a channel, and
once for each client it is delivered to.
"""

import math
from enum import Enum

from skubber.core.errors import RateLimitedError
from skubber.core.limits import Limits

SECONDS_A_DAY = 86_400


class Rate(Enum):
    """What an app may do so many times a second."""

    PUBLISHES = "publishes"
    READS = "reads"
    MESSAGES = "messages"

    def exceeded(self, limit: int) -> RateLimitedError:
        """The error of an app that is over ``limit``."""
        if self is Rate.PUBLISHES:
            return RateLimitedError("publish_rate", f"This app's plan has {limit} publishing requests a second.", 1)
        if self is Rate.READS:
            return RateLimitedError("read_rate", f"This app's plan has {limit} reading requests a second.", 1)
        return RateLimitedError("message_rate", f"This app's plan has {limit} messages a second.", 1)


class Meter:
    """One app's counters on this node.

    The counters only ever grow: whoever keeps books takes differences. What the app has used today, on all nodes, is
    what the books said last, and what was counted here since. What has no limit is not looked at: most apps' publishes
    go by here without more than an addition.

    Attributes:
        published: messages taken: events, once for each channel, and client events.
        delivered: messages written to clients.
        delivered_bytes: bytes of those, framing included.
        webhooks: events told to the app's back end.
        connections: open connections.
        connections_peak: most of them at a time since ``forget_peak`` was last called.
    """

    __slots__ = (
        "_booked",
        "_booked_at",
        "_day",
        "_published_at_second",
        "_publishes",
        "_reads",
        "_second",
        "connections",
        "connections_peak",
        "delivered",
        "delivered_bytes",
        "published",
        "webhooks",
    )

    def __init__(self) -> None:
        self.published = 0
        self.delivered = 0
        self.delivered_bytes = 0
        self.webhooks = 0
        self.connections = 0
        self.connections_peak = 0
        self._day = 0
        self._booked = 0
        self._booked_at = 0
        self._second = 0
        self._published_at_second = 0
        self._publishes = 0
        self._reads = 0

    def messages_today(self, now: float) -> int:
        """What counts against the day's quota; ``now`` in seconds since the epoch, the day is that of UTC."""
        self._turn_day(now)
        return self._booked + self.published + self.delivered - self._booked_at

    def connected(self) -> None:
        """One more connection is open."""
        self.connections += 1
        self.connections_peak = max(self.connections_peak, self.connections)

    def disconnected(self) -> None:
        """One less."""
        self.connections -= 1

    def forget_peak(self) -> None:
        """A new day: the peak starts with the connections there are."""
        self.connections_peak = self.connections

    def book(self, day: int, messages: int, counted: int) -> None:
        """Note what the books say: all nodes have used ``messages`` on a day.

        Args:
            day: days since the epoch.
            messages: how many.
            counted: ``published + delivered`` as they were when this node's share went in.
        """
        self._day, self._booked, self._booked_at = day, messages, counted

    def take_read(self, limits: Limits, now: float) -> None:
        """Count a request that reads.

        Raises:
            RateLimitedError: ``read_rate``.
        """
        if not limits.reads_per_second:
            return
        self._turn_second(now)
        if self._reads >= limits.reads_per_second:
            raise Rate.READS.exceeded(limits.reads_per_second)
        self._reads += 1

    def take_publish(self, limits: Limits, now: float) -> None:
        """Count a request that publishes, before what it publishes is looked at.

        Raises:
            RateLimitedError: ``publish_rate``.
        """
        if not limits.publishes_per_second:
            return
        self._turn_second(now)
        if self._publishes >= limits.publishes_per_second:
            raise Rate.PUBLISHES.exceeded(limits.publishes_per_second)
        self._publishes += 1

    def take_messages(self, count: int, limits: Limits, now: float) -> None:
        """Count messages that are about to be published: all of them, or none.

        A second's first publish always gets through, however many messages it has: else it never could.

        Raises:
            RateLimitedError: ``message_rate``, or ``message_quota`` until the day is over.
        """
        if limits.messages_per_second:
            self._check_second(count, limits.messages_per_second, now)
        if limits.messages_per_day and self.messages_today(now) >= limits.messages_per_day:
            raise RateLimitedError(
                "message_quota",
                f"This app's plan has {limits.messages_per_day} messages a day, and today's are used up.",
                math.ceil(SECONDS_A_DAY - now % SECONDS_A_DAY),
            )
        self.published += count

    def _check_second(self, count: int, limit: int, now: float) -> None:
        self._turn_second(now)
        taken = self.published - self._published_at_second
        if taken and taken + count > limit:
            raise Rate.MESSAGES.exceeded(limit)

    def _turn_second(self, now: float) -> None:
        second = int(now)
        if second != self._second:
            self._second = second
            self._published_at_second = self.published
            self._publishes = self._reads = 0

    def _turn_day(self, now: float) -> None:
        day = int(now // SECONDS_A_DAY)
        if day > self._day:
            self.book(day, 0, self.published + self.delivered)
