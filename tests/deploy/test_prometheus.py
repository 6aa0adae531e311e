"""The alert rules, the scrape and the dashboard: promtool's opinion, and that what they name is exported."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from conftest import require
from skubber.server.run import build_server
from skubber.settings import Settings
from skubber.store.open import open_database
from support.apps import make_app

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "skubber.rules.yml"
SCRAPE = DEPLOY / "prometheus" / "prometheus.yml"
DASHBOARD = json.loads((DEPLOY / "grafana" / "skubber.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
RULE_TESTS = Path(__file__).with_name("skubber.rules.test.yml")
PROMETHEUS_OWN = {"up"}

_METRIC = re.compile(r"\b(?:skubber|process|python)_[a-z_]+\b|\bup\b")


def promtool(*arguments: object, cwd: Path | None = None) -> None:
    """Have promtool check something, which must please it."""
    require("A check of Prometheus files", "promtool")
    result = subprocess.run(
        ["promtool", *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]:
        yield from group["rules"]


def dashboard_queries() -> Iterator[str]:
    for panel in PANELS:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (each["query"]["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query")


@pytest.fixture
async def exported(store_settings: Settings) -> set[str]:
    """The names of the samples that a server with a database exports."""
    _, runtime = build_server(store_settings, [make_app()])
    assert runtime.store is not None
    assert runtime.webhooks is not None
    database, _ = await open_database(store_settings)
    runtime.store.database = database
    runtime.webhooks.start(database, runtime.hub.broker)
    try:
        text, _ = await runtime.metrics.expose("")
    finally:
        await runtime.webhooks.stop()
        await database.close()
    return {name for family in text_string_to_metric_families(text.decode()) for name in samples_of(family)}


def samples_of(family: Any) -> set[str]:
    """The names of a family's samples; of one that has none as yet, that which they would have."""
    return {sample.name for sample in family.samples} or {family.name}


def test_promtool_finds_no_fault_with_the_rules_and_the_scrape(tmp_path: Path) -> None:
    promtool("check", "rules", RULES)
    shutil.copy(RULES, tmp_path)
    token = tmp_path / "skubber.token"
    token.write_text("a-token-of-16-or-more")
    text = SCRAPE.read_text("utf-8")
    assert "/etc/prometheus/skubber.token" in text
    (tmp_path / SCRAPE.name).write_text(text.replace("/etc/prometheus/skubber.token", str(token)), "utf-8")
    promtool("check", "config", tmp_path / SCRAPE.name)


def test_the_alerts_come_when_they_should_and_only_then(tmp_path: Path) -> None:
    shutil.copy(RULES, tmp_path)
    shutil.copy(RULE_TESTS, tmp_path)
    promtool("test", "rules", RULE_TESTS.name, cwd=tmp_path)


def test_every_alert_says_what_happened_what_to_do_and_how_soon() -> None:
    for rule in rules():
        assert rule["alert"].startswith("Skubber")
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["annotations"]["description"].endswith(".")


def test_every_alert_is_on_the_page_about_metrics() -> None:
    page = (DEPLOY.parent / "docs" / "metrics.md").read_text("utf-8")
    assert set(re.findall(r"`(Skubber\w+)`", page)) == {rule["alert"] for rule in rules()}


async def test_every_metric_that_is_named_is_exported(exported: set[str]) -> None:
    texts = [*(rule["expr"] for rule in rules()), *dashboard_queries()]
    named = {name for text in texts for name in _METRIC.findall(text)}
    assert named - exported == PROMETHEUS_OWN


async def test_every_metric_of_ours_is_on_the_dashboard_and_on_the_page_about_metrics(exported: set[str]) -> None:
    shown = {name for text in dashboard_queries() for name in _METRIC.findall(text)}
    page = (DEPLOY.parent / "docs" / "metrics.md").read_text("utf-8")
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported if name.startswith("skubber_")}
    assert {re.sub(r"_bucket$", "", name) for name in shown if name.startswith("skubber_")} == families
    assert set(re.findall(r"^\| `(skubber_\w+)`", page, re.MULTILINE)) == families


def test_the_dashboards_queries_are_promql(tmp_path: Path) -> None:
    expressions = [target["expr"] for panel in PANELS for target in panel.get("targets", ())]
    assert expressions
    plain = [
        each.replace("$__rate_interval", "5m").replace("$job", "j").replace("$instance", "i") for each in expressions
    ]
    assert not any("$" in each for each in plain)
    recorded = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(plain)]
    file = tmp_path / "dashboard.rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}), "utf-8")
    promtool("check", "rules", file)


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert (DASHBOARD["uid"], DASHBOARD["title"]) == ("skubber", "Skubber")
    assert DASHBOARD["schemaVersion"] >= 39
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "job", "instance"]
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    source = {"type": "prometheus", "uid": "${datasource}"}
    sources = [each["datasource"] for each in variables.values() if each["type"] == "query"]
    sources += [target["datasource"] for panel in PANELS for target in panel.get("targets", ())]
    sources += [panel["datasource"] for panel in PANELS if panel["type"] != "row"]
    assert all(each == source for each in sources)


def test_the_panels_lie_beside_each_other() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        assert panel["type"] in {"row", "stat", "timeseries"}
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells
