"""Who watches what happens in apps on this node, and what they are still to be told."""

import time
from collections.abc import Callable, Sequence

from skubber.core.event import Event
from skubber.core.observers import NAMES_SEPARATOR, Kind, Observers
from skubber.insight.questions import Observation, Observe

LEASE_SECONDS = 5.0
"""A watcher who has not asked for so long is forgotten: its node, or its browser, is gone."""

MOST_KEPT = 200
"""Most things kept for a watcher from one question to the next. Of more, only how much it was is known: whoever looks
on must not slow down those who publish."""

MOST_CHARACTERS = 10_000
"""Most characters of an event's data that are shown."""

_Kept = tuple[float, Kind, Sequence[str], str | None, Event | None, str | None, str | None, str | None, str | None]


class _Watcher:
    """One who watches an app.

    Args:
        question: what it asks, its filter among it.
        now: seconds, monotonic.
    """

    __slots__ = ("_kept", "_kinds", "_skipped", "last_asked", "question")

    def __init__(self, question: Observe, now: float) -> None:
        self.question = question
        self.last_asked = now
        self._kinds = frozenset(question.kinds)
        self._kept: list[_Kept] = []
        self._skipped = 0

    def take(self, kept: _Kept) -> None:
        """Keep something, if it is wanted and there is room."""
        if not self._wants(*kept[1:6]):
            return
        if len(self._kept) >= MOST_KEPT:
            self._skipped += 1
        else:
            self._kept.append(kept)

    def hand_over(self, now: float) -> tuple[list[Observation], int]:
        """What was kept, and how much was not."""
        kept, skipped = self._kept, self._skipped
        self._kept, self._skipped, self.last_asked = [], 0, now
        return [_observation(*each) for each in kept], skipped

    def _wants(
        self, kind: Kind, channels: Sequence[str], name: str | None, event: Event | None, socket_id: str | None
    ) -> bool:
        question = self.question
        if self._kinds and kind not in self._kinds:
            return False
        if question.socket_id is not None and socket_id != question.socket_id:
            return False
        if question.channel is not None and not any(_matches(channel, question.channel) for channel in channels):
            return False
        if question.event is None:
            return True
        # A webhook's request tells of several.
        names = [event.name] if event is not None else (name or "").split(NAMES_SEPARATOR)
        return any(_matches(each, question.event) for each in names)


class Watchers:
    """All who watch apps on this node.

    Args:
        observers: where apps are watched.
        clock: seconds since the epoch.
        monotonic: seconds, monotonic.
    """

    def __init__(
        self, observers: Observers, clock: Callable[[], float], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._observers = observers
        self._clock = clock
        self._monotonic = monotonic
        self._watchers: dict[str, dict[str, _Watcher]] = {}

    def ask(self, question: Observe) -> tuple[list[Observation], int]:
        """What a watcher has not been told yet, and how much was skipped. It watches from now on, if it did not."""
        now = self._monotonic()
        self._forget(now)
        watchers = self._watchers.setdefault(question.app_id, {})
        self._observers.by_app.setdefault(question.app_id, _Observing(self, question.app_id))
        watcher = watchers.get(question.watcher)
        if watcher is None or watcher.question != question:
            watchers[question.watcher] = _Watcher(question, now)
            return [], 0
        return watcher.hand_over(now)

    def take(self, app_id: str, kept: _Kept) -> None:
        """Something has happened in an app that was watched a moment ago."""
        oldest = self._monotonic() - LEASE_SECONDS
        is_anybody_gone = False
        for watcher in self._watchers.get(app_id, {}).values():
            if watcher.last_asked < oldest:
                is_anybody_gone = True
            else:
                watcher.take(kept)
        if is_anybody_gone:
            self._forget(self._monotonic())

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock()

    def _forget(self, now: float) -> None:
        """Let go of who has not asked for long, and of apps that nobody watches."""
        for app_id, watchers in tuple(self._watchers.items()):
            for name, watcher in tuple(watchers.items()):
                if watcher.last_asked + LEASE_SECONDS < now:
                    del watchers[name]
            if not watchers:
                del self._watchers[app_id]
                del self._observers.by_app[app_id]


class _Observing:
    """Takes what happens in one app. Implements ``Observe``."""

    __slots__ = ("_app_id", "_watchers")

    def __init__(self, watchers: Watchers, app_id: str) -> None:
        self._watchers = watchers
        self._app_id = app_id

    def __call__(
        self,
        kind: Kind,
        channels: Sequence[str],
        name: str | None,
        event: Event | None,
        socket_id: str | None,
        user_id: str | None,
        detail: str | None,
        code: str | None,
    ) -> None:
        watchers = self._watchers
        watchers.take(self._app_id, (watchers.now(), kind, channels, name, event, socket_id, user_id, detail, code))


def _matches(text: str, wanted: str) -> bool:
    return text.startswith(wanted[:-1]) if wanted.endswith("*") else text == wanted


def _observation(
    at: float,
    kind: Kind,
    channels: Sequence[str],
    name: str | None,
    event: Event | None,
    socket_id: str | None,
    user_id: str | None,
    detail: str | None,
    code: str | None,
) -> Observation:
    text = None if event is None else event.text
    return Observation(
        int(at * 1000),
        kind,
        list(channels),
        name if event is None else event.name,
        None if text is None else text[:MOST_CHARACTERS],
        text is not None and len(text) > MOST_CHARACTERS,
        socket_id,
        user_id,
        detail,
        code,
    )
