"""What is logged, and what never is."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, structlog
from skubber.core.app import ApiKey, App
from skubber.server.logs import configure_logs
from skubber.settings import Settings

configure_logs(Settings(log_format=sys.argv[1]))

def fail(headers):
    secret = "hunter2"
    app = App.with_keys("a", [ApiKey("k", secret)])
    raise RuntimeError("unforeseen")

try:
    fail([(b"x-api-secret", b"hunter2")])
except RuntimeError:
    structlog.stdlib.get_logger("skubber.api").exception("request failed", path="/apps/a/events")
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_failure_is_logged_with_its_traceback_and_without_the_secrets_in_its_frames(log_format: str) -> None:
    command = [sys.executable, "-c", SCRIPT, log_format]
    log = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stderr
    for part in ("request failed", "/apps/a/events", "RuntimeError", "unforeseen", "fail"):
        assert part in log
    assert "hunter2" not in log
