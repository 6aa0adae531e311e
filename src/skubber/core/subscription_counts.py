"""Telling the subscribers of a channel how many they are.

Source: Pusher Channels documentation, "Subscription count event".
"""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from skubber.core.app import App
from skubber.core.broker import Broker
from skubber.core.errors import UnavailableError
from skubber.core.event import SubscriptionCount
from skubber.core.timer_wheel import TimerWheel
from skubber.core.webhook import Announcer, WebhookEvent, WebhookEventName

UNTHROTTLED_COUNT = 100
"""Up to so many subscribers every change is told at once."""

THROTTLED_INTERVAL = 5
"""Seconds between two counts on a channel with more."""


class SubscriptionCounts:
    """Publishes counts, often enough and not too often.

    Nobody waits for a count and none has to arrive: the next one makes up for it.

    Args:
        wheel: the timer wheel.
        run: runs a coroutine that nobody waits for.
    """

    __slots__ = ("_run", "_throttled", "_wheel")

    def __init__(self, wheel: TimerWheel, run: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self._wheel = wheel
        self._run = run
        self._throttled: dict[tuple[str, str], _ThrottledChannel] = {}

    def changed(self, broker: Broker, app: App, channel: str, count: int, announce: Announcer | None = None) -> None:
        """A channel's count has changed: tell its subscribers and the back end, now or before long."""
        throttled = self._throttled.get((app.id, channel))
        if throttled is not None:
            throttled.count = count
            return
        if count > UNTHROTTLED_COUNT:
            self._throttle(broker, app, channel, count, announce)
        if count:
            self._run(_publish(broker, app.id, channel, count))
        if announce is not None and app.webhooks:
            announce(app.id, WebhookEvent(WebhookEventName.SUBSCRIPTION_COUNT, channel, subscription_count=count))

    def _throttle(self, broker: Broker, app: App, channel: str, count: int, announce: Announcer | None) -> None:
        def interval_over(latest: int) -> None:
            del self._throttled[app.id, channel]
            if latest != count:
                self.changed(broker, app, channel, latest, announce)

        throttled = self._throttled[app.id, channel] = _ThrottledChannel(count, interval_over)
        self._wheel.schedule(throttled, THROTTLED_INTERVAL)


async def _publish(broker: Broker, app_id: str, channel: str, count: int) -> None:
    with suppress(UnavailableError):
        await broker.publish(app_id, (channel,), SubscriptionCount(count), None)


class _ThrottledChannel:
    """A channel whose next count has to wait. Implements ``Timed``.

    Attributes:
        count: the latest.
    """

    __slots__ = ("_interval_over", "count", "timer_slot")

    def __init__(self, count: int, interval_over: Callable[[int], None]) -> None:
        self._interval_over = interval_over
        self.count = count
        self.timer_slot = -1

    def timer_due(self, now: int) -> int:
        """The time to wait is over."""
        self._interval_over(self.count)
        return 0
