"""What hatchling does before it makes a wheel: it has the pages' assets made, so that they are in the wheel.

Source: Hatch documentation, "Build hook plugins" and "Custom build hook".
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebAssetsBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs ``make web-assets``, which says what is missing where it cannot do all of it; only on CI it fails then."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel is made; ``version`` is "editable" when its files stay where they are."""
        if version == "editable":
            return  # `make` sees to it
        if not Path(self.root, "Makefile").is_file():
            return  # a build that has brought them along, the container's say
        if shutil.which("make") is None:
            print("make is missing: the wheel has the web assets that are there already", file=sys.stderr)
            return
        subprocess.run(["make", "web-assets"], cwd=self.root, check=True, stdout=sys.stderr)
