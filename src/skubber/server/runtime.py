"""The assembly: every floor of one server process, put together from its settings."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable

from skubber.api.router import Api
from skubber.brokers.memory import MemoryBroker
from skubber.core.app import App
from skubber.core.hub import Hub
from skubber.core.timer_wheel import TimerWheel
from skubber.server.ws_edge import EdgeContext
from skubber.sessions.pusher import PusherContext
from skubber.sessions.pusher_entry import PusherEntry
from skubber.sessions.session import OpenSession
from skubber.settings import Settings
from skubber.store.apps import ConfiguredApps


class Runtime:
    """One process's hub, API, sessions and timers.

    Args:
        settings: the settings.
        apps: the apps to serve.
    """

    def __init__(self, settings: Settings, apps: Iterable[App]) -> None:
        self.settings = settings
        self.apps = ConfiguredApps(apps)
        self.wheel = TimerWheel()
        self.hub = Hub(MemoryBroker(), _defer, settings.connections)
        self.api = Api(self.hub, self.apps, time.time)
        self.edge = EdgeContext(self.wheel, set(), settings.message_bytes, settings.write_buffer_bytes)
        pusher = PusherContext(
            self.hub,
            self.wheel,
            time.monotonic,
            new_socket_id,
            settings.activity_timeout,
            settings.pong_timeout,
        )
        self.websocket_routes: dict[str, OpenSession] = {"app": PusherEntry(pusher, self.apps)}
        self.is_ready = False

    async def turn_wheel(self) -> None:
        """Advance the timer wheel once a second, for as long as the server runs.

        After a stall it does not catch up: clients must not be found silent for time in which nobody listened.
        """
        while True:
            await asyncio.sleep(1)
            self.wheel.advance()


def new_socket_id() -> str:
    """A socket id as Pusher's look, ``digits.digits``: 106 random bits, so no two are ever the same."""
    number = secrets.randbits(106)
    return f"{number >> 53}.{number & ((1 << 53) - 1)}"


def _defer(call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(call)
