"""The ASGI application behind the HTTP lane."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from skubber.api.router import PATH_PREFIX, Api
from skubber.store.apps import AppStore
from skubber.web.api_route import ApiRoute
from skubber.web.health import health_routes


def web_application(
    api: Api,
    apps: AppStore,
    is_ready: Callable[[], bool],
    request_bytes: int,
    lifespan: Callable[[Any], AbstractAsyncContextManager[None]],
) -> Starlette:
    """Assemble the application.

    Args:
        api: the Channels HTTP API.
        apps: the apps served; the demo page looks for a demo app among them.
        is_ready: whether the server serves.
        request_bytes: largest body of an API request.
        lifespan: runs with the server.
    """
    return Starlette(
        routes=[
            Route(PATH_PREFIX + "{path:path}", ApiRoute(api, request_bytes)),
            *health_routes(is_ready),
        ],
        lifespan=lifespan,
    )
