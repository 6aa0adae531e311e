"""Compiling the C programs, when they are not there or older than their source."""

import os
import subprocess
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1]
BINARIES = BENCHMARKS / "bin"

_FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror")
_LIBRARIES = ("-lm", "-lssl", "-lcrypto")


class BuildError(Exception):
    """There is no C compiler or no OpenSSL to compile with, or the compiler failed."""


def has_openssl() -> bool:
    """Whether there is a C compiler (cc), and it finds OpenSSL's headers."""
    try:
        command = ["cc", "-E", "-include", "openssl/ssl.h", "-xc", os.devnull]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def build_load_generator() -> Path:
    """The load generator's executable.

    Raises:
        BuildError: there is no compiler or no OpenSSL, or it failed.
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
            subprocess.run(["cc", *_FLAGS, "-o", target, *sources, *_LIBRARIES], check=True)
        except FileNotFoundError:
            raise BuildError("The load generator is written in C: install a compiler (cc).") from None
        except subprocess.CalledProcessError:
            advice = "" if has_openssl() else " It lacks OpenSSL's headers: install libssl-dev."
            raise BuildError(f"The compiler failed on {name}.{advice}") from None
    return target
