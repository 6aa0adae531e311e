"""Looking apps up by id and by key, in memory: the configured ones and those that come from a database."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from skubber.core.app import ApiKey, App


class AppStore(Protocol):
    """Finds apps. Look-ups are on the hot path: they answer from memory.

    Attributes:
        used_keys: when which key was used last, seconds since the epoch; whoever keeps books takes them out.
    """

    used_keys: dict[str, float]

    def find(self, app_id: str) -> App | None:
        """The app of that id."""
        ...

    def find_by_key(self, key: str) -> App | None:
        """The app that owns a good API key."""
        ...

    def all(self) -> Iterable[App]:
        """Every app."""
        ...


@dataclass(frozen=True, slots=True)
class StoredApp:
    """An app as a store has it.

    Attributes:
        app: the app, with every key that is good or was.
        key_expiry: when its keys cease to be good, where they do, seconds since the epoch.
        secret_expiry: when the secrets before the current ones cease to be good.
    """

    app: App
    key_expiry: dict[str, float] = field(default_factory=dict)
    secret_expiry: dict[str, float] = field(default_factory=dict)

    def at(self, now: float) -> App:
        """The app with the keys and secrets that are good at a time."""
        keys = {
            key: each if self.secret_expiry.get(key, 0) > now else replace(each, previous_secret=None)
            for key, each in self.app.keys.items()
            if self.key_expiry.get(key, math.inf) > now
        }
        return replace(self.app, keys=keys)

    def next_expiry(self, now: float) -> float:
        """When ``at`` will next give something else."""
        times = (*self.key_expiry.values(), *self.secret_expiry.values())
        return min((time for time in times if time > now), default=math.inf)


class AppObserver(Protocol):
    """Is told of changes to apps that connections may have been made to."""

    def keys_gone(self, app: App, keys: Sequence[ApiKey]) -> None:
        """Keys of an app are not good any more."""
        ...

    def disabled(self, app: App) -> None:
        """An app was disabled."""
        ...

    def deleted(self, app: App) -> None:
        """An app is gone."""
        ...


class AppRegistry:
    """All apps. Those that were configured stay as they are; those of a database may change at any time.

    Args:
        configured: the apps that the configuration names.

    Raises:
        ValueError: two configured apps share an id, or a key.
    """

    def __init__(self, configured: Iterable[App]) -> None:
        self.used_keys: dict[str, float] = {}
        self._by_id: dict[str, App] = {}
        self._by_key: dict[str, App] = {}
        self._stored: Sequence[StoredApp] = ()
        self._next_expiry = math.inf
        for app in configured:
            if app.id in self._by_id:
                raise ValueError(f"Two apps have the id {app.id!r}: ids must differ.")
            self._by_id[app.id] = app
            for key in app.keys:
                if key in self._by_key:
                    raise ValueError(f"Two apps have the key {key!r}: keys must differ.")
                self._by_key[key] = app
        self._configured = frozenset(self._by_id)
        self._configured_keys = frozenset(self._by_key)

    def find(self, app_id: str) -> App | None:
        return self._by_id.get(app_id)

    def find_by_key(self, key: str) -> App | None:
        return self._by_key.get(key)

    def all(self) -> Iterable[App]:
        return self._by_id.values()

    def replace_stored(self, stored: Sequence[StoredApp], now: float, observer: AppObserver) -> None:
        """Take over what a database has now, in place of what it had.

        A stored app with the id of a configured one, or a stored key that is configured, does not count.
        """
        self._stored = [each for each in stored if each.app.id not in self._configured]
        self._apply(now, observer)

    def expire(self, now: float, observer: AppObserver) -> None:
        """Drop the keys and secrets whose time is over; call it once a second or so."""
        if now >= self._next_expiry:
            self._apply(now, observer)

    def _apply(self, now: float, observer: AppObserver) -> None:
        current = {each.app.id: self._without_configured_keys(each.at(now)) for each in self._stored}
        self._next_expiry = min((each.next_expiry(now) for each in self._stored), default=math.inf)
        for app in [app for app in self._by_id.values() if app.id not in self._configured]:
            self._update(app, current.pop(app.id, None), observer)
        for app in current.values():
            self._by_id[app.id] = app
            self._by_key.update(dict.fromkeys(app.keys, app))

    def _update(self, app: App, now: App | None, observer: AppObserver) -> None:
        for key in app.keys:
            del self._by_key[key]
        if now is None:
            del self._by_id[app.id]
            observer.deleted(app)
            return
        was_enabled = app.enabled
        gone = app.become(now)
        self._by_key.update(dict.fromkeys(app.keys, app))
        if gone:
            observer.keys_gone(app, gone)
        if was_enabled and not app.enabled:
            observer.disabled(app)

    def _without_configured_keys(self, app: App) -> App:
        app.keys = {key: value for key, value in app.keys.items() if key not in self._configured_keys}
        return app
