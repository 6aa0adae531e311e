"""What is logged, and what never is."""

import json
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
import logging, sys, structlog
from skubber.core.app import ApiKey, App
from skubber.server.logs import configure_logs
from skubber.settings import Settings

configure_logs(Settings(log_format=sys.argv[1], log_level=sys.argv[2]))

def fail(headers):
    secret = "hunter2"
    app = App.with_keys("a", [ApiKey("k", secret)])
    raise RuntimeError("unforeseen")

try:
    fail([(b"x-api-secret", b"hunter2")])
except RuntimeError as error:
    structlog.stdlib.get_logger("skubber.api").exception("request failed", path="/apps/a/events")
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)
    logging.getLogger("asyncio").error("Task exception was never retrieved", exc_info=error)

logging.getLogger("uvicorn.error").info("Started %s", "it", extra={"color_message": "Started in color"})
logging.getLogger("uvicorn.access").info('%s - "%s"', "127.0.0.1", "GET /apps/a?apiSecret=hunter2")
structlog.stdlib.get_logger("skubber.server").debug("detail")
"""


def log(log_format: str, level: str = "info") -> str:
    command = [sys.executable, "-c", SCRIPT, log_format, level]
    process = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert process.stdout == ""
    return process.stderr


def entries(level: str = "info") -> list[dict[str, Any]]:
    return [json.loads(line) for line in log("json", level).splitlines()]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_failure_is_logged_with_its_traceback_and_without_the_secrets_in_its_frames(log_format: str) -> None:
    lines = log(log_format)
    for part in ("request failed", "/apps/a/events", "ASGI application", "never retrieved", "Started it"):
        assert part in lines
    for part in ("RuntimeError", "unforeseen", "fail"):
        assert lines.count(part) >= 3
    assert "hunter2" not in lines


def test_json_logs_have_an_entry_a_line() -> None:
    failures = entries()[:3]
    assert [entry["logger"] for entry in failures] == ["skubber.api", "uvicorn.error", "asyncio"]
    for entry in failures:
        assert entry["level"] == "error"
        assert entry["timestamp"].endswith("Z")
        (exception,) = entry["exception"]
        assert (exception["exc_type"], exception["exc_value"]) == ("RuntimeError", "unforeseen")
        assert exception["frames"][-1]["name"] == "fail"


def test_uvicorns_access_log_and_colors_are_left_out() -> None:
    started = entries()[-1]
    del started["timestamp"]
    assert started == {"event": "Started it", "level": "info", "logger": "uvicorn.error"}


@pytest.mark.parametrize(("level", "count"), [("debug", 5), ("info", 4), ("warning", 3), ("error", 3)])
def test_what_is_less_severe_than_asked_for_is_not_logged(level: str, count: int) -> None:
    assert len(entries(level)) == count


def test_what_is_no_terminal_gets_json() -> None:
    for line in log("auto").splitlines():
        assert json.loads(line)["event"]
