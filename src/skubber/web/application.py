"""The ASGI application behind the HTTP lane."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from skubber.api.router import PATH_PREFIX, Api
from skubber.store.apps import AppStore
from skubber.web.api_route import ApiRoute
from skubber.web.errors import ERROR_HANDLERS
from skubber.web.health import health_routes
from skubber.web.pages import page_routes


def web_application(
    api: Api,
    apps: AppStore,
    is_ready: Callable[[], bool],
    host: str,
    request_bytes: int,
    lifespan: Callable[[Any], AbstractAsyncContextManager[None]],
) -> Starlette:
    """Assemble the application.

    Args:
        api: the Channels HTTP API.
        apps: the apps served; the pages look for a demo app among them.
        is_ready: whether the server serves.
        host: the address listened on; the pages say so when a demo app's secret can be seen from other machines.
        request_bytes: largest body of an API request.
        lifespan: runs with the server.
    """
    return Starlette(
        routes=[
            Route(PATH_PREFIX + "{path:path}", ApiRoute(api, request_bytes)),
            *health_routes(is_ready),
            *page_routes(apps, host),
        ],
        exception_handlers=ERROR_HANDLERS,
        lifespan=lifespan,
    )
