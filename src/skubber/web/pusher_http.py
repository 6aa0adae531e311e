"""Pusher's HTTP transports: polls, what clients post, and what the SockJS library asks for.

Sources: pusher-js, src/core/http and src/runtimes/web/transports; SockJS 0.3 protocol. Streams do not come this way.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from skubber.codecs import sockjs
from skubber.core.errors import ConflictError, UnavailableError
from skubber.core.post import NobodyListensError
from skubber.sessions.elsewhere import ConnectionElsewhere
from skubber.sessions.pusher_http import (
    HEARTBEAT_INTERVAL,
    HTTP_PATH,
    PusherHttpConnection,
    PusherHttpConnections,
    no_such_connection,
)
from skubber.sessions.pusher_http_owner import elsewhere, own
from skubber.sessions.questions import Action
from skubber.sessions.session import UpgradeRequest
from skubber.web.any_origin import ANY_ORIGIN
from skubber.web.body import read_body
from skubber.web.polls import wait_for_messages

_FOLDER = Path(__file__).parent

_FRAMES = "application/javascript; charset=UTF-8"

_SUPERSEDED = sockjs.encode_close(2010, "Another connection still open")
"""What a poll is answered with when another has come. Source: SockJS 0.3 protocol, "xhr-polling"."""

_NOT_STORED = {"cache-control": "no-store"}

_FRAME_HEADERS = {
    # The page of any site may hold the frame: what it does, that page could do itself.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class PusherHttpRoutes:
    """The routes under ``/pusher``.

    Attributes:
        connections: the clients.
        body_bytes: largest body a client may post.
    """

    connections: PusherHttpConnections
    body_bytes: int

    def routes(self) -> list[Route]:
        """All of them, open to browsers of any origin."""
        endpoints = {"xhr": self._poll, "xhr_send": self._post, "xhr_streaming": self._stream}
        return [
            *(
                Route(f"{prefix}/{{server}}/{{session}}/{name}", endpoint, methods=_POST, middleware=ANY_ORIGIN)
                for prefix in (f"{HTTP_PATH}/app/{{key}}", HTTP_PATH)
                for name, endpoint in endpoints.items()
            ),
            Route(f"{HTTP_PATH}/info", self._info, methods=["GET", "OPTIONS"], middleware=ANY_ORIGIN),
            Route(f"{HTTP_PATH}/iframe.html", _frame_page),
            Route(f"{HTTP_PATH}/iframe.js", _frame_script),
        ]

    async def _poll(self, request: Request) -> Response:
        if request.method == "OPTIONS":  # outside a preflight, which does not come this far
            return Response(status_code=204)
        frames = await self._wait(request)
        if frames is None:
            frames = _SUPERSEDED
        return Response(frames or sockjs.HEARTBEAT, media_type=_FRAMES, headers=_NOT_STORED)

    async def _wait(self, request: Request) -> bytes | None:
        path = request.scope["path"]
        if path not in self.connections:
            try:
                return await wait_for_messages(request, elsewhere(self.connections, path), HEARTBEAT_INTERVAL)
            except (NobodyListensError, UnavailableError):
                await own(self.connections, _upgrade_request(request))
        connection = self.connections.find_or_open(_upgrade_request(request))
        return await wait_for_messages(request, connection, HEARTBEAT_INTERVAL)

    async def _post(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204)
        path = request.scope["path"]
        is_here = path in self.connections
        connection = self.connections.find(path) if is_here else elsewhere(self.connections, path)
        body = await read_body(request, self.body_bytes)
        if isinstance(connection, PusherHttpConnection):
            await connection.post(body)
        else:
            await _post_elsewhere(connection, body)
        return Response(status_code=204)

    async def _stream(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204)
        raise ConflictError("connection_in_use", "Ask for a stream on a connection that waits for no other answer.")

    async def _info(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204)
        info = {
            "websocket": False,
            "cookie_needed": False,
            "origins": ["*:*"],
            "entropy": secrets.randbits(32),
            "server_heartbeat_interval": HEARTBEAT_INTERVAL * 1000,
        }
        return Response(msgspec.json.encode(info), media_type="application/json", headers=_NOT_STORED)


async def _post_elsewhere(connection: ConnectionElsewhere, body: bytes) -> None:
    try:
        await connection.ask(Action.POST, body)
    except NobodyListensError:
        raise no_such_connection() from None


async def _frame_page(_: Request) -> Response:
    """The page in which pusher-js's SockJS library wants its requests to be made."""
    return FileResponse(_FOLDER / "html" / "sockjs_frame.html", headers=_FRAME_HEADERS)


async def _frame_script(_: Request) -> Response:
    return FileResponse(_FOLDER / "assets" / "sockjs_frame.js", headers=_FRAME_HEADERS)


def _upgrade_request(request: Request) -> UpgradeRequest:
    scope = request.scope
    return UpgradeRequest(scope["path"], scope["query_string"], list(scope["headers"]), scope["scheme"] == "https")


_POST = ["POST", "OPTIONS"]
