"""The assembly: every floor of one server process, put together from its settings."""

import asyncio
import secrets
import socket
import time
from collections.abc import Callable, Iterable

import structlog

from skubber.api.access_tokens import AccessTokens
from skubber.api.router import Api
from skubber.brokers.open import open_broker
from skubber.core.app import App
from skubber.core.connection_quota import ConnectionQuota
from skubber.core.histogram import Histogram
from skubber.core.hub import Hub
from skubber.core.observers import Observers
from skubber.core.publish_watch import PublishWatch
from skubber.core.subscription_counts import SubscriptionCounts
from skubber.core.timer_wheel import TimerWheel
from skubber.history.history import Grain, History, HistoryReader
from skubber.history.recorder import Recorder
from skubber.history.sampler import Sampler
from skubber.insight.insight import Insight
from skubber.insight.node import NodeSources, ThisNode
from skubber.metrics.metrics import Metrics
from skubber.metrics.sources import Sources
from skubber.server.connection_limit import ConnectionLimit
from skubber.server.eager import run_detached
from skubber.server.garbage import GarbageCollection
from skubber.server.store_service import StoreService
from skubber.server.stream_edge import StreamRoute, event_stream_route, xhr_stream_route
from skubber.server.ws_edge import EdgeContext
from skubber.sessions.elsewhere import OtherNodes
from skubber.sessions.pusher import PusherContext
from skubber.sessions.pusher_entry import PusherEntry
from skubber.sessions.pusher_http import SOCKJS_FORMAT, PusherHttpConnections, PusherHttpContext
from skubber.sessions.pusher_stream_door import PusherStreamDoor
from skubber.sessions.session import Door
from skubber.sessions.signalr.connections import SignalRConnections
from skubber.sessions.signalr.entry import SignalREntry
from skubber.sessions.signalr.session import SignalRContext
from skubber.sessions.signalr.transports import Transport
from skubber.settings import Settings
from skubber.store.administration.administration import Administration
from skubber.store.apps import AppRegistry
from skubber.tracing.open import open_tracing
from skubber.web.admin.event_stream import EventStreams
from skubber.webhooks.trial import Trial
from skubber.webhooks.webhooks import Webhooks

_log = structlog.stdlib.get_logger("skubber.server")


class Runtime:
    """One process's hub, API, sessions and timers.

    Args:
        settings: the settings.
        apps: the apps to serve.

    Raises:
        SettingsError: the broker's URL is none, or traces are wanted and cannot be had.
    """

    def __init__(self, settings: Settings, apps: Iterable[App]) -> None:
        self.settings = settings
        self._configured = list(apps)
        self.apps = AppRegistry(self._configured)
        self.wheel = TimerWheel()
        observers = Observers()
        self.tracing = open_tracing(settings, _defer)
        traced_sender = None if self.tracing is None else self.tracing.sender
        self.webhooks = Webhooks(settings, self.apps, traced_sender, observers) if settings.database else None
        broker = open_broker(settings)
        if self.tracing is not None:
            broker = self.tracing.broker(broker, lambda app_id, channel: self.hub.subscriber_count(app_id, channel))
        self.quota = ConnectionQuota(broker, run_detached)
        self.watch = PublishWatch(time.perf_counter)
        self.hub = Hub(
            broker,
            _defer,
            settings.connections,
            quota=self.quota,
            counts=SubscriptionCounts(self.wheel, run_detached),
            announce=None if self.webhooks is None else self.webhooks.announce,
            find_app=self.apps.find,
            watch=self.watch,
            observers=observers,
        )
        self.api = Api(self.hub, self.apps, time.time, None if self.tracing is None else self.tracing.requests)
        self.edge = EdgeContext(self.wheel, set(), settings.message_bytes, settings.write_buffer_bytes)
        pusher = PusherContext(
            self.hub,
            self.wheel,
            time.time,
            new_socket_id,
            settings.activity_timeout,
            settings.pong_timeout,
        )
        self.pusher_http = PusherHttpConnections(
            PusherHttpContext(
                PusherEntry(pusher, self.apps, SOCKJS_FORMAT),
                self.wheel,
                run_detached,
                settings.write_buffer_bytes,
                self.edge.count_slow_client,
                settings.message_bytes,
                OtherNodes(self.hub.broker.post, run_detached),
            )
        )
        self.signalr = SignalRConnections(self._signalr_context())
        self.access_tokens = AccessTokens(self.apps, time.time, settings.signalr_token_lifetime)
        self.websocket_routes: dict[str, Door] = {
            "app": PusherEntry(pusher, self.apps),
            "push": SignalREntry(self.signalr, self.apps, time.time, Transport.WEBSOCKETS),
        }
        self.stream_routes: dict[str, StreamRoute] = {
            "push": event_stream_route(SignalREntry(self.signalr, self.apps, time.time, Transport.SERVER_SENT_EVENTS)),
            "pusher": xhr_stream_route(PusherStreamDoor(self.pusher_http)),
        }
        self.store = StoreService(settings, self.apps, self.hub) if settings.database else None
        self.connection_limit = ConnectionLimit(settings.tcp_connections)
        sampler = Sampler(self.apps, self.hub, self.watch, lambda: self.edge.slow_clients)
        self.event_streams = EventStreams()
        self.loop_delays = Histogram()
        self.insight = Insight(broker.post, ThisNode(self._node_sources()))
        self.recorder = Recorder(sampler, broker.post, self.insight.node.id, time.time)
        self.metrics = Metrics(self._metric_sources(), settings.metrics_apps)
        self._garbage = GarbageCollection()
        self.is_ready = False
        self.metrics_listener: socket.socket | None = None

    @property
    def administration(self) -> Administration | None:
        """What changes the apps of the database; None without one."""
        if self.store is None:
            return None
        return Administration(
            self.store.database, self.store.vault, self.settings.all_plans(), time.time, self._configured
        )

    async def test_webhook(self, app_id: str, endpoint_id: str) -> Trial | None:
        """Try a webhook of an app out; None: there is none such. One that was just made is known, too."""
        if self.store is None or self.webhooks is None:
            return None
        await self.store.look()
        return await self.webhooks.test(app_id, endpoint_id)

    async def read_history(self, grain: Grain, app_id: str) -> History:
        """How an app, or the whole server, has fared, by the database: there must be one."""
        if self.store is None:
            raise RuntimeError("There is no database, and without one no admin API that could ask.")
        return await HistoryReader(self.store.database, self.hub.broker.post).read(grain, time.time(), app_id)

    def _node_sources(self) -> NodeSources:
        return NodeSources(
            self.hub,
            self.apps,
            self.wheel,
            time.time,
            self.loop_delays,
            lambda: self.is_ready,
            lambda: self.edge.slow_clients,
        )

    def _metric_sources(self) -> Sources:
        return Sources(
            self.hub,
            self.quota,
            self.apps,
            self.api,
            self.watch,
            self.loop_delays,
            self.webhooks,
            lambda: None if self.store is None else self.store.database,
            lambda: self.is_ready and self.hub.broker.is_available,
            lambda: self.edge.slow_clients,
            lambda: len(self.edge.connections),
            lambda: self.connection_limit.refused,
        )

    def _signalr_context(self) -> SignalRContext:
        settings = self.settings
        return SignalRContext(
            self.hub,
            self.wheel,
            time.time,
            new_socket_id,
            run_detached,
            settings.signalr_keep_alive,
            settings.signalr_client_timeout,
            settings.signalr_handshake_timeout,
            settings.signalr_expiry_grace,
            settings.signalr_message_bytes,
            settings.signalr_replay_bytes,
            settings.signalr_resume_window,
        )

    async def turn_wheel(self) -> None:
        """Advance the timer wheel and collect garbage, once a second for as long as the server runs.

        After a stall it does not catch up: clients must not be found silent for time in which nobody listened.
        """
        self._garbage.start()
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + 1
            await asyncio.sleep(1)
            self.loop_delays.observe(max(0.0, loop.time() - due))
            self._garbage.tick()
            try:
                self.wheel.advance()
            except Exception:
                # Whatever it was, all other connections' timeouts go on.
                _log.exception("timer failed")


def new_socket_id() -> str:
    """A socket id as Pusher's look, ``digits.digits``: 106 random bits, so no two are ever the same."""
    number = secrets.randbits(106)
    return f"{number >> 53}.{number & ((1 << 53) - 1)}"


def _defer(call: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_soon(call)
