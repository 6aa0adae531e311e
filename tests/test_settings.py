"""Settings: what weighs more, and what is said when something is wrong with them."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.core.app import ApiKey, App
from skubber.core.limits import Limits
from skubber.settings import AppSettings, KeySettings, Settings, SettingsError, load_settings, parse_app
from support.apps import described

HIDDEN = "hunter2"
"""A secret that no message may repeat."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test may write a configuration file."""
    return tmp_path / "skubber.toml"


def load(file: Path | None = None, environment: dict[str, str] | None = None, **flags: Any) -> Settings:
    return load_settings(file, environment or {}, flags)


def refused(file: Path | None = None, environment: dict[str, str] | None = None, **flags: Any) -> str:
    """The sentence with which settings are refused."""
    with pytest.raises(SettingsError) as error:
        load(file, environment, **flags)
    sentence = str(error.value)
    assert sentence.endswith(".")
    assert HIDDEN not in sentence
    return sentence


class TestPrecedence:
    def test_without_anything_the_defaults_hold(self) -> None:
        assert load() == Settings()
        assert (Settings().host, Settings().port, Settings().apps) == ("127.0.0.1", 5187, ())

    def test_the_file_weighs_more_than_the_defaults(self, file: Path) -> None:
        file.write_text('host = "0.0.0.0"\nport = 6001\naccess_log = true\n')
        settings = load(file)
        assert (settings.host, settings.port, settings.access_log) == ("0.0.0.0", 6001, True)

    def test_the_environment_weighs_more_than_the_file_and_a_flag_more_than_both(self, file: Path) -> None:
        file.write_text('host = "file"\nport = 1\nlog_level = "error"\n')
        environment = {"SKUBBER_HOST": "environment", "SKUBBER_PORT": "2"}
        settings = load(file, environment, host="flag", log_level=None)
        assert (settings.host, settings.port, settings.log_level) == ("flag", 2, "error")

    def test_a_flag_that_is_not_given_sets_nothing(self) -> None:
        assert load(environment={"SKUBBER_PORT": "2"}, port=None).port == 2

    def test_a_flag_may_be_false_or_zero(self) -> None:
        settings = load(environment={"SKUBBER_ACCESS_LOG": "true", "SKUBBER_PORT": "2"}, access_log=False, port=0)
        assert (settings.access_log, settings.port) == (False, 0)

    def test_apps_replace_those_that_weigh_less(self, file: Path) -> None:
        file.write_text('[[apps]]\nid = "file"\nkeys = [{ key = "k", secret = "s" }]\n')
        environment = {"SKUBBER_APPS": "environment:k:s"}
        assert [app.id for app in load(file).apps] == ["file"]
        assert [app.id for app in load(file, environment).apps] == ["environment"]
        assert [app.id for app in load_settings(file, environment, {}, [parse_app("flag:k:s")]).apps] == ["flag"]


class TestEnvironment:
    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("port", "0", 0),
            ("access_log", "true", True),
            ("access_log", "0", False),
            ("tls_certificate", "null", "null"),
            ("host", "7", "7"),
        ],
    )
    def test_values_are_text_and_become_what_the_setting_is(self, name: str, text: str, value: Any) -> None:
        environment = {f"SKUBBER_{name.upper()}": text}
        if name == "tls_certificate":
            environment["SKUBBER_TLS_KEY"] = "key.pem"
        assert getattr(load(environment=environment), name) == value

    @pytest.mark.parametrize("name", Settings.__struct_fields__)
    def test_an_empty_variable_is_not_set(self, name: str, file: Path) -> None:
        file.write_text('[[apps]]\nid = "file"\nkeys = [{ key = "k", secret = "s" }]\n')
        assert load(file, {f"SKUBBER_{name.upper()}": ""}) == load(file)

    def test_other_variables_are_not_looked_at(self) -> None:
        environment = {"PORT": "1", "SKUBBER_port": "1", "SKUBBER_CONFIG": "x", "SKUBBER_COLOUR": "blue"}
        assert load(environment=environment) == Settings()

    @pytest.mark.parametrize(
        "text",
        ["a:k:s,b:l:t", "a:k:s b:l:t", "a:k:s\nb:l:t\n", " a:k:s , b:l:t ", "a:k:s,,b:l:t,"],
    )
    def test_apps_are_separated_by_commas_or_white_space(self, text: str) -> None:
        apps = load(environment={"SKUBBER_APPS": text}).apps
        assert apps == (parse_app("a:k:s"), parse_app("b:l:t"))

    @pytest.mark.parametrize("text", ["a", "a:k", "a:k:", f"a:k:one,{HIDDEN}", f"a:k:one,{HIDDEN}:two", f"{HIDDEN}:k:"])
    def test_an_app_that_is_not_complete_is_refused_without_repeating_it(self, text: str) -> None:
        assert "ID:KEY:SECRET" in refused(environment={"SKUBBER_APPS": text})


class TestApps:
    @pytest.mark.parametrize(
        ("text", "app_id", "key", "secret"),
        [
            ("myapp:mps_x:y", "myapp", "mps_x", "y"),
            ("a:k:s:with:colons:", "a", "k", "s:with:colons:"),
            ("ünï 1:kéy:sécret 😀", "ünï 1", "kéy", "sécret 😀"),
            ("a/b:k,:'\"\\", "a/b", "k,", "'\"\\"),
            (" : : ", " ", " ", " "),
        ],
    )
    def test_an_app_is_its_id_key_and_secret(self, text: str, app_id: str, key: str, secret: str) -> None:
        assert parse_app(text) == AppSettings(app_id, (KeySettings(key, secret),))
        assert load_settings(None, {}, {}, [parse_app(text)]).apps == (parse_app(text),)

    @given(
        st.text(min_size=1).filter(lambda text: ":" not in text),
        st.text(min_size=1).filter(lambda text: ":" not in text),
        st.text(min_size=1),
    )
    def test_any_text_without_a_colon_may_be_an_id_or_a_key_and_any_a_secret(
        self, app_id: str, key: str, secret: str
    ) -> None:
        text = f"{app_id}:{key}:{secret}"
        assert parse_app(text).app().id == app_id
        assert [(each.key, each.secret) for each in parse_app(text).app().keys.values()] == [(key, secret)]

    @pytest.mark.parametrize(
        "text", ["", ":", "::", ":k:s", "a::s", "a:k:", "a:k", HIDDEN, f"a:{HIDDEN}", f"::{HIDDEN}"]
    )
    def test_an_app_with_a_part_missing_is_refused(self, text: str) -> None:
        with pytest.raises(SettingsError, match=r"ID:KEY:SECRET.*\.$") as error:
            parse_app(text)
        assert HIDDEN not in str(error.value)

    def test_an_app_that_is_not_utf8_is_refused(self) -> None:
        with pytest.raises(SettingsError, match=r"UTF-8\.$") as error:
            parse_app(f"a:k:{HIDDEN}\udcff")  # how Python hands over such arguments
        assert HIDDEN not in str(error.value)

    def test_the_file_gives_apps_in_full(self, file: Path) -> None:
        file.write_text(
            """
            [[apps]]
            id = "a"
            keys = [{ key = "k1", secret = "s1" }, { key = "k2", secret = "s2" }]
            client_events = false
            enabled = false
            tls_only = true
            subscription_counts = true
            requires_sign_in = true
            [apps.limits]
            connections = 7
            event_data_bytes = 99

            [[apps]]
            id = "b"
            keys = [{ key = "k3", secret = "s3" }]
            """
        )
        assert [described(app) for app in load(file).configured_apps()] == [
            described(
                App.with_keys(
                    "a",
                    [ApiKey("k1", "s1"), ApiKey("k2", "s2")],
                    limits=Limits(connections=7, event_data_bytes=99),
                    client_events=False,
                    enabled=False,
                    tls_only=True,
                    subscription_counts=True,
                    requires_sign_in=True,
                )
            ),
            described(App.with_keys("b", [ApiKey("k3", "s3")])),
        ]

    def test_every_limit_can_be_set(self, file: Path) -> None:
        values = dict.fromkeys(Limits.__dataclass_fields__, 3)
        lines = "\n".join(f"{name} = {value}" for name, value in values.items())
        file.write_text(f'[[apps]]\nid = "a"\nkeys = [{{ key = "k", secret = "s" }}]\n[apps.limits]\n{lines}\n')
        assert load(file).apps[0].app().limits == Limits(**values)

    def test_a_key_of_an_app_is_there_once(self, file: Path) -> None:
        file.write_text(f'[[apps]]\nid="a"\nkeys=[{{key="k",secret="{HIDDEN}"}},{{key="k",secret="t"}}]')
        assert "The key 'k' is there twice" in refused(file)


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("port = 70000", r"Setting `port`: .*65535"),
            ('port = "ssh"', r"Setting `port`: .*`int`"),
            ("colour = 1", r"`colour`"),
            ('log_level = "loud"', r"Setting `log_level`"),
            ("activity_timeout = 0", r"Setting `activity_timeout`: .*1"),
            (f'apps = "a:k:{HIDDEN}"', r"Setting `apps`"),
            ('[[apps]]\nid = "a"', r"Setting `apps\[0\]`: .*`keys`"),
            ('[[apps]]\nid = "a"\nkeys = []', r"Setting `apps\[0\]\.keys`"),
            (f'[[apps]]\nid = ""\nkeys = [{{ key = "k", secret = "{HIDDEN}" }}]', r"Setting `apps\[0\]\.id`"),
            ('[[apps]]\nid = "a"\nkeys = [{ key = "k", secret = "" }]', r"Setting `apps\[0\]\.keys\[0\]\.secret`"),
            ('[[apps]]\nid = "a"\nkeys = [{ key = "k", secret = 7 }]', r"Setting `apps\[0\]\.keys\[0\]\.secret`"),
            (f'[[apps]]\nid = "a"\nkeys = "{HIDDEN}"', r"Setting `apps\[0\]\.keys`"),
            (f'[[apps]]\nid = "a"\nkeys = ["{HIDDEN}"]', r"Setting `apps\[0\]\.keys\[0\]`"),
            (f'[[apps]]\nid = "a"\nkey = "{HIDDEN}"', r"Setting `apps\[0\]`: .*`key`"),
            (
                f'[[apps]]\nid="a"\nkeys=[{{key="k",secret="{HIDDEN}"}}]\nlimits={{connections=-1}}',
                r"limits\.connections`",
            ),
            (f'[[apps]]\nid = "a"\nkeys = [{{ key = "k", secret = "{HIDDEN} }}]', r"is not valid TOML"),
            (f"secret = {HIDDEN}", r"is not valid TOML.*line 1"),
            ("port = 1\nport = 2", r"is not valid TOML"),
            ('tls_key = "key.pem"', r"together"),
            ("workers = 2", r"set broker"),
            ("workers = 0", r"`workers`"),
            ("metrics_port = 5187", r"5187 to 5187 must be ports, and port none of them"),
            ('workers = 2\nbroker = "redis://x"\nmetrics_port = 5186', r"5186 to 5187"),
            ('workers = 2\nbroker = "redis://x"\nmetrics_port = 65535', r"65535 to 65536"),
            ('metrics_token = "too-short"', r"Setting `metrics_token`"),
            ('metrics_token = "sixteen or more characters"', r"Setting `metrics_token`"),
            ('tls_certificate = "certificate.pem"', r"together"),
        ],
    )
    def test_what_is_wrong_with_the_file_is_said_in_a_sentence(self, file: Path, text: str, sentence: str) -> None:
        file.write_text(text)
        assert re.search(sentence, refused(file))

    @pytest.mark.parametrize(
        ("environment", "sentence"),
        [
            ({"SKUBBER_PORT": "ssh"}, "`port`"),
            ({"SKUBBER_PORT": "-1"}, "`port`"),
            ({"SKUBBER_ACCESS_LOG": "yes"}, "`access_log`"),
            ({"SKUBBER_LOG_FORMAT": "xml"}, "`log_format`"),
            ({"SKUBBER_TLS_KEY": "key.pem"}, "together"),
        ],
    )
    def test_what_is_wrong_with_the_environment_is_said_in_a_sentence(
        self, environment: dict[str, str], sentence: str
    ) -> None:
        assert sentence in refused(environment=environment)

    def test_what_is_wrong_with_a_flag_is_said_in_a_sentence(self) -> None:
        assert "`colour`" in refused(colour="blue")
        assert "`apps`" in refused(apps=f"a:k:{HIDDEN}")

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        assert refused(tmp_path / "missing.toml") == f"Cannot read {tmp_path}/missing.toml: No such file or directory."
        assert refused(tmp_path) == f"Cannot read {tmp_path}: Is a directory."

    def test_a_file_that_is_not_utf8_is_named(self, file: Path) -> None:
        file.write_bytes(b'host = "\xff"')
        assert refused(file) == f"Cannot read {file}: it is not UTF-8."

    def test_a_file_is_utf8_whatever_the_locale(self, file: Path) -> None:
        file.write_text('[[apps]]\nid = "ünï"\nkeys = [{ key = "k", secret = "s" }]', "utf-8")
        script = (
            "import pathlib, sys, skubber.settings as settings\n"
            "print(ascii(settings.load_settings(pathlib.Path(sys.argv[1]), {}, {}).apps))"
        )
        environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        output = subprocess.check_output([sys.executable, "-c", script, file], env=environment, text=True)
        assert ascii("ünï") in output
