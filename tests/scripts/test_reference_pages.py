"""The pages of docs/reference are those of the code there is, and have all of it."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from core.test_errors import CODES
from skubber.web.asyncapi import SIDES
from skubber.web.openapi import openapi_document

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = {
    "command-line.md": "command_line_reference.py",
    "errors.md": "error_reference.py",
    "http-api.md": "http_api_reference.py",
    "realtime.md": "realtime_reference.py",
}


def run(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts" / script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def lines(page: str) -> set[str]:
    return set((REFERENCE / page).read_text("utf-8").splitlines())


def test_every_page_has_a_script() -> None:
    assert {file.name for file in REFERENCE.iterdir()} == set(PAGES)


@pytest.mark.parametrize(("page", "script"), PAGES.items())
def test_a_page_is_up_to_date(page: str, script: str) -> None:
    result = run(script, "--check", REFERENCE / page)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(("page", "script"), PAGES.items())
def test_an_outdated_page_is_found_and_written_anew(page: str, script: str, tmp_path: Path) -> None:
    copy = tmp_path / page
    copy.write_text((REFERENCE / page).read_text("utf-8").replace("The ", "Some ", 1), "utf-8")
    result = run(script, "--check", copy)
    assert result.returncode == 1
    assert "out of date" in result.stderr
    assert run(script, copy).returncode == 0
    assert copy.read_text("utf-8") == (REFERENCE / page).read_text("utf-8")


def test_every_error_code_has_a_row_with_its_status() -> None:
    rows = [line.split(" | ") for line in lines("errors.md") if re.match(r"\| `[a-z_]+` \| \d{3} ", line)]
    codes = {row[0].removeprefix("| ").strip("`"): int(row[1]) for row in rows}
    assert codes == CODES
    assert all(len(row) == 4 and row[2] for row in rows)


def test_every_operation_is_there() -> None:
    paths = msgspec.json.decode(openapi_document("myapp"))["paths"]
    calls = {f"`{method.upper()} {path}`" for path, operations in paths.items() for method in operations}
    assert calls <= {line.removesuffix(" (deprecated)") for line in lines("http-api.md")}


def test_every_message_is_there_in_each_direction() -> None:
    headings = {line for line in lines("realtime.md") if line.startswith("#### ")}
    expected = {
        f"#### {message.title} {{#{side.id}-{action}-{message.id}}}"
        for side in SIDES
        for action, messages in (("receive", side.to_server), ("send", side.to_client))
        for message in messages
    }
    assert headings == expected


@pytest.mark.parametrize("group", ["", "apps", "keys", "plans", "webhooks", "tokens", "secrets"])
def test_every_command_that_help_lists_is_there(group: str) -> None:
    arguments = [group] if group else []
    result = subprocess.run(
        [Path(sys.executable).parent / "skubber", *arguments, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "TERM": "dumb"},
    )
    section = result.stdout.partition("Commands")[2]
    names = {line.split()[1] for line in section.splitlines() if line[:1] == "│" and line[2:3].isalpha()}
    headings = {line.strip("# `") for line in lines("command-line.md") if line.startswith("#")}
    assert names
    assert {" ".join(["skubber", *arguments, name]) for name in names} <= headings
