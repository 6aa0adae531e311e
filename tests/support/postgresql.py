"""A PostgreSQL server of the tests' own, on a free port, gone when they are over."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from .ports import free_port

_SUPERUSER = "skubber"


def find_programs() -> Path | None:
    """The folder of the server's programs: Debian keeps them off the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((program.parent for program in versions), key=lambda folder: int(folder.parent.name), default=None)


class PostgreSQL:
    """A running server.

    Args:
        programs: where ``initdb`` and ``pg_ctl`` are.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # Not one of pytest's own: only its owner may enter those.
        self._directory = directory = Path(tempfile.mkdtemp(prefix="skubber-postgresql-"))
        self._databases = 0
        self.port = free_port()
        # The server refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(directory, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", directory / "data", "-A", "trust", "-U", _SUPERUSER, "--no-sync", "-E", "UTF8")
        options = f"-p {self.port} -k {directory} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", directory / "data", "-l", directory / "log", "-o", options, "-w", "start")

    def new_database(self) -> str:
        """Make an empty database; returns its URL."""
        self._databases += 1
        name = f"test{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", _SUPERUSER, name)
        return f"postgresql://{_SUPERUSER}@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Stop it at once, and leave nothing of it."""
        self._run("pg_ctl", "-D", self._directory / "data", "-m", "immediate", "stop")
        shutil.rmtree(self._directory)

    def _run(self, program: str, *arguments: str | Path) -> None:
        result = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
        )
        assert result.returncode == 0, result.stderr.decode()
