"""A command in a terminal of its own."""

import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command that believes a person is watching.

    Args:
        command: the command and its arguments.
        directory: where it runs.
    """

    def __init__(self, command: Sequence[str | Path], directory: Path) -> None:
        self._screen, ours = pty.openpty()
        self._written = b""
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "TERM": "xterm-256color", "COLUMNS": "140"}
        self._process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=ours, stderr=ours
        )
        os.close(ours)

    @property
    def written(self) -> str:
        """Everything it has written, colours and movements included."""
        return self._written.decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without them."""
        return _CONTROL.sub("", self.written)

    def wait_for(self, text: str) -> None:
        """Wait until it has written something."""
        deadline = time.monotonic() + 60
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text

    def interrupt(self) -> int:
        """Press Ctrl-C, and wait for its end; returns its exit status."""
        self._process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        """Wait for its end; returns its exit status."""
        while self._read():
            pass
        os.close(self._screen)
        return self._process.wait(20)

    def _read(self) -> bool:
        """Read on; False at the end."""
        readable, _, _ = select.select([self._screen], [], [], 60)
        assert readable, self.text
        try:
            read = os.read(self._screen, 65_536)
        except OSError:  # Linux says so when the command is gone
            return False
        self._written += read
        return bool(read)
