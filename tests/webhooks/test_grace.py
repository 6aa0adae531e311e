"""The grace period, on a timer wheel that the test turns."""

from hypothesis import given
from hypothesis import strategies as st

from skubber.core.timer_wheel import TimerWheel
from skubber.core.webhook import WebhookEvent, WebhookEventName
from skubber.webhooks.grace import GRACE_SECONDS, Grace

OCCUPIED, VACATED = WebhookEventName.CHANNEL_OCCUPIED, WebhookEventName.CHANNEL_VACATED
ADDED, REMOVED = WebhookEventName.MEMBER_ADDED, WebhookEventName.MEMBER_REMOVED


class Telling:
    """A grace period, and what is told."""

    def __init__(self) -> None:
        self.wheel = TimerWheel()
        self.told: list[tuple[str, ...]] = []
        self.grace = Grace(self.wheel, self._note)

    def _note(self, app_id: str, event: WebhookEvent) -> None:
        self.told.append((event.name, event.channel, *([event.user_id] if event.user_id else [])))

    def happens(self, name: WebhookEventName, channel: str = "c", user_id: str | None = None, app: str = "a") -> None:
        self.grace(app, WebhookEvent(name, channel, user_id))

    def pass_time(self, seconds: int = GRACE_SECONDS) -> list[tuple[str, ...]]:
        for _ in range(seconds):
            self.wheel.advance()
        return self.told


def test_what_comes_is_told_at_once() -> None:
    telling = Telling()
    for name in (OCCUPIED, ADDED, WebhookEventName.CLIENT_EVENT, WebhookEventName.CACHE_MISS):
        telling.happens(name)
    assert [name for name, *_ in telling.told] == [OCCUPIED, ADDED, "client_event", "cache_miss"]


def test_what_goes_is_told_three_seconds_later() -> None:
    telling = Telling()
    telling.happens(VACATED)
    assert telling.pass_time(2) == []
    assert telling.pass_time(1) == [(VACATED, "c")]
    assert telling.pass_time(10) == [(VACATED, "c")]


def test_who_is_back_was_never_gone() -> None:
    telling = Telling()
    telling.happens(REMOVED, user_id="u")
    telling.happens(VACATED)
    telling.pass_time(2)
    telling.happens(OCCUPIED)
    telling.happens(ADDED, user_id="u")
    assert telling.pass_time(10) == []


def test_who_is_back_too_late_was_gone() -> None:
    telling = Telling()
    telling.happens(VACATED)
    telling.pass_time()
    telling.happens(OCCUPIED)
    assert telling.told == [(VACATED, "c"), (OCCUPIED, "c")]


def test_somebody_else_is_not_who_was_gone() -> None:
    telling = Telling()
    telling.happens(REMOVED, user_id="u")
    telling.happens(ADDED, user_id="v")
    telling.happens(ADDED, channel="d", user_id="u")
    telling.happens(ADDED, user_id="u", app="b")
    assert telling.pass_time() == [(ADDED, "c", "v"), (ADDED, "d", "u"), (ADDED, "c", "u"), (REMOVED, "c", "u")]


def test_one_who_goes_again_waits_anew() -> None:
    telling = Telling()
    telling.happens(VACATED)
    telling.pass_time(2)
    telling.happens(OCCUPIED)
    telling.happens(VACATED)
    assert telling.pass_time(2) == []
    assert telling.pass_time(1) == [(VACATED, "c")]


@given(st.lists(st.sampled_from("abcdefgh"), unique=True), st.lists(st.integers(0, 2), min_size=8, max_size=8))
def test_members_are_removed_in_order_and_before_their_channel_is_vacated(users: list[str], pauses: list[int]) -> None:
    telling = Telling()
    for user, pause in zip(users, pauses, strict=False):
        telling.happens(REMOVED, user_id=user)
        telling.pass_time(pause)
    telling.happens(VACATED)
    assert telling.pass_time() == [*((REMOVED, "c", user) for user in users), (VACATED, "c")]


def test_what_waits_is_told_when_the_server_stops() -> None:
    telling = Telling()
    telling.happens(REMOVED, user_id="u")
    telling.happens(VACATED)
    telling.grace.end()
    assert telling.told == [(REMOVED, "c", "u"), (VACATED, "c")]
    assert telling.pass_time(10) == [(REMOVED, "c", "u"), (VACATED, "c")]
