"""``skubber doctor``, as an operator runs it: against servers that run, and with settings that are to be served."""

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from e2e.support.certificate import make_certificate
from e2e.support.server import APP_ID, EXECUTABLE, KEY, SECRET, NewServer, Server
from support.ports import free_port
from support.redis import RedisServer

APP = f"{APP_ID}:{KEY}:{SECRET}"

Examine = Callable[..., dict[str, dict[str, str]]]


@pytest.fixture
def examine(tmp_path: Path) -> Examine:
    """Has the doctor look, in a directory of its own; returns what it found by the name of the check."""

    def examine(*arguments: str, status: int = 0, **environment: str) -> dict[str, dict[str, str]]:
        result = run(*arguments, "--json", directory=tmp_path, **environment)
        assert result.returncode == status, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        assert SECRET not in result.stdout + result.stderr
        found = json.loads(result.stdout)["findings"]
        assert all(finding.get("advice", "").endswith(".") for finding in found if finding["status"] != "ok")
        return {finding["check"]: finding for finding in found}

    return examine


def run(*arguments: str, directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EXECUTABLE, "doctor", *arguments],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), **environment},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_settings_that_can_be_served_prove_themselves_and_leave_nothing(examine: Examine, tmp_path: Path) -> None:
    found = examine("--app", APP, "--port", "0")
    assert "received in" in found["round trip"]["message"]
    assert not [finding for finding in found.values() if finding["status"] == "failed"]
    assert list(tmp_path.iterdir()) == []


def test_an_event_goes_through_the_broker_and_tls_that_are_set(
    examine: Examine, redis_server: RedisServer, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path, lifetime=timedelta(days=90))
    found = examine(
        *("--port", "0", "--tls-certificate", str(certificate), "--tls-key", str(key)),
        *("--set", f"broker={redis_server.url}"),
    )
    assert found["round trip"]["status"] == "ok"
    with redis_server.client() as client:
        assert client.zcard("skubber:{nodes}:alive") == 0


def test_a_broker_that_is_away_keeps_events_from_arriving(examine: Examine) -> None:
    found = examine("--port", "0", "--set", f"broker=redis://127.0.0.1:{free_port()}", status=1)
    assert found["broker"]["status"] == "failed"
    assert "cannot reach its other nodes" in found["round trip"]["message"]


def test_a_server_that_cannot_start_is_told(examine: Examine, tmp_path: Path) -> None:
    _, key = make_certificate(tmp_path)
    found = examine("--port", "0", "--tls-certificate", "none.pem", "--tls-key", str(key), status=1)
    assert (found["certificate"]["status"], found["round trip"]["status"]) == ("failed", "failed")


def test_people_read_lines_with_what_to_do_below_them(tmp_path: Path) -> None:
    result = run("--port", "0", directory=tmp_path)
    lines = result.stdout.splitlines()
    assert "ok       settings              can be used" in lines
    apps = next(number for number, line in enumerate(lines) if line.startswith("warning  apps "))
    assert lines[apps + 1].startswith("         Make one with `skubber apps create`")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--set", "colour=blue"),
        ("--app", "only-an-id"),
        ("--config", "none.toml"),
        ("--app", "a:k:s", "--app", "a:l:s"),
        ("--url", "ftp://example.com"),
    ],
)
def test_settings_that_cannot_be_used_end_the_look(examine: Examine, arguments: tuple[str, ...]) -> None:
    found = examine(*arguments, status=1)
    assert list(found) == ["settings"]


def test_a_running_server_is_looked_at(examine: Examine, server: Server) -> None:
    found = examine("--url", server.url, "--app", APP)
    assert [found[check]["status"] for check in ("server", "clock", "round trip")] == ["ok"] * 3
    assert "port" not in found


def test_a_running_server_is_tried_with_an_app_of_the_database(
    examine: Examine, new_server: NewServer, tmp_path: Path
) -> None:
    subprocess.run([EXECUTABLE, "apps", "create", "shop"], cwd=tmp_path, check=True, capture_output=True)
    server = new_server(working_directory=tmp_path)
    assert examine("--url", server.url)["round trip"]["status"] == "ok"


def test_a_key_that_is_lost_is_not_replaced(examine: Examine, tmp_path: Path) -> None:
    subprocess.run([EXECUTABLE, "apps", "create", "shop"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "skubber.key").unlink()
    assert examine("--port", "0", status=1)["encryption key"]["status"] == "failed"
    assert not (tmp_path / "skubber.key").exists()


def test_without_an_app_a_running_server_is_not_tried(examine: Examine, server: Server) -> None:
    finding = examine("--url", server.url)["round trip"]
    assert finding["status"] == "warning"
    assert "--app" in finding["advice"]


def test_a_key_that_the_server_does_not_know_is_a_failure(examine: Examine, server: Server) -> None:
    assert examine("--url", server.url, "--app", "a:nobody:s", status=1)["round trip"]["status"] == "failed"


def test_a_certificate_is_taken_as_clients_take_it(examine: Examine, tls_server: Server) -> None:
    options = ("--url", tls_server.url, "--app", APP)
    assert examine(*options, SSL_CERT_FILE=str(tls_server.certificate))["round trip"]["status"] == "ok"
    found = examine(*options, status=1)
    assert (found["server"]["status"], found["round trip"]["status"]) == ("failed", "failed")


def test_a_server_that_is_not_there_is_a_failure(examine: Examine) -> None:
    found = examine("--url", f"http://127.0.0.1:{free_port()}", "--app", APP, status=1)
    assert (found["server"]["status"], found["round trip"]["status"]) == ("failed", "failed")


@contextmanager
def answering(status: int, date: datetime) -> Iterator[str]:
    """A web server that answers everything so; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            self.send_header("Date", format_datetime(date, usegmt=True))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "word"), [(503, "no clients"), (404, "answered 404")])
def test_a_server_that_takes_no_clients_is_a_failure(examine: Examine, status: int, word: str) -> None:
    with answering(status, datetime.now(UTC)) as url:
        finding = examine("--url", url, status=1)["server"]
    assert finding["status"] == "failed"
    assert word in finding["message"]


def test_a_server_in_another_time_refuses_signed_requests(examine: Examine) -> None:
    with answering(200, datetime.now(UTC) - timedelta(minutes=20)) as url:
        finding = examine("--url", url, status=1)["clock"]
    assert finding["status"] == "failed"
    assert "behind" in finding["message"]


def test_a_port_where_a_skubber_listens_is_worth_a_warning(examine: Examine, server: Server) -> None:
    finding = examine("--port", str(server.port))["port"]
    assert finding["status"] == "warning"
    assert f"skubber doctor --url {server.url}" in finding["advice"]


def test_a_port_where_something_else_listens_is_a_failure(examine: Examine) -> None:
    with answering(404, datetime.now(UTC)) as url:
        finding = examine("--port", url.rpartition(":")[2], status=1)["port"]
    assert finding["status"] == "failed"
    assert "in use" in finding["message"]


def test_an_address_that_is_not_of_this_machine_is_a_failure(examine: Examine) -> None:
    assert examine("--host", "192.0.2.1", status=1)["port"]["status"] == "failed"
