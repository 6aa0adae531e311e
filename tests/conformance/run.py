"""Runs the Autobahn WebSocket test suite against the server; ``make conformance``.

Writes ``docs/conformance.md`` when everything passed. The suite runs on Python 2.7 only. Where there is none, this says
so and succeeds: the hypothesis tests of ``tests/codecs`` compare the same code with two other implementations.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "conformance.md"
ENVIRONMENT = ROOT / ".venv" / "autobahn"
REPORT = ROOT / "conformance-report"

VIRTUALENV = "virtualenv==20.15.1"
"""The last release that makes environments for Python 2.7."""

SUITE = "autobahntestsuite==25.10.1"
CASES = 301
"""How many cases this release has outside sections 12 and 13."""

AGENT = "Skubber"
TIMEOUT = 900
"""Seconds the whole suite may take."""

PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}

SECTIONS = {
    "1": "Framing",
    "2": "Pings and pongs",
    "3": "Reserved bits",
    "4": "Opcodes",
    "5": "Fragmentation",
    "6": "UTF-8",
    "7": "Closing handshake",
    "9": "Limits and performance",
    "10": "Automatic fragmentation",
}

Results = Mapping[str, Mapping[str, str]]


def main() -> int:
    python2 = find_python2()
    if python2 is None:
        print(
            "Skipped: the Autobahn test suite needs Python 2.7, and there is none on the PATH or in pyenv.\n"
            "The hypothesis tests of tests/codecs compare the WebSocket reader with the websockets and wsproto "
            "libraries; make test runs them."
        )
        return 0
    wstest = install_suite(python2)
    results = run_suite(wstest)
    failures = failed(results)
    print(summary(results))
    if failures:
        print("\n".join(failures), file=sys.stderr)
        print(f"Failed; the report is in {REPORT}", file=sys.stderr)
        return 1
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(results))
    print(f"Passed; written to {DOCUMENT.relative_to(ROOT)}")
    return 0


def find_python2() -> str | None:
    """The path of a Python 2.7: the first on the PATH that runs, or one of pyenv's."""
    if shutil.which("python2.7") is None:
        return None
    for environment in (os.environ, *_pyenv_environments()):
        # Its own word for where it is: what the PATH leads to may be a shim of pyenv's, which needs the variable.
        command = ["python2.7", "-c", "import sys; sys.stdout.write(sys.executable)"]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return answer.stdout
    return None


def _pyenv_environments() -> Iterator[Mapping[str, str]]:
    if shutil.which("pyenv") is None:
        return
    versions = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False)
    for name in versions.stdout.split():
        if name.startswith("2.7."):
            yield {**os.environ, "PYENV_VERSION": name}


def install_suite(python2: str) -> Path:
    """Install the suite, unless an earlier run has; returns the path of its command."""
    stamp = ENVIRONMENT / "installed"
    if not stamp.exists() or stamp.read_text() != SUITE:
        print(f"Installing {SUITE}", flush=True)
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        with tempfile.TemporaryDirectory() as directory:
            maker = Path(directory)
            subprocess.run([sys.executable, "-m", "venv", maker], check=True)
            subprocess.run([maker / "bin" / "python", "-m", "pip", "install", "-q", VIRTUALENV], check=True)
            subprocess.run([maker / "bin" / "virtualenv", "-q", "-p", python2, ENVIRONMENT], check=True)
        # pip has not forgotten Python 2.7; it only announces that it will.
        quiet = {**os.environ, "PYTHONWARNINGS": "ignore", "PIP_NO_PYTHON_VERSION_WARNING": "1"}
        subprocess.run([ENVIRONMENT / "bin" / "pip", "install", "-q", SUITE], check=True, env=quiet)
        stamp.write_text(SUITE)
    return ENVIRONMENT / "bin" / "wstest"


@contextmanager
def echo_server() -> Iterator[str]:
    """The server with an echoing session; yields the URL to test."""
    command = [sys.executable, str(Path(__file__).with_name("echo_server.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"ws://127.0.0.1:{int(server.stdout.readline())}/echo"
        finally:
            server.terminate()


def run_suite(wstest: Path) -> Results:
    """Run every case; returns what the suite says about each."""
    shutil.rmtree(REPORT, ignore_errors=True)
    REPORT.mkdir()
    with echo_server() as url:
        specification = {
            "outdir": str(REPORT),
            "servers": [{"agent": AGENT, "url": url}],
            "cases": ["*"],
            # Compression is not offered.
            "exclude-cases": ["12.*", "13.*"],
            "exclude-agent-cases": {},
        }
        file = REPORT / "specification.json"
        file.write_text(json.dumps(specification))
        print("Running the suite", flush=True)
        with (REPORT / "wstest.log").open("w") as log:
            command = [str(wstest), "-m", "fuzzingclient", "-s", str(file)]
            subprocess.run(command, cwd=REPORT, stdout=log, stderr=log, timeout=TIMEOUT, check=True)
    results: Results = json.loads((REPORT / "index.json").read_text())[AGENT]
    return results


def failed(results: Results) -> list[str]:
    """What is wrong with the results, a line each."""
    failures = [
        f"{case}: {result['behavior']}, close {result['behaviorClose']}"
        for case, result in results.items()
        if not {result["behavior"], result["behaviorClose"]} <= PASSED
    ]
    if len(results) != CASES:
        failures.append(f"{len(results)} cases ran, not {CASES}")
    return failures


def summary(results: Results) -> str:
    """How many cases ended how, and which were not plainly OK."""
    counts = Counter(result["behavior"] for result in results.values())
    lines = [f"{count} {behavior}" for behavior, count in counts.most_common()]
    lines += [f"  {case}: {behavior}" for case, behavior in not_plainly_ok(results)]
    return "\n".join(lines)


def not_plainly_ok(results: Results) -> list[tuple[str, str]]:
    """The cases with another behaviour than OK, in the suite's order."""
    return [(case, results[case]["behavior"]) for case in sorted(results, key=_order) if not _is_ok(results[case])]


def _is_ok(result: Mapping[str, str]) -> bool:
    return result["behavior"] == result["behaviorClose"] == "OK"


def _order(case: str) -> list[int]:
    return [int(number) for number in case.split(".")]


def document(results: Results) -> str:
    """The results as a page of the documentation."""
    return _PAGE.format(
        suite=SUITE.replace("==", " "),
        versions=" and ".join(f"{name} {version(name)}" for name in ("uvloop", "httptools")),
        total=len(results),
        sections="\n".join(_section_row(number, title, results) for number, title in SECTIONS.items()),
        others="\n".join(f"| {case} | {behavior} |" for case, behavior in not_plainly_ok(results)),
    )


def _section_row(number: str, title: str, results: Results) -> str:
    of_section = [result for case, result in results.items() if case.split(".")[0] == number]
    counts = Counter(result["behavior"] for result in of_section)
    cells = [str(counts[behavior] or "") for behavior in ("OK", "NON-STRICT", "INFORMATIONAL")]
    return f"| {number} {title} | {len(of_section)} | {' | '.join(cells)} |"


_PAGE = """\
# WebSocket conformance

`make conformance` runs the [Autobahn test suite](https://github.com/crossbario/autobahn-testsuite) ({suite})
against the server ({versions}) with a session that echoes, and writes this page. It fails
unless every case ends as OK, NON-STRICT or INFORMATIONAL. The suite needs a Python 2.7, from the `PATH` or from pyenv;
where there is none, the hypothesis tests in `tests/codecs` compare the reader with the `websockets` and `wsproto`
libraries instead.

All {total} cases pass. Sections 12 and 13 are about compression, which the server does not offer.

| Section | Cases | OK | NON-STRICT | INFORMATIONAL |
|---|---|---|---|---|
{sections}

Every case that is not listed here is OK, its closing handshake included:

| Case | Behaviour |
|---|---|
{others}

NON-STRICT are two cases that send one frame of text in pieces and hope that bad UTF-8 is noticed before the frame is
complete. RFC 6455 does not ask for that: the reader looks at a frame when all of it is there, and at a message of
several frames after each of them. INFORMATIONAL are cases without a right answer: what is sent behind a close frame,
and close codes outside every range that RFC 6455 speaks of, which the reader refuses with 1002.
"""


if __name__ == "__main__":
    sys.exit(main())
