"""The Channels HTTP API over ASGI, for requests that the HTTP lane passes on."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from skubber.api.message import ApiRequest, ApiResponse, error_response
from skubber.api.router import Api
from skubber.core.errors import TooLargeError


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
        body = bytearray()
        async for chunk in Request(scope, receive).stream():
            body += chunk
            if len(body) > self._request_bytes:
                await send_response(body_too_large(self._request_bytes), send)
                return
        path = scope["raw_path"].decode("latin-1")
        request = ApiRequest(scope["method"], path, scope["query_string"], list(scope["headers"]), bytes(body))
        await send_response(await self._api.answer(request), send)


def body_too_large(request_bytes: int) -> ApiResponse:
    """The answer to a body of more than ``request_bytes``."""
    return error_response(TooLargeError("body_too_large", f"Request bodies have at most {request_bytes} bytes."))


async def send_response(response: ApiResponse, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Send an API response the ASGI way."""
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(response.body)),
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
