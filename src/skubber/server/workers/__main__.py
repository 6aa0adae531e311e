"""One worker process; started by its parent, see ``supervisor``."""

import asyncio
import os
import sys
from contextlib import suppress

from skubber.server.http_server import HttpServer
from skubber.server.logs import configure_logs
from skubber.server.run import build_server, listen_for_metrics
from skubber.server.workers.addresses import bind
from skubber.server.workers.assignment import READY, decode_assignment
from skubber.settings import SettingsError

_STDIN, _STDOUT = 0, 1


def _main() -> None:
    line = sys.stdin.buffer.readline()
    if not line:  # the parent is gone already
        return
    assignment = decode_assignment(line)
    configure_logs(assignment.settings, worker=assignment.number)
    server, runtime = build_server(assignment.own_settings(), assignment.apps())
    listen_for_metrics(runtime)
    server.on_started = lambda: _started(server)
    server.run([bind(each) for each in assignment.addresses])


def _started(server: HttpServer) -> None:
    """Tell the parent, and stop when it wants so or is gone."""
    asyncio.get_running_loop().add_reader(_STDIN, _parent_spoke, server)
    with suppress(OSError):  # it is gone: there will be no more to be read either
        os.write(_STDOUT, READY)


def _parent_spoke(server: HttpServer) -> None:
    if not os.read(_STDIN, 1):
        asyncio.get_running_loop().remove_reader(_STDIN)
        server.stop()


if __name__ == "__main__":
    try:
        _main()
    except (SettingsError, OSError) as error:
        sys.exit(f"skubber: {error}")
