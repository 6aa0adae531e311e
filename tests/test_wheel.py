"""The wheel: it holds what `make web-assets` has made, so that whoever installs it needs no npm."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(shutil.which("npm") is None and "CI" not in os.environ, reason="npm is missing")
def test_the_wheel_holds_the_console_its_licences_and_the_demo_pages_client(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True)
    (wheel,) = tmp_path.iterdir()
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        page = archive.read("skubber/web/assets/console/index.html").decode()
        licences = archive.read("skubber/web/assets/console/licences.txt").decode()
    scripts = [name for name in names if name.startswith("skubber/web/assets/console/assets/") and name.endswith(".js")]
    assert any(f'src="/{name.removeprefix("skubber/web/")}"' in page for name in scripts)
    assert all(f"{name}.gz" in names for name in scripts)
    assert all(f"\n{name} " in f"\n{licences}" for name in ("preact", "wouter-preact", "uplot"))
    assert "skubber/web/assets/vendor/signalr.min.js" in names
