"""Running the server: uvicorn around the HTTP lane and the WebSocket edge."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path
from typing import Any, cast

import structlog
import uvicorn
from starlette.routing import BaseRoute

from skubber.core.app import App
from skubber.history.live import ask_for_live
from skubber.server.eager import run_detached
from skubber.server.forwarding import Forwarding
from skubber.server.http_lane import HttpLane
from skubber.server.http_server import HttpServer
from skubber.server.metrics_server import listen, metrics_server
from skubber.server.response_heads import ResponseHeads
from skubber.server.runtime import Runtime
from skubber.server.tls import Certificate
from skubber.server.ws_edge import WebSocketEdge
from skubber.settings import Settings, SettingsError
from skubber.web.access_tokens import access_token_route
from skubber.web.admin.routes import admin_routes
from skubber.web.admin.services import AdminServices
from skubber.web.admin.stats import take_stats
from skubber.web.api_route import api_route
from skubber.web.application import web_application
from skubber.web.console import console_routes
from skubber.web.health import health_routes
from skubber.web.metrics import metrics_route
from skubber.web.pages import page_routes
from skubber.web.pusher_http import PusherHttpRoutes
from skubber.web.signalr import HubRoutes

_log = structlog.stdlib.get_logger("skubber.server")


def build_server(settings: Settings, apps: Iterable[App]) -> tuple[HttpServer, Runtime]:
    """Put a server together without starting it.

    Raises:
        SettingsError: the certificate or the broker's URL cannot be used.
        ValueError: two apps share an id or a key.
    """
    runtime = Runtime(settings, apps)
    certificate = None
    if settings.tls_certificate and settings.tls_key:
        certificate = Certificate(Path(settings.tls_certificate), Path(settings.tls_key))
    config = uvicorn.Config(
        web_application(_routes(runtime), partial(_lifespan, runtime, certificate)),
        host=settings.host,
        port=settings.port,
        ws=WebSocketEdge,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_timeout,
        timeout_graceful_shutdown=settings.shutdown_timeout,
        backlog=4096,
        ssl_context_factory=None if certificate is None else lambda _config, _default: certificate.context,
    )
    server = HttpServer(config, runtime)
    runtime.edge.connections = cast("set[Any]", server.server_state.connections)
    config.http = partial(  # type: ignore[assignment]
        HttpLane,
        api=runtime.api,
        heads=ResponseHeads(),
        edge=runtime.edge,
        websocket_routes=runtime.websocket_routes,
        stream_routes=runtime.stream_routes,
        request_bytes=settings.request_bytes,
        connection_limit=runtime.connection_limit,
        access_log=settings.access_log,
        forwarding=Forwarding(config.forwarded_allow_ips),
    )
    return server, runtime


def _routes(runtime: Runtime) -> list[BaseRoute]:
    settings = runtime.settings
    hub = HubRoutes(
        runtime.signalr,
        runtime.apps,
        time.time,
        run_detached,
        settings.request_bytes,
        settings.write_buffer_bytes,
        runtime.edge.count_slow_client,
    )
    return [
        api_route(runtime.api, settings.request_bytes),
        access_token_route(runtime.access_tokens),
        *admin_routes(lambda: runtime.administration, _admin_services(runtime), time.time, runtime.event_streams),
        *hub.routes(),
        *PusherHttpRoutes(runtime.pusher_http, settings.request_bytes).routes(),
        *health_routes(lambda: runtime.is_ready and runtime.hub.broker.is_available),
        *([metrics_route(runtime.metrics, settings.metrics_token)] if settings.metrics_token else ()),
        *console_routes(),
        *page_routes(runtime.apps, settings.host),
    ]


def _admin_services(runtime: Runtime) -> AdminServices:
    return AdminServices(
        lambda: take_stats(runtime.apps, runtime.hub, time.time()),
        runtime.test_webhook,
        runtime.read_history,
        partial(ask_for_live, runtime.hub.broker.post),
        runtime.apps,
        runtime.hub,
        runtime.insight,
        time.time,
    )


def listen_for_metrics(runtime: Runtime) -> None:
    """Listen on the metrics' own port, if there is to be one; to be called before the server runs.

    Raises:
        SettingsError: the port is taken.
    """
    settings = runtime.settings
    if settings.metrics_port:
        runtime.metrics_listener = listen(settings.metrics_host, settings.metrics_port)


def serve(settings: Settings, apps: Iterable[App]) -> None:
    """Serve until a signal ends it.

    SIGTERM and SIGINT finish requests in flight and send clients to reconnect; a second one ends the process at once.
    SIGHUP reads the certificate again.

    Raises:
        SettingsError: the certificate or the broker's URL cannot be used, or the metrics' port is taken.
        ValueError: two apps share an id or a key.
    """
    server, runtime = build_server(settings, apps)
    listen_for_metrics(runtime)
    server.run()


@contextlib.asynccontextmanager
async def _lifespan(runtime: Runtime, certificate: Certificate | None, _: object) -> AsyncIterator[None]:
    if certificate is not None:
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _reload, certificate)
    wheel = asyncio.create_task(runtime.turn_wheel())
    if runtime.store is not None:
        await runtime.store.start()
        if runtime.webhooks is not None:
            runtime.webhooks.start(runtime.store.database, runtime.hub.broker)
    await runtime.hub.broker.start()
    if runtime.store is not None:
        await runtime.recorder.start(runtime.store.database)
    await runtime.insight.start()
    runtime.is_ready = True
    try:
        async with _metrics_server(runtime):
            yield
    finally:
        runtime.is_ready = False
        wheel.cancel()
        if runtime.store is not None:
            await runtime.recorder.stop()
        runtime.insight.stop()
        await runtime.hub.broker.stop()
        if runtime.webhooks is not None:
            await runtime.webhooks.stop()
        if runtime.store is not None:
            await runtime.store.stop()
        if runtime.tracing is not None:
            await runtime.tracing.stop()


def _metrics_server(runtime: Runtime) -> contextlib.AbstractAsyncContextManager[None]:
    if runtime.metrics_listener is None:
        return contextlib.nullcontext()
    return metrics_server(metrics_route(runtime.metrics, runtime.settings.metrics_token), runtime.metrics_listener)


def _reload(certificate: Certificate) -> None:
    try:
        certificate.reload()
    except SettingsError as error:
        _log.error("certificate not reloaded", reason=str(error))
    else:
        _log.info("certificate reloaded")
