"""The table of settings in the documentation is that of the settings there are."""

import subprocess
import sys
from pathlib import Path

import msgspec

from skubber.settings import AppSettings, KeySettings, LimitSettings, Settings, WebhookSettings

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "configuration.md"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / "scripts" / "configuration_table.py"
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_the_document_is_up_to_date() -> None:
    result = run("--check", DOCUMENT)
    assert result.returncode == 0, result.stderr


def test_an_outdated_document_is_found_and_brought_up_to_date(tmp_path: Path) -> None:
    document = tmp_path / "configuration.md"
    document.write_text(DOCUMENT.read_text("utf-8").replace("`5187`", "`80`"), "utf-8")
    result = run("--check", document)
    assert result.returncode == 1
    assert "out of date" in result.stderr
    assert run(document).returncode == 0
    assert document.read_text("utf-8") == DOCUMENT.read_text("utf-8")


def test_every_setting_has_a_row_with_a_meaning() -> None:
    rows = [line.split(" | ") for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `")]
    names = [row[0].removeprefix("| ").strip("`") for row in rows]
    expected = {
        *Settings.__struct_fields__,
        *(f"apps.{name}" for name in AppSettings.__struct_fields__),
        *(f"apps.keys.{name}" for name in KeySettings.__struct_fields__),
        *(f"apps.webhooks.{name}" for name in WebhookSettings.__struct_fields__),
        *(f"apps.limits.{name}" for name in LimitSettings.__struct_fields__),
    }
    assert len(names) == len(set(names))
    assert set(names) == expected
    assert all(row[-1].removesuffix(" |").endswith(".") for row in rows)


def test_the_flags_are_those_of_the_command_line() -> None:
    help_text = subprocess.run(
        [Path(sys.executable).parent / "skubber", "serve", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200"},
    ).stdout
    for field in msgspec.structs.fields(Settings):
        row = next(line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith(f"| `{field.name}` "))
        flag = row.split(" | ")[2].strip("`")
        assert flag.split()[0] in help_text
        assert flag.startswith(("--set", "--app ", f"--{field.name.replace('_', '-')}"))
