"""The migration pages name settings that there are, and their files can be used."""

import re
from pathlib import Path

import msgspec
import pytest

from skubber.settings import AppSettings, KeySettings, LimitSettings, Settings, WebhookSettings, load_settings

PAGES = sorted((Path(__file__).parents[2] / "docs").glob("migrate-from-*.md"))
TABLES: dict[str, type[msgspec.Struct]] = {
    "limits": LimitSettings,
    "webhooks": WebhookSettings,
    "keys": KeySettings,
    "apps": AppSettings,
}


def names(kind: type[msgspec.Struct], prefix: str = "") -> set[str]:
    return {f"{prefix}{field}" for field in kind.__struct_fields__}


# A field of an app is named as in the configuration's table, or from the app or its table on.
KNOWN = names(Settings) | names(AppSettings) | names(AppSettings, "apps.") | names(WebhookSettings)
KNOWN |= {
    name for table, kind in TABLES.items() for path in (f"{table}.", f"apps.{table}.") for name in names(kind, path)
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_settings_that_are_named_are_there(page: Path) -> None:
    columns = 0
    for table in re.findall(r"(?:^\|.*\n)+", page.read_text("utf-8"), re.MULTILINE):
        head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
        column = next(
            (number for number, title in enumerate(head) if title.startswith(("Skubber", "In `[[apps]]`"))), None
        )
        if column is None or (len(head) > 3 and head[-1] == "Why"):
            continue
        columns += 1
        for row in rows:
            named = re.findall(r"`([a-z_.]+)(?: = [^`]+)?`", row[column])
            assert named or row[column].startswith("none"), row
            assert set(named) <= KNOWN, row
    assert columns


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_files_are_good(page: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        file = tmp_path / "skubber.toml"
        file.write_text(block, "utf-8")
        settings = load_settings(file, {}, {})
        assert [key.secret for app in settings.apps for key in app.keys]
