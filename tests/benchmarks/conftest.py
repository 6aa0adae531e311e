"""The benchmark's harness is no installed package: it is imported from the checkout."""

import sys
from pathlib import Path

import pytest

from conftest import go_without, require

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.harness.build import BENCHMARKS, build_load_generator, has_openssl

ROOT = BENCHMARKS.parent


@pytest.fixture(scope="session")
def executable() -> Path:
    """The load generator, where it can be compiled."""
    require("The load generator", "cc")
    if not has_openssl():
        go_without("The load generator", "OpenSSL's headers (libssl-dev)")
    return build_load_generator()
