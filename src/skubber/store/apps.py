"""Looking apps up by id and by key."""

from collections.abc import Iterable
from typing import Protocol

from skubber.core.app import App


class AppStore(Protocol):
    """Finds apps. Look-ups are on the hot path: they answer from memory."""

    def find(self, app_id: str) -> App | None:
        """The app of that id."""
        ...

    def find_by_key(self, key: str) -> App | None:
        """The app that owns an API key."""
        ...

    def all(self) -> Iterable[App]:
        """Every app."""
        ...


class ConfiguredApps:
    """A fixed set of apps, as the configuration names them.

    Raises:
        ValueError: two apps share an id, or a key.
    """

    def __init__(self, apps: Iterable[App]) -> None:
        self._by_id: dict[str, App] = {}
        self._by_key: dict[str, App] = {}
        for app in apps:
            if app.id in self._by_id:
                raise ValueError(f"Two apps have the id {app.id!r}: ids must differ.")
            self._by_id[app.id] = app
            for key in app.keys:
                if key in self._by_key:
                    raise ValueError(f"Two apps have the key {key!r}: keys must differ.")
                self._by_key[key] = app

    def find(self, app_id: str) -> App | None:
        return self._by_id.get(app_id)

    def find_by_key(self, key: str) -> App | None:
        return self._by_key.get(key)

    def all(self) -> Iterable[App]:
        return self._by_id.values()
