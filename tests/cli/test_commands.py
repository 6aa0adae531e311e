"""The commands that administer, without a server."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from skubber.cli import main
from skubber.store.vault import read_key_file

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a directory of its own."""
    monkeypatch.chdir(tmp_path)

    def run(command: str, text: str = "", status: int = 0) -> Result:
        result = CliRunner().invoke(main, command.split(), input=text)
        assert result.exit_code == status, result.output
        return result

    return run


def result_of(run: Run, command: str) -> Any:
    return json.loads(run(f"{command} --json").stdout)


def test_an_app_from_its_making_to_its_end(run: Run) -> None:
    printed = run("apps create shop --plan free --limit connections=5 --tls-only").stdout
    assert re.search(r"^secret  \w{48}$", printed, re.MULTILINE)
    assert "http://127.0.0.1:5187/apps/shop/events" in printed
    run("apps edit shop --limit channels=7 --limit connections= --no-enabled")
    shown = result_of(run, "apps show shop")
    assert (shown["plan"], shown["limits"], shown["enabled"], shown["tlsOnly"]) == (
        "free",
        {"channels": 7},
        False,
        True,
    )
    assert re.search(r"^shop +database +free +no +channels=7", run("apps list").stdout, re.MULTILINE)
    run("apps delete shop", "n\n", status=1)
    run("apps delete shop", "y\n")
    assert result_of(run, "apps list")["apps"] == []


def test_a_key_from_its_making_to_its_end(run: Run) -> None:
    run("apps create shop")
    created = result_of(run, "keys create shop --name reader --scope read --days 3")
    assert (created["scopes"], created["expiresAt"] is None) == (["read"], False)
    rotated = run(f"keys rotate shop {created['key']} --overlap 0").stdout
    assert created["secret"] not in rotated
    run(f"keys revoke shop {created['key']} --yes")
    listed = run("keys list shop").stdout
    assert len(listed.splitlines()) == 3
    assert created["secret"] not in listed
    assert [key["revokedAt"] is None for key in result_of(run, "keys list shop")["keys"] if key["name"]] == [False]


def test_a_plan_from_its_making_to_its_end(run: Run) -> None:
    run("plans set pro --limit connections=5")
    assert re.search(r"^pro +database +connections=5$", run("plans list").stdout, re.MULTILINE)
    run("plans delete pro --yes")
    assert "pro" not in {plan["name"] for plan in result_of(run, "plans list")["plans"]}


def test_a_webhook_from_its_making_to_its_end(run: Run) -> None:
    run("apps create shop")
    created = result_of(run, "webhooks create shop https://example.com --event member_added --header X-Token:hidden")
    assert (created["events"], created["headerNames"]) == (["member_added"], ["X-Token"])
    edited = result_of(run, f"webhooks edit shop {created['id']} --prefix presence- --no-batched --no-enabled")
    assert (edited["channelPrefix"], edited["isBatched"], edited["enabled"]) == ("presence-", False, False)
    assert "hidden" not in run("webhooks list shop").stdout
    assert re.search(r"^waiting +0$", run(f"webhooks status shop {created['id']}").stdout, re.MULTILINE)
    assert result_of(run, f"webhooks dead-letters shop {created['id']}")["deadLetters"] == []
    assert run(f"webhooks replay shop {created['id']} 1 2").stdout == "0 of them will be delivered again.\n"
    run(f"webhooks delete shop {created['id']} --yes")
    assert result_of(run, "webhooks list shop")["webhooks"] == []


def test_an_admin_token_from_its_making_to_its_end(run: Run) -> None:
    created = result_of(run, "tokens create me --role owner --days 1")
    assert re.fullmatch(r"mpa_\w{48}", created["token"])
    assert created["token"] not in run("tokens list").stdout
    run(f"tokens revoke {created['id']} --yes")
    assert result_of(run, "tokens list")["tokens"] == []


def test_changes_are_on_the_record_in_the_users_name(run: Run) -> None:
    run("plans set pro")
    (entry,) = result_of(run, "audit -n 5")["entries"]
    assert entry["actor"].startswith("cli:")
    assert "plan.put" in run("audit").stdout


def test_the_encryption_key_is_changed_in_its_file(run: Run, tmp_path: Path) -> None:
    run("apps create shop")
    before = read_key_file(tmp_path / "skubber.key")
    assert run("secrets rotate").stdout == "Encrypted 1 secrets with the new key.\n"
    assert read_key_file(tmp_path / "skubber.key") != before
    run("apps create other")


def test_a_new_encryption_key_is_one_that_can_be_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (run("secrets new-key").stdout.strip() for _ in "12")
    monkeypatch.setenv("SKUBBER_ENCRYPTION_KEY", old)
    run("apps create shop")
    monkeypatch.setenv("SKUBBER_ENCRYPTION_KEY", f"{new},{old}")
    run("secrets rotate")
    monkeypatch.setenv("SKUBBER_ENCRYPTION_KEY", new)
    run("apps create other")


def test_configured_apps_are_listed_and_refuse_changes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "skubber.toml").write_text('[[apps]]\nid = "fixed"\nkeys = [{ key = "k", secret = "s" }]\n')
    assert re.search(r"^fixed +configuration", run("apps list").stdout, re.MULTILINE)
    assert "change it there" in run("apps delete fixed --yes", status=2).stderr


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("apps create a/b", "id"),
        ("apps create a\x00", "id"),
        ("apps create --plan gold", "There is no such plan"),
        ("apps create --limit connections", "NAME=VALUE"),
        ("apps create --limit connections=many", "must be a number"),
        ("apps create --limit colour=1", "colour"),
        ("apps show nobody", "There is no app with this id"),
        ("apps show \udcff", "There is no app with this id"),
        ("keys create nobody", "There is no app with this id"),
        ("plans set pro\udcff", "name"),
        ("keys create nobody --scope fly", "scopes"),
        ("keys rotate nobody k --overlap -1", "overlap"),
        ("plans set a.b", "name"),
        ("plans delete gold --yes", "There is no plan"),
        ("webhooks create nobody ftp://example.com", "url"),
        ("webhooks create nobody https://example.com --header x", "NAME:VALUE"),
        ("tokens create me\udcff", "UTF-8"),
        ("tokens create me --role king", "role"),
        ("tokens revoke nothing --yes", "There is no admin token"),
        ("stats --token t --url http://127.0.0.1:1", "Cannot reach"),
        ("stats --token \udcff --url http://127.0.0.1:1", "Cannot reach"),
        ("apps list --config missing.toml", "Cannot read missing.toml"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(run: Run, command: str, sentence: str) -> None:
    message = run(command, status=2).stderr
    assert message.startswith("skubber: ")
    assert sentence in message
    assert message.rstrip().endswith(".")


def test_without_a_database_there_is_nothing_to_administer(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "skubber.toml").write_text('database = ""\n')
    assert "There is no database" in run("apps list", status=2).stderr
