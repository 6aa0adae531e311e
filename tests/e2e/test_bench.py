"""``skubber bench``, at real servers: what it measures, what it finds, and how it ends."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from e2e.support.meddler import meddling_with
from e2e.support.server import APP_ID, EXECUTABLE, KEY, SECRET, NewServer, Server
from e2e.support.terminal import Terminal

APP = f"{APP_ID}:{KEY}:{SECRET}"
SMALL = ("--connections", "12", "--channels", "3", "--publishers", "2", "--rate", "50", "--duration", "1")
WITHOUT_END = ("--connections", "12", "--duration", "600")

LIMITED = """
[[apps]]
id = "{id}"
keys = [{{ key = "{key}", secret = "{secret}" }}]
limits = {{ messages_per_second = 10, connections = 20 }}
"""


def run(*arguments: str, directory: Path, status: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [EXECUTABLE, "bench", *arguments],
        cwd=directory,
        env={"PATH": os.environ["PATH"], "HOME": str(directory), **environment},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert result.returncode == status, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stdout + result.stderr
    return result


def figures(*arguments: str, directory: Path, status: int = 0, **environment: str) -> dict[str, Any]:
    """What it measures, as JSON has it."""
    found: dict[str, Any] = json.loads(
        run(*arguments, "--json", directory=directory, status=status, **environment).stdout
    )
    return found


def at(server: Server) -> tuple[str, ...]:
    return "--url", server.url, "--app", APP


def amiss(found: dict[str, Any]) -> list[int]:
    """Messages lost, repeated and out of order; connections cut."""
    delivery = found["delivery"]
    return [delivery["lost"], delivery["duplicated"], delivery["reordered"], found["connecting"]["cut"]]


@pytest.mark.parametrize("protocol", ["pusher", "signalr"])
def test_every_message_is_received_by_every_client_of_its_channel(
    server: Server, tmp_path: Path, protocol: str
) -> None:
    found = figures(*at(server), *SMALL, "--protocol", protocol, directory=tmp_path)
    assert found["connecting"]["subscribed"] == 12
    assert found["publishing"]["answered"] + found["publishing"]["late"] == 50
    assert found["delivery"]["received"] == found["publishing"]["answered"] * 4
    assert amiss(found) == [0, 0, 0, 0]
    for latency in (found["publishing"]["latency"], found["delivery"]["latency"]):
        assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"]
    assert sum(bar["count"] for bar in found["histogram"]) == found["delivery"]["received"]
    assert sum(moment["received"] for moment in found["timeline"]) == found["delivery"]["received"]
    assert (found["findings"], found["error"], found["isInterrupted"]) == ([], "", False)


def test_the_shape_of_the_json_is_what_the_documents_promise(server: Server, tmp_path: Path) -> None:
    found = figures(*at(server), *SMALL, directory=tmp_path)
    latency = {"p50", "p90", "p99", "max"}
    assert {name: set(found[name]) for name in ("asked", "connecting", "publishing", "delivery", "generator")} == {
        "asked": {"url", "protocol", "connections", "channels", "publishers", "rate", "size", "seconds"},
        "connecting": {"subscribed", "seconds", "perSecond", "cut"},
        "publishing": {"answered", "seconds", "perSecond", "refused", "late", "latency"},
        "delivery": {"received", "perSecond", "lost", "duplicated", "reordered", "latency"},
        "generator": {"processes", "subscribersCpu", "publishersCpu", "loopDelay"},
    }
    assert set(found["publishing"]["latency"]) == set(found["delivery"]["latency"]) == latency
    assert set(found["histogram"][0]) == {"upTo", "count"}
    assert set(found["timeline"][0]) == {"second", "received", "p50", "p99"}
    assert set(found) - {"asked", "connecting", "publishing", "delivery", "generator", "histogram", "timeline"} == {
        *("server", "findings", "warnings", "isInterrupted", "error")
    }
    assert found["server"] is None


def test_without_a_url_a_server_is_started_measured_and_gone(tmp_path: Path) -> None:
    found = figures(*SMALL, "--size", "20000", directory=tmp_path)
    assert amiss(found) == [0, 0, 0, 0]
    assert found["server"]["cpu"] > 0
    assert found["server"]["bytesPerConnection"] > 0
    assert list(tmp_path.iterdir()) == []


def test_clients_are_shared_among_processes_and_channels_among_publishers(server: Server, tmp_path: Path) -> None:
    found = figures(
        *at(server), *SMALL, "--processes", "3", "--publishers", "7", "--connect-rate", "100", directory=tmp_path
    )
    assert found["generator"]["processes"] == 3
    assert found["delivery"]["received"] == found["publishing"]["answered"] * 4
    assert amiss(found) == [0, 0, 0, 0]
    assert found["connecting"]["perSecond"] <= 150


def test_without_a_rate_it_publishes_as_fast_as_it_is_answered(server: Server, tmp_path: Path) -> None:
    found = figures(*at(server), *SMALL, "--rate", "0", directory=tmp_path)
    assert found["publishing"]["answered"] > 10
    assert amiss(found) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("meddling", "expected", "words"),
    [
        ("drop", [12, 0, 0, 0], "did not arrive"),
        ("repeat", [0, 12, 0, 0], "more than once"),
        ("swap", [0, 0, 12, 0], "after a later one"),
    ],
)
def test_what_is_lost_repeated_or_out_of_order_on_the_way_is_found(
    server: Server, tmp_path: Path, meddling: str, expected: Sequence[int], words: str
) -> None:
    with meddling_with(server.port, meddling) as url:
        found = figures("--url", url, "--app", APP, *SMALL, directory=tmp_path, status=1)
    assert amiss(found) == expected
    (finding,) = found["findings"]
    assert finding.startswith("12 of the messages")
    assert words in finding


def test_clients_that_are_cut_off_are_found_with_what_they_miss(server: Server, tmp_path: Path) -> None:
    with meddling_with(server.port, "cut") as url:
        found = figures("--url", url, "--app", APP, *SMALL, directory=tmp_path, status=1)
    lost, *_, cut = amiss(found)
    assert cut == 12
    assert lost == found["publishing"]["answered"] * 4 - 12 * 2
    assert "12 clients were cut off." in found["findings"]


def test_a_delay_on_the_way_is_in_the_latency_of_deliveries_alone(server: Server, tmp_path: Path) -> None:
    with meddling_with(server.port, "delay") as url:
        found = figures("--url", url, "--app", APP, *SMALL, directory=tmp_path)
    assert amiss(found) == [0, 0, 0, 0]
    assert found["delivery"]["latency"]["p50"] >= 300
    assert found["publishing"]["latency"]["p50"] < found["delivery"]["latency"]["p50"]


@pytest.fixture
def limited(new_server: NewServer, tmp_path: Path) -> Server:
    """A server whose app may not do much."""
    file = tmp_path / "limited.toml"
    file.write_text(LIMITED.format(id=APP_ID, key=KEY, secret=SECRET))
    return new_server("--config", str(file), is_demo=True)


def test_a_limit_that_is_hit_is_named(limited: Server, tmp_path: Path) -> None:
    found = figures(*at(limited), *SMALL, directory=tmp_path, status=1)
    (refusal,) = found["publishing"]["refused"]
    assert refusal.startswith("message_rate: This app's plan has 10 messages a second.")
    assert amiss(found) == [0, 0, 0, 0]
    assert found["delivery"]["received"] == found["publishing"]["answered"] * 4
    assert f"{found['publishing']['refused'][refusal]} publishes were refused: {refusal}" in found["findings"]


@pytest.mark.parametrize("protocol", ["pusher", "signalr"])
def test_more_clients_than_are_allowed_end_it_with_how_many_got_in(
    limited: Server, tmp_path: Path, protocol: str
) -> None:
    result = run(*at(limited), *SMALL, "--connections", "30", "--protocol", protocol, directory=tmp_path, status=2)
    assert result.stdout == ""
    assert result.stderr.startswith("skubber: Only 20 of 30 clients could subscribe: the server refuses")
    assert "connection quota" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--app", f"{APP_ID}:nobody:{SECRET}"), "4001: There is no app with this key"),
        (("--app", f"{APP_ID}:nobody:{SECRET}", "--protocol", "signalr"), "issues no access token: 401"),
        (("--app", f"{APP_ID}:{KEY}:wrong"), "invalid_credentials"),
        (("--app", f"nothing:{KEY}:{SECRET}"), "no_such_app"),
        (("--app", APP, "--size", "20000"), "event_data_too_large"),
        (("--app", "only-an-id"), "ID:KEY:SECRET"),
        ((), "Say which app"),
        (("--app", APP, "--svg", "nowhere/bench.svg"), "There is no directory nowhere"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(
    server: Server, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    result = run("--url", server.url, *SMALL, *options, directory=tmp_path, status=2)
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.startswith("skubber: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://127.0.0.1:1", "Connection refused"), ("somewhere", "Give the server's URL as http")],
)
def test_a_server_that_is_not_there_is_a_sentence(tmp_path: Path, url: str, words: str) -> None:
    result = run("--url", url, "--app", APP, directory=tmp_path, status=2)
    assert words in result.stderr


def test_a_certificate_is_taken_as_clients_take_it(tls_server: Server, tmp_path: Path) -> None:
    options = ("--url", tls_server.url, "--app", APP, *SMALL)
    for protocol in ("pusher", "signalr"):
        found = figures(*options, "--protocol", protocol, directory=tmp_path, SSL_CERT_FILE=str(tls_server.certificate))
        assert amiss(found) == [0, 0, 0, 0]
        refused = run(*options, "--protocol", protocol, directory=tmp_path, status=2)
        assert "certificate verify failed" in refused.stderr


def test_more_clients_than_open_files_are_refused_with_what_to_do(server: Server, tmp_path: Path) -> None:
    result = subprocess.run(
        ["sh", "-c", 'ulimit -n 300 && exec "$0" "$@"', EXECUTABLE, "bench", *at(server), "--connections", "400"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 2
    assert "300 here where 500 are needed: raise the hard limit" in result.stderr


def test_people_read_tables_and_plots_without_terminal_codes_in_a_pipe(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "bench.svg"
    result = run(*at(server), *SMALL, "--svg", str(file), directory=tmp_path, FORCE_COLOR="1")
    assert "\x1b" not in result.stdout
    assert result.stderr == ""
    assert "12 pusher clients, 3 channels, 2 publishers" in result.stdout
    assert re.search(r"delivered +│ +[\d.]+ │ +[\d.]+ ms", result.stdout)
    assert "0 lost, 0 repeated, 0 out of order" in result.stdout
    assert "█" in result.stdout
    drawing = ElementTree.parse(file).getroot()
    text = "".join(drawing.itertext()).replace("\xa0", " ")
    assert "0 lost, 0 repeated, 0 out of order" in text
    assert "url(" not in text.replace("url(#", "")


def terminal(server: Server, directory: Path, *options: str) -> Terminal:
    return Terminal([EXECUTABLE, "bench", *at(server), *WITHOUT_END, *options], directory)


def test_in_a_terminal_it_can_be_watched_and_ctrl_c_ends_with_what_was_measured(server: Server, tmp_path: Path) -> None:
    watched = terminal(server, tmp_path)
    watched.wait_for("publishing")
    watched.wait_for("p99")
    assert watched.interrupt() == 130
    assert "deliveries/s" in watched.text
    assert "\x1b[" in watched.written
    assert "0 lost, 0 repeated, 0 out of order" in watched.text
    assert "Ended before its time" in watched.text
    assert "Traceback" not in watched.text


def test_ctrl_c_while_clients_connect_ends_it_too(server: Server, tmp_path: Path) -> None:
    watched = terminal(server, tmp_path, "--connect-rate", "1")
    watched.wait_for("of 12 clients")
    assert watched.interrupt() == 130
    assert "Ended before its time" in watched.text
    assert "Traceback" not in watched.text


def test_a_server_that_dies_meanwhile_is_told_with_what_was_measured(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server()
    watched = terminal(server, tmp_path)
    watched.wait_for("p99")
    server.signal(signal.SIGKILL)
    assert watched.end() == 2
    assert re.search("skubber: The server (hung up|closed|cannot be reached)", watched.text)
    assert "Delivery latency" in watched.text
    assert "Traceback" not in watched.text
