"""The ASGI application behind the HTTP lane."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from skubber.web.errors import ERROR_HANDLERS


def web_application(
    routes: Sequence[BaseRoute], lifespan: Callable[[Any], AbstractAsyncContextManager[None]]
) -> Starlette:
    """Assemble the application.

    Args:
        routes: its routes; the first that matches answers.
        lifespan: runs with the server.
    """
    return Starlette(routes=routes, exception_handlers=ERROR_HANDLERS, lifespan=lifespan)
