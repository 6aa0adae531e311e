"""The documents as a site."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build_site(root: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build a checkout's documents; a warning is a failure, of which standard error tells.

    ``--quiet`` would keep warnings from being failures.
    """
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", site],
        cwd=root,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
