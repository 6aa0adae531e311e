"""The tests that SECURITY.md names are there, and it names all tests of abuse."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", (ROOT / "SECURITY.md").read_text("utf-8"))))


@pytest.mark.parametrize("file", NAMED)
def test_a_file_that_is_named_holds_tests(file: str) -> None:
    assert re.search(r"def test_", (ROOT / file).read_text("utf-8"))


def test_every_test_of_abuse_is_named() -> None:
    tests = {f"tests/abuse/{file.name}" for file in (ROOT / "tests" / "abuse").glob("test_*.py")}
    assert tests <= set(NAMED)
