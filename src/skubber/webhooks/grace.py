"""The grace period: who is back before long was never gone, as far as back ends are told.

Source: Pusher Channels documentation, "Webhooks": channels vacated and members removed wait for up to three seconds.
"""

from skubber.core.timer_wheel import TimerWheel
from skubber.core.webhook import Announcer, WebhookEvent, WebhookEventName

GRACE_SECONDS = 3

_GOING = frozenset({WebhookEventName.CHANNEL_VACATED, WebhookEventName.MEMBER_REMOVED})
_COMING = frozenset({WebhookEventName.CHANNEL_OCCUPIED, WebhookEventName.MEMBER_ADDED})

_Place = tuple[str, str, str | None]


class Grace:
    """Holds back what says that somebody is gone, and drops it together with what says that they are back.

    All wait equally long, so what waits is told in the order in which it happened: a channel's members are removed
    before it is vacated. One timer is enough for that. Implements ``Announcer`` and ``Timed``.

    Args:
        wheel: the timer wheel.
        announce: is told what is left.
    """

    __slots__ = ("_announce", "_waiting", "_wheel", "timer_slot")

    def __init__(self, wheel: TimerWheel, announce: Announcer) -> None:
        self._wheel = wheel
        self._announce = announce
        self._waiting: dict[_Place, tuple[int, WebhookEvent]] = {}
        self.timer_slot = -1

    def __call__(self, app_id: str, event: WebhookEvent) -> None:
        """Tell of an event, now or after the grace period."""
        place = (app_id, event.channel, event.user_id)
        if event.name in _GOING:
            if not self._waiting:
                self._wheel.schedule(self, GRACE_SECONDS)
            self._waiting[place] = (self._wheel.now + GRACE_SECONDS, event)
        elif event.name not in _COMING or self._waiting.pop(place, None) is None:
            self._announce(app_id, event)

    def timer_due(self, now: int) -> int:
        """Tell what has waited long enough."""
        while self._waiting:
            place = next(iter(self._waiting))
            due, event = self._waiting[place]
            if due > now:
                return due - now
            del self._waiting[place]
            self._announce(place[0], event)
        return 0

    def end(self) -> None:
        """Tell everything that still waits: the server is stopping, and nobody will be back here."""
        self._wheel.cancel(self)
        waiting, self._waiting = self._waiting, {}
        for (app_id, _, _), (_, event) in waiting.items():
            self._announce(app_id, event)
