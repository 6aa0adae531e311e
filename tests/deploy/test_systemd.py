"""The systemd unit."""

import re
import subprocess
from pathlib import Path

import pytest

from conftest import require
from e2e.support.server import EXECUTABLE
from skubber.settings import Settings

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "skubber.service"
MOST_EXPOSED = 1.5
"""Of 10, by ``systemd-analyze security``; without any hardening it is 9.2 or more."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, its program where it is here."""
    require("A unit's check", "systemd-analyze")
    text = UNIT.read_text()
    assert "/opt/skubber/bin/skubber" in text
    file = tmp_path / UNIT.name
    file.write_text(text.replace("/opt/skubber/bin/skubber", str(EXECUTABLE)))
    return file


def test_systemd_finds_no_fault(unit: Path) -> None:
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_little_is_exposed(unit: Path) -> None:
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", unit],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    found = re.search(r"Overall exposure level for skubber.service: ([\d.]+)", result.stdout)
    assert found is not None
    assert float(found[1]) <= MOST_EXPOSED


def test_it_has_time_to_stop() -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), flags=re.MULTILINE)
    assert found is not None
    assert int(found[1]) > Settings().shutdown_timeout + Settings().webhook_timeout
