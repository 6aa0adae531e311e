import pytest

from skubber.core.app import ApiKey, App
from skubber.store.apps import AppRegistry
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
