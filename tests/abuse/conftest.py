"""A server to attack, in a process of its own."""

from collections.abc import Iterator

import pytest

from e2e.support.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with small limits; when it stops, its log must hold no traceback."""
    flags = ("--set", "database=", "--set", "tcp_connections=20")
    server = Server(tmp_path_factory.mktemp("abuse") / "server.log", *flags)
    yield server
    server.stop()
