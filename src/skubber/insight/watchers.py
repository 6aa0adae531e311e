"""Who watches what happens in apps on this node, and what they are still to be told."""

import time
from collections.abc import Callable
from functools import partial

from skubber.core.observers import NAMES_SEPARATOR, Observers, Occurrence
from skubber.insight.questions import Observation, Observe

LEASE_SECONDS = 5.0
"""A watcher who has not asked for so long is forgotten: its node, or its browser, is gone."""

MOST_KEPT = 200
"""Most things kept for a watcher from one question to the next. Of more, only how much it was is known: whoever looks
on must not slow down those who publish."""

MOST_CHARACTERS = 10_000
"""Most characters of an event's data that are shown."""


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
        self._kept: list[tuple[float, Occurrence]] = []
        self._skipped = 0

    def take(self, at: float, occurrence: Occurrence) -> None:
        """Keep what happened at a time, if it is wanted and there is room."""
        if not self._wants(occurrence):
            return
        if len(self._kept) >= MOST_KEPT:
            self._skipped += 1
        else:
            self._kept.append((at, occurrence))

    def hand_over(self, now: float) -> tuple[list[Observation], int]:
        """What was kept, and how much was not."""
        kept, skipped = self._kept, self._skipped
        self._kept, self._skipped, self.last_asked = [], 0, now
        return [_observation(*each) for each in kept], skipped

    def _wants(self, occurrence: Occurrence) -> bool:
        question, event = self.question, occurrence.event
        if self._kinds and occurrence.kind not in self._kinds:
            return False
        if question.socket_id is not None and occurrence.socket_id != question.socket_id:
            return False
        wanted = question.channel
        if wanted is not None and not any(_matches(channel, wanted) for channel in occurrence.channels):
            return False
        if question.event is None:
            return True
        # A webhook's request tells of several.
        names = [event.name] if event is not None else (occurrence.name or "").split(NAMES_SEPARATOR)
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
        self._observers.by_app.setdefault(question.app_id, partial(self._take, question.app_id))
        watcher = watchers.get(question.watcher)
        if watcher is None or watcher.question != question:
            watchers[question.watcher] = _Watcher(question, now)
            return [], 0
        return watcher.hand_over(now)

    def _take(self, app_id: str, occurrence: Occurrence) -> None:
        """Something has happened in an app that was watched a moment ago."""
        at, oldest = self._clock(), self._monotonic() - LEASE_SECONDS
        is_anybody_gone = False
        for watcher in self._watchers.get(app_id, {}).values():
            if watcher.last_asked < oldest:
                is_anybody_gone = True
            else:
                watcher.take(at, occurrence)
        if is_anybody_gone:
            self._forget(self._monotonic())

    def _forget(self, now: float) -> None:
        """Let go of who has not asked for long, and of apps that nobody watches."""
        for app_id, watchers in tuple(self._watchers.items()):
            for name, watcher in tuple(watchers.items()):
                if watcher.last_asked + LEASE_SECONDS < now:
                    del watchers[name]
            if not watchers:
                del self._watchers[app_id]
                del self._observers.by_app[app_id]


def _matches(text: str, wanted: str) -> bool:
    return text.startswith(wanted[:-1]) if wanted.endswith("*") else text == wanted


def _observation(at: float, occurrence: Occurrence) -> Observation:
    event = occurrence.event
    text = None if event is None else event.text
    return Observation(
        int(at * 1000),
        occurrence.kind,
        list(occurrence.channels),
        occurrence.name if event is None else event.name,
        None if text is None else text[:MOST_CHARACTERS],
        text is not None and len(text) > MOST_CHARACTERS,
        occurrence.socket_id,
        occurrence.user_id,
        occurrence.detail,
        occurrence.code,
    )
