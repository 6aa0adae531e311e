"""The Channels HTTP API over ASGI, for requests that the HTTP lane passes on."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from skubber.api.message import ApiRequest, ApiResponse, error_response
from skubber.api.router import PATH_PREFIX, Api
from skubber.core.errors import TooLargeError
from skubber.web.body import read_body


def api_route(api: Api, request_bytes: int) -> Route:
    """``/apps/*``, for requests of at most ``request_bytes``."""
    return Route(PATH_PREFIX + "{path:path}", ApiRoute(api, request_bytes))


class ApiRoute:
    """An ASGI application that answers ``/apps/*``.

    Args:
        api: the Channels HTTP API.
        request_bytes: largest request body.
    """

    def __init__(self, api: Api, request_bytes: int) -> None:
        self._api = api
        self._request_bytes = request_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await read_body(Request(scope, receive), self._request_bytes)
        except TooLargeError as error:
            await send_response(error_response(error), send)
            return
        path = scope["raw_path"].decode("latin-1")
        request = ApiRequest(scope["method"], path, scope["query_string"], list(scope["headers"]), body)
        await send_response(await self._api.answer(request), send)


async def send_response(response: ApiResponse, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Send an API response the ASGI way."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(response.body)),
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
