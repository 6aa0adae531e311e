"""``make bench``, on a tenth of its load."""

import subprocess
import sys

import pytest

from .conftest import ROOT

pytestmark = pytest.mark.usefixtures("executable")

RUN = [sys.executable, str(ROOT / "benchmarks" / "run.py")]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*RUN, *arguments], capture_output=True, text=True, timeout=100)


ROWS = {
    "fanout": 2,
    "publish": 2,
    "memory": 2,
    "connect": 2,
    "signalr-fanout": 4,
    "signalr-memory": 4,
    "tls-fanout": 2,
    "tls-memory": 1,
}
WITHOUT_TARGET = {"tls-fanout", "tls-memory"}
NOT_OF_A_FOREIGN_SERVER = ["signalr-fanout", "signalr-memory", "tls-fanout", "tls-memory"]


def rows_of(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    return [line.split("|") for line in done.stdout.splitlines() if line.startswith("|")][2:]


@pytest.mark.parametrize("workload", ROWS)
def test_every_row_of_a_workload_has_a_figure(workload: str) -> None:
    done = run("--quick", workload)
    assert done.returncode == 0, done.stderr
    rows = rows_of(done)
    assert len(rows) == ROWS[workload]
    for row in rows:
        assert any(digit.isdigit() for digit in row[2]), row
        assert row[6].strip() in ({"-"} if workload in WITHOUT_TARGET else {"yes", "no"})


def test_a_foreign_server_that_is_not_there_is_an_error_message() -> None:
    done = run("--quick", "fanout", "--url", "http://127.0.0.1:1", "--app", "a:b:c")
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["https://127.0.0.1:1", "127.0.0.1:1"])
def test_a_foreign_server_is_measured_without_encryption(url: str) -> None:
    done = run("--quick", "fanout", "--url", url, "--app", "a:b:c")
    assert done.returncode == 2
    assert "http://host:port" in done.stderr


@pytest.mark.parametrize("workload", NOT_OF_A_FOREIGN_SERVER)
def test_a_foreign_server_is_not_asked_for_what_it_may_lack(workload: str) -> None:
    done = run("--quick", workload, "--url", "http://127.0.0.1:1", "--app", "a:b:c")
    assert done.returncode == 0, done.stderr
    assert rows_of(done) == []
