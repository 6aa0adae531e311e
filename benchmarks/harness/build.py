"""Compiling the C programs, when they are not there or older than their source."""

import subprocess
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1]
BINARIES = BENCHMARKS / "bin"

_FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")


class BuildError(Exception):
    """There is no C compiler, or it failed."""


def build_load_generator() -> Path:
    """The load generator's executable.

    Raises:
        BuildError: there is no compiler, or it failed.
    """
    directory = BENCHMARKS / "load"
    return _build("load", sorted(directory.glob("*.c")), sorted(directory.glob("*.h")))


def build_send_loop() -> Path:
    """The bare send loop's executable.

    Raises:
        BuildError: as above.
    """
    return _build("send_loop", [BENCHMARKS / "baselines" / "send_loop.c"], [])


def _build(name: str, sources: list[Path], headers: list[Path]) -> Path:
    target = BINARIES / name
    newest = max(path.stat().st_mtime for path in (*sources, *headers))
    if not target.exists() or target.stat().st_mtime < newest:
        BINARIES.mkdir(exist_ok=True)
        try:
            subprocess.run(["cc", *_FLAGS, "-o", target, *sources, "-lm"], check=True)
        except FileNotFoundError:
            raise BuildError("The load generator is written in C: install a compiler (cc).") from None
        except subprocess.CalledProcessError:
            raise BuildError(f"The compiler failed on {name}.") from None
    return target
