"""The Dockerfile, as far as that goes without Docker."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from skubber.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STAGES = [stage for stage in re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE) if stage.startswith("FROM ")]
ALLOWED = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]


def copied() -> list[str]:
    """What the Dockerfile takes from the repository."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
    return [source for line in lines for source in line.split()]


def pins(lock: str) -> set[str]:
    """What a lock has, each with its version and without the systems it is for."""
    return {line.split()[0] for line in (ROOT / lock).read_text().splitlines() if line[:1].isalnum()}


def test_hadolint_finds_nothing() -> None:
    program = Path(sys.executable).parent / "hadolint"
    result = subprocess.run([program, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "")


def test_what_is_copied_is_there_and_let_in_and_nothing_else_is() -> None:
    # Of a folder that is let in some files may be copied first.
    assert {source for source in copied() if str(Path(source).parent) not in ALLOWED} == set(ALLOWED)
    for source in copied():
        assert (ROOT / source).exists()


def test_the_server_is_not_root_and_gets_signals_itself() -> None:
    last = STAGES[-1]
    assert re.search(r"^USER (\d+):(\d+)$", last, flags=re.MULTILINE)
    assert 'ENTRYPOINT ["skubber"]' in last
    assert "STOPSIGNAL SIGTERM" in last


def test_the_port_is_the_servers() -> None:
    assert f"EXPOSE {Settings().port}\n" in DOCKERFILE


def test_the_health_check_is_a_program_that_runs() -> None:
    found = re.search(r'CMD \["python", "-c", "(.+)"\]', DOCKERFILE)
    assert found is not None
    compile(found[1], "HEALTHCHECK", "exec")
    assert "/health" in found[1]


def test_the_image_has_no_version_that_is_not_tested() -> None:
    container = pins("requirements-container.lock")
    assert container <= pins("requirements-dev.lock")
    assert any(pin.startswith("asyncpg==") for pin in container)
    assert not any(pin.startswith("hatchling==") for pin in container)


def test_the_image_has_everything_that_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["postgresql"]]
    names = {re.split(r"==", pin)[0] for pin in pins("requirements-container.lock")}
    assert {re.split(r"[\[><=;]", requirement)[0] for requirement in asked} <= names


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_begins_with_a_version(stage: str) -> None:
    assert re.match(r"FROM \w+:\d", stage)
