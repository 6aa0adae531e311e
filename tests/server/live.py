"""The production server in the test's own process and event loop, its clock in the test's hands."""

import asyncio
import logging
import ssl
from collections.abc import Callable, MutableMapping
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self

from structlog.testing import capture_logs
from uvicorn.lifespan.off import LifespanOff

from server.http_client import PATIENCE, HttpClient
from server.sessions import RecordingSession
from skubber.server.connection_limit import ConnectionLimit
from skubber.server.run import build_server
from skubber.sessions.session import OpenSession, Peer, UpgradeRequest
from skubber.settings import Settings
from support.apps import disabled_app, make_app, other_app
from support.slow_broker import SlowBroker


class LiveServer:
    """The assembly of ``skubber serve`` on a free port, with one more WebSocket route: ``/recording``.

    Nothing may go wrong in it that nobody is told of: leaving the context fails if an error was logged, or an exception
    came as far as the event loop.

    Attributes:
        runtime: its hub, API and sessions.
        broker: its broker, which can be made to wait.
        sessions: the sessions of ``/recording``, in the order they were opened.
        logs: what was logged.
    """

    def __init__(self, **settings: Any) -> None:
        self._uvicorn, self.runtime = build_server(
            Settings(database="", **{"drain_seconds": 0, **settings}), [make_app(), other_app(), disabled_app()]
        )
        self.broker = SlowBroker()
        self.broker.attach(self.runtime.hub)
        self.runtime.hub.broker = self.broker
        self.sessions: list[RecordingSession] = []
        self.runtime.websocket_routes["recording"] = self._let_in
        self.runtime.is_ready = True
        self.logs: list[MutableMapping[str, Any]] = []
        self._errors: list[Any] = []
        self._clients: list[HttpClient] = []
        self._stack = AsyncExitStack()
        self._listener: asyncio.Server

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._errors.append(context))
        self.logs = self._stack.enter_context(capture_logs())
        logger, handler = logging.getLogger("uvicorn.error"), _Collector(self._errors)
        logger.addHandler(handler)
        self._stack.callback(logger.removeHandler, handler)
        self._uvicorn.config.load()
        tls = self._uvicorn.config.ssl
        self._listener = await loop.create_server(self.new_connection, "127.0.0.1", 0, ssl=tls)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        self._listener.close()
        for connection in (*self.connections, *self.turned_away):
            (getattr(connection, "transport", None) or connection._transport).abort()
        async with asyncio.timeout(PATIENCE):
            while self.connections or self.turned_away or self.tasks:  # noqa: ASYNC110 - uvicorn tells when they are empty in no other way
                await asyncio.sleep(0)
        for client in self._clients:
            await client.close()
        await self._stack.aclose()
        if kind is None:
            assert self.errors() == []

    @property
    def port(self) -> int:
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> set[Any]:
        """The server's ends of all connections."""
        return self._uvicorn.server_state.connections

    @property
    def turned_away(self) -> set[Any]:
        """The server's ends of connections over the limit, until their clients have read so."""
        limit: ConnectionLimit = self._connection_class.keywords["connection_limit"]
        return limit.turned_away

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """The requests that the ASGI application is answering."""
        return self._uvicorn.server_state.tasks

    @property
    def new_connection(self) -> Callable[[], asyncio.Protocol]:
        """Makes the server's end of a connection."""
        state = self._uvicorn.server_state
        return partial(self._connection_class, config=self._uvicorn.config, server_state=state, app_state={})

    @property
    def _connection_class(self) -> Any:
        return self._uvicorn.config.http_protocol_class

    def errors(self) -> list[Any]:
        """What went wrong since the last call."""
        errors = [*self._errors, *(entry for entry in self.logs if entry["log_level"] == "error")]
        self._errors.clear()
        self.logs[:] = [entry for entry in self.logs if entry["log_level"] != "error"]
        return errors

    async def connect(self, tls: ssl.SSLContext | None = None) -> HttpClient:
        """Connect a client."""
        self._clients.append(HttpClient(*await asyncio.open_connection("127.0.0.1", self.port, ssl=tls)))
        return self._clients[-1]

    async def pass_time(self, seconds: int) -> None:
        """Let the timer wheel turn, and everything happen that this leads to on the server's side."""
        for _ in range(seconds):
            self.runtime.wheel.advance()
            await asyncio.sleep(0)

    async def shut_down(self) -> None:
        """Stop as on a signal; returns when every connection and every request has come to its end."""
        self._uvicorn.servers = [self._listener]
        self._uvicorn.lifespan = LifespanOff(self._uvicorn.config)
        async with asyncio.timeout(PATIENCE):
            await self._uvicorn.shutdown()

    def _let_in(self, request: UpgradeRequest) -> OpenSession:
        return partial(self._open_session, request)

    def _open_session(self, request: UpgradeRequest, peer: Peer) -> RecordingSession:
        self.sessions.append(RecordingSession(request, peer))
        return self.sessions[-1]


class _Collector(logging.Handler):
    """Collects errors that are logged the standard way."""

    def __init__(self, errors: list[Any]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(self.format(record))
