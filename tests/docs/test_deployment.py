"""What docs/deployment.md tells people to do, as far as it can be done here."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import require
from skubber.store.vault import Vault

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "deployment.md").read_text()
MENTIONED = sorted(set(re.findall(r"\bdeploy/[\w./-]+\w", TEXT)))


@pytest.mark.parametrize("file", MENTIONED)
def test_what_is_mentioned_is_there(file: str) -> None:
    assert (ROOT / file).exists()


def test_every_file_to_deploy_with_is_mentioned() -> None:
    tops = {file.relative_to(ROOT).as_posix() for file in (ROOT / "deploy").iterdir() if not file.name.startswith(".")}
    assert all(any(file.startswith(top) for file in MENTIONED) for top in tops)


def test_the_secrets_that_are_written_are_those_that_are_wanted(tmp_path: Path) -> None:
    require("Making secrets", "openssl")
    block = re.search(r"^\(umask 077; .+?^\)$", TEXT, flags=re.MULTILINE | re.DOTALL)
    shell = shutil.which("sh")
    assert block is not None
    assert shell is not None
    subprocess.run([shell, "-c", block[0]], cwd=tmp_path, check=True)
    file = tmp_path / ".env"
    assert file.stat().st_mode & 0o077 == 0
    written = dict(line.split("=", 1) for line in file.read_text().splitlines())
    wanted = set(re.findall(r"\$\{(\w+):\?", (ROOT / "deploy" / "compose.yaml").read_text()))
    assert set(written) == wanted
    assert all(len(written[name]) == 48 for name in ("REDIS_PASSWORD", "POSTGRES_PASSWORD"))
    Vault([written["SKUBBER_ENCRYPTION_KEY"]])
