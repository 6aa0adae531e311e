"""``/metrics`` on a port of its own, for networks that clients do not reach."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import structlog
import uvicorn
from starlette.routing import Route

from skubber.settings import SettingsError
from skubber.web.application import web_application

_log = structlog.stdlib.get_logger("skubber.server")


class _Server(uvicorn.Server):
    """One that leaves signals to the other server of the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def metrics_server(route: Route, listening: socket.socket) -> AsyncIterator[None]:
    """Serve a route alone, for as long as the context lasts.

    Args:
        route: the route.
        listening: where; see ``listen``. It is closed in the end.
    """
    config = uvicorn.Config(
        web_application([route], _nothing),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        limit_concurrency=16,
    )
    server = _Server(config)
    host, port, *_ = listening.getsockname()
    _log.info("serving metrics", host=host, port=port)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listening.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address or name, and a port.

    Raises:
        SettingsError: it cannot be listened on.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family)
    except OSError as error:
        raise SettingsError(f"Cannot listen on {host}, port {port}, for metrics: {error.strerror}.") from None


@contextlib.asynccontextmanager
async def _nothing(_: object) -> AsyncIterator[None]:
    yield
