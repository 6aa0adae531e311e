from collections.abc import Sequence

import pytest

from skubber.core.app import ApiKey, App
from skubber.store.apps import AppRegistry, StoredApp
from support.apps import KEY, OTHER_KEY, SECOND_KEY, disabled_app, make_app, other_app


def test_an_app_is_found_by_its_id_and_by_each_of_its_keys() -> None:
    app, other = make_app(), other_app()
    apps = AppRegistry([app, other])
    assert apps.find("4711") is app
    assert apps.find_by_key(KEY) is app
    assert apps.find_by_key(SECOND_KEY) is app
    assert apps.find_by_key(OTHER_KEY) is other
    assert list(apps.all()) == [app, other]


@pytest.mark.parametrize("unknown", ["", "4711 ", "OTHER", "nobody", KEY])
def test_an_unknown_id_finds_nothing(unknown: str) -> None:
    assert AppRegistry([make_app(), other_app()]).find(unknown) is None


@pytest.mark.parametrize("unknown", ["", "4711", KEY[:-1], KEY.upper()])
def test_an_unknown_key_finds_nothing(unknown: str) -> None:
    assert AppRegistry([make_app(), other_app()]).find_by_key(unknown) is None


def test_a_disabled_app_is_found_so_that_it_can_be_told_so() -> None:
    app = disabled_app()
    assert AppRegistry([app]).find("disabled") is app


def test_two_apps_cannot_share_an_id() -> None:
    with pytest.raises(ValueError, match="Two apps have the id 'a'"):
        AppRegistry([App.with_keys("a", [ApiKey("1", "s")]), App.with_keys("a", [ApiKey("2", "s")])])


def test_two_apps_cannot_share_a_key() -> None:
    with pytest.raises(ValueError, match="Two apps have the key 'k'"):
        AppRegistry([App.with_keys("a", [ApiKey("k", "s")]), App.with_keys("b", [ApiKey("k", "t")])])


class Observer:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def keys_gone(self, app: App, keys: Sequence[ApiKey]) -> None:
        self.told.append(f"{app.id} lost {' '.join(key.key for key in keys)}")

    def disabled(self, app: App) -> None:
        self.told.append(f"{app.id} disabled")

    def deleted(self, app: App) -> None:
        self.told.append(f"{app.id} deleted")


class Registry(AppRegistry):
    """A registry that a database stands behind."""

    def __init__(self, *configured: App) -> None:
        super().__init__(configured)
        self._observer = Observer()

    def store(self, *apps: App | StoredApp, now: float = 0) -> list[str]:
        """Let the database have these apps; returns what is told of it."""
        self.replace_stored(
            [app if isinstance(app, StoredApp) else StoredApp(app) for app in apps], now, self._observer
        )
        return self._told()

    def pass_time(self, now: float) -> list[str]:
        """Let it be a time; returns what is told."""
        self.expire(now, self._observer)
        return self._told()

    def _told(self) -> list[str]:
        told, self._observer.told = self._observer.told, []
        return told


def app(app_id: str, *keys: str, **options: bool) -> App:
    return App.with_keys(app_id, [ApiKey(key, f"secret of {key}") for key in keys], **options)


class TestStoredApps:
    def test_they_are_found_beside_the_configured_ones(self) -> None:
        registry = Registry(make_app())
        assert registry.store(app("a", "k1"), app("b", "k2")) == []
        found = registry.find("a")
        assert found is not None
        assert registry.find_by_key("k1") is found
        assert {each.id for each in registry.all()} == {"4711", "a", "b"}

    def test_a_change_shows_in_the_app_that_others_hold(self) -> None:
        registry = Registry()
        registry.store(app("a", "k1"))
        held = registry.find("a")
        assert held is not None
        key = held.keys["k1"]
        assert registry.store(app("a", "k1", "k2", tls_only=True)) == []
        assert (held.tls_only, set(held.keys), held.keys["k1"] is key) == (True, {"k1", "k2"}, True)
        assert registry.find_by_key("k2") is held

    def test_a_key_that_is_gone_is_not_found_and_told_of(self) -> None:
        registry = Registry()
        registry.store(app("a", "k1", "k2"))
        assert registry.store(app("a", "k2")) == ["a lost k1"]
        assert registry.find_by_key("k1") is None
        assert registry.find_by_key("k2") is registry.find("a")

    def test_an_app_that_is_gone_is_not_found_and_told_of(self) -> None:
        registry = Registry()
        registry.store(app("a", "k1"), app("b", "k2"))
        assert registry.store(app("b", "k2")) == ["a deleted"]
        assert (registry.find("a"), registry.find_by_key("k1")) == (None, None)

    def test_an_app_that_is_disabled_is_told_of_once(self) -> None:
        registry = Registry()
        registry.store(app("a", "k1"))
        assert registry.store(app("a", "k1", enabled=False)) == ["a disabled"]
        assert registry.store(app("a", "k1", enabled=False)) == []
        assert registry.find("a") is not None

    def test_a_key_may_move_to_another_app(self) -> None:
        registry = Registry()
        registry.store(app("a", "k1"), app("b", "k2"))
        assert registry.store(app("a"), app("b", "k1", "k2")) == ["a lost k1"]
        assert registry.find_by_key("k1") is registry.find("b")

    def test_what_is_configured_comes_first(self) -> None:
        configured = app("a", "k1")
        registry = Registry(configured)
        assert registry.store(app("a", "k2"), app("b", "k1", "k3")) == []
        assert (registry.find("a"), registry.find_by_key("k1")) == (configured, configured)
        assert registry.find_by_key("k2") is None
        assert registry.find_by_key("k3") is registry.find("b")
        assert registry.store() == ["b deleted"]
        assert registry.find("a") is configured


class TestExpiry:
    def test_a_key_is_good_until_its_time(self) -> None:
        registry = Registry()
        stored = StoredApp(app("a", "k1", "k2"), key_expiry={"k1": 100.0})
        registry.store(stored, now=0)
        assert registry.pass_time(99.9) == []
        assert registry.find_by_key("k1") is registry.find("a")
        assert registry.pass_time(100) == ["a lost k1"]
        assert registry.find_by_key("k1") is None
        assert registry.pass_time(1000) == []

    def test_one_whose_time_is_over_already_never_was_there(self) -> None:
        registry = Registry()
        assert registry.store(StoredApp(app("a", "k1"), key_expiry={"k1": 100.0}), now=100) == []
        assert registry.find_by_key("k1") is None

    def test_the_secret_before_is_good_until_its_time_and_nobody_is_dropped(self) -> None:
        registry = Registry()
        rotated = App.with_keys("a", [ApiKey("k1", "new", "old")])
        registry.store(StoredApp(rotated, secret_expiry={"k1": 100.0}), now=0)
        held = registry.find("a")
        assert held is not None
        key = held.keys["k1"]
        assert list(key.secrets) == ["new", "old"]
        assert registry.pass_time(100) == []
        assert held.keys["k1"] is key
        assert list(key.secrets) == ["new"]
