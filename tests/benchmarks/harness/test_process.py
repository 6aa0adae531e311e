import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from benchmarks.harness.process import Process

# Answers a line with a line, after working or allocating as told.
CHILD = """
import time
held = []
while True:
    match input():
        case "work":
            start = time.process_time()
            while time.process_time() - start < 0.1: pass
        case "grow":
            held.append(b"x" * 8_000_000)
        case "shrink":
            held.clear()
    print(flush=True)
"""


class Child:
    def __init__(self) -> None:
        command = [sys.executable, "-c", CHILD]
        self.running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process = Process(self.running.pid)

    def do(self, what: str) -> None:
        assert self.running.stdin is not None
        assert self.running.stdout is not None
        self.running.stdin.write(what + "\n")
        self.running.stdin.flush()
        assert self.running.stdout.readline() == "\n"


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    child.do("nothing")
    yield child
    child.running.kill()
    child.running.communicate()


def test_processor_time_counts_work_and_no_idling(child: Child) -> None:
    before = child.process.cpu_seconds()
    child.do("work")
    after = child.process.cpu_seconds()
    assert 0.1 <= after - before < 0.15
    child.process.wait_until_idle()
    assert child.process.cpu_seconds() - after < 0.01


def test_resident_memory_follows_what_is_held(child: Child) -> None:
    before = child.process.resident_bytes()
    child.do("grow")
    assert 7_900_000 < child.process.resident_bytes() - before < 9_000_000


def test_the_peak_outlasts_what_was_held_until_it_is_forgotten(child: Child) -> None:
    if os.geteuid() != 0 and not os.access(f"/proc/{child.running.pid}/clear_refs", os.W_OK):
        pytest.skip("the peak cannot be reset here")
    child.do("grow")
    child.do("shrink")
    assert child.process.peak_resident_bytes() - child.process.resident_bytes() > 7_000_000
    child.process.forget_peak()
    assert child.process.peak_resident_bytes() - child.process.resident_bytes() < 1_000_000


def test_a_process_that_never_rests_is_reported() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        with pytest.raises(TimeoutError, match="still busy"):
            Process(busy.pid).wait_until_idle(0.5)
        busy.kill()
