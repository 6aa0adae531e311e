"""uvicorn's server, with an end that is easy on clients."""

import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from skubber.server.drain import drain
from skubber.server.http_connection import HttpConnection
from skubber.server.runtime import Runtime
from skubber.server.stop_signals import StopSignals


def _do_nothing() -> None:
    """Nobody waits for the start."""


class HttpServer(uvicorn.Server):
    """Sends clients to reconnect before it closes what is left.

    Args:
        config: uvicorn's configuration.
        runtime: what is served.

    Attributes:
        on_started: called in the event loop when the server has begun to listen.
    """

    def __init__(self, config: uvicorn.Config, runtime: Runtime) -> None:
        super().__init__(config)
        self._runtime = runtime
        self._stop_signals = StopSignals()
        self.on_started: Callable[[], None] = _do_nothing

    def stop(self) -> None:
        """Begin to stop, as on a signal."""
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; at the second signal end at once. Called by Python on SIGTERM and SIGINT."""
        if self._stop_signals.is_second():
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        if not self.should_exit:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; called by uvicorn."""
        await super().startup(sockets)
        self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; called by uvicorn.

        Whoever asks is told so, nobody new is let in, and what HTTP clients have asked for is answered. Then clients
        are sent to reconnect, one after another; uvicorn ends whatever is left.
        """
        runtime = self._runtime
        runtime.is_ready = False
        runtime.event_streams.close()
        for server in self.servers:
            server.close()
        # Proxies that keep connections open find out by this, and not by a request that fails.
        for connection in tuple(self.server_state.connections):
            if isinstance(connection, HttpConnection):
                connection.shutdown()
        await drain(runtime.hub, runtime.settings.drain_seconds)
        # Those that have not come as far as the hub, and polling clients: these have no connection of their own, and
        # their polls would keep the server waiting.
        runtime.signalr.drain()
        runtime.pusher_http.drain()
        await super().shutdown(sockets)
