from skubber.core.app import ApiKey, App
from support.apps import KEY, SECRET, make_app


def test_a_secret_is_not_in_what_is_printed_of_a_key_or_an_app() -> None:
    assert SECRET not in repr(ApiKey(KEY, SECRET))
    assert SECRET not in repr(make_app())
    assert KEY in repr(make_app())


def test_an_app_finds_its_keys_by_their_name() -> None:
    app = App.with_keys("a", [ApiKey("k1", "s1"), ApiKey("k2", "s2")], enabled=False)
    assert (app.keys["k2"].key, app.keys["k2"].secret) == ("k2", "s2")
    assert set(app.keys) == {"k1", "k2"}
    assert (app.enabled, app.client_events, app.tls_only, app.is_demo) == (False, True, False, False)
