"""What every test may use."""

import os
import shutil

import pytest
from hypothesis import settings

# The same examples in every run: a failure is somebody's change, not chance.
settings.register_profile("skubber", derandomize=True, deadline=None)
settings.load_profile("skubber")


def require(component: str, *commands: str) -> None:
    """Skip the test when a command it needs is missing; on CI, fail."""
    missing = [command for command in commands if shutil.which(command) is None]
    if not missing:
        return
    message = f"{component} needs {', '.join(missing)}, which this machine lacks"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def node() -> None:
    """Node.js with the packages of ``tests/clients``."""
    require("A JavaScript client", "node", "npm")


@pytest.fixture(scope="session")
def chromium(node: None) -> str:
    """The path of a Chromium."""
    require("A browser test", "chromium")
    path = shutil.which("chromium")
    assert path is not None
    return path
