"""``/health`` tells that the process runs, ``/ready`` that it serves."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def health_routes(is_ready: Callable[[], bool]) -> list[Route]:
    """The two routes; ``is_ready`` is asked at each request."""

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        if is_ready():
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready"}, 503)

    return [Route("/health", health), Route("/ready", ready)]
