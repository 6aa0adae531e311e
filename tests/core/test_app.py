from skubber.core.app import ApiKey, App, Scope
from skubber.core.limits import Limits
from support.apps import KEY, SECRET, described, make_app


def test_a_secret_is_not_in_what_is_printed_of_a_key_or_an_app() -> None:
    assert SECRET not in repr(ApiKey(KEY, SECRET))
    assert SECRET not in repr(make_app())
    assert KEY in repr(make_app())


def test_an_app_finds_its_keys_by_their_name() -> None:
    app = App.with_keys("a", [ApiKey("k1", "s1"), ApiKey("k2", "s2")], enabled=False)
    assert (app.keys["k2"].key, app.keys["k2"].secret) == ("k2", "s2")
    assert set(app.keys) == {"k1", "k2"}
    assert (app.enabled, app.client_events, app.tls_only, app.is_demo) == (False, True, False, False)


class TestBecoming:
    def test_the_app_and_its_keys_stay_the_same_objects_with_new_contents(self) -> None:
        app = App.with_keys("a", [ApiKey("k1", "s1"), ApiKey("k2", "s2")])
        first, meter = app.keys["k1"], app.meter
        now = App.with_keys(
            "a",
            [ApiKey("k1", "new", "s1", frozenset({Scope.READ})), ApiKey("k3", "s3")],
            limits=Limits(connections=7),
            enabled=False,
            plan="free",
        )
        gone = app.become(now)
        assert [key.key for key in gone] == ["k2"]
        assert app.keys["k1"] is first
        assert list(first.secrets) == ["new", "s1"]
        assert first.scopes == {Scope.READ}
        assert (app.limits.connections, app.enabled, app.plan) == (7, False, "free")
        assert set(app.keys) == {"k1", "k3"}
        assert app.meter is meter

    def test_every_field_is_taken_over(self) -> None:
        app, now = make_app(), make_app(enabled=False, client_events=False, is_demo=True, tls_only=True)
        app.become(now)
        assert described(app) == described(now)
