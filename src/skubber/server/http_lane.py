"""The HTTP lane: ``/apps/*`` answered on the spot.

A publish goes from the parser to the API function and back into the socket without a task, an ASGI scope or a
message dictionary. Everything else (other paths, pipelining, shutdown, TLS) stays uvicorn's. When a response before it
on the connection is still outstanding, a request takes the ASGI road to the same API function, so that answers keep
their order.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.protocols.utils import is_ssl
from uvicorn.server import ServerState

from skubber.api.message import ApiRequest, ApiResponse, error_response
from skubber.api.router import PATH_PREFIX, Api
from skubber.codecs.websocket_handshake import HandshakeError, switching_protocols, validate_upgrade
from skubber.core.errors import SkubberError
from skubber.server.connection_limit import ConnectionLimit
from skubber.server.eager import Suspended, run_detached, run_eagerly
from skubber.server.forwarding import Forwarding
from skubber.server.http_connection import HttpConnection
from skubber.server.repeated_head import RepeatedHead
from skubber.server.response_heads import ResponseHeads
from skubber.server.stream_edge import StreamEdge, StreamRoute
from skubber.server.ws_edge import EdgeContext, WebSocketEdge
from skubber.sessions.session import Door, OpenSession, UpgradeRequest
from skubber.web.api_route import send_response
from skubber.web.body import body_too_large

_LANE_PREFIX = PATH_PREFIX.encode()
_ANY_ORIGIN = ((b"access-control-allow-credentials", b"true"), (b"vary", b"Origin"))
_Headers = tuple[tuple[bytes, bytes], ...]

_FRUITLESS_NOTES = 3
"""Heads that are remembered in a row without one of them coming again."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpLane(HttpConnection):
    """One HTTP connection.

    Args:
        config: uvicorn's configuration.
        server_state: uvicorn's.
        app_state: uvicorn's.
        api: the Channels HTTP API.
        heads: response heads, made once a second.
        edge: what WebSocket connections share.
        websocket_routes: doors for WebSockets by the first segment of the path.
        stream_routes: what is answered with a stream, likewise.
        request_bytes: largest body of an API request.
        connection_limit: how many connections there may be.
        access_log: whether to log requests.
        forwarding: what proxies are believed.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        api: Api,
        heads: ResponseHeads,
        edge: EdgeContext,
        websocket_routes: Mapping[str, Door],
        stream_routes: Mapping[str, StreamRoute],
        request_bytes: int,
        connection_limit: ConnectionLimit,
        access_log: bool,
        forwarding: Forwarding,
    ) -> None:
        super().__init__(
            config,
            server_state,
            app_state,
            _loop,
            wheel=edge.wheel,
            connection_limit=connection_limit,
            access_log=access_log,
        )
        self._api = api
        self._heads = heads
        self._edge = edge
        self._websocket_routes = websocket_routes
        self._stream_routes = stream_routes
        self._request_bytes = request_bytes
        self._forwarding = forwarding
        self._request_headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] | None = None
        self._body_size = 0
        self._is_closing = False
        self._answered: ApiRequest | None = None
        self._repeated_head: RepeatedHead | None = None
        self._heads_noted = 0

    def shutdown(self) -> None:
        """Answer what has been asked for, then close; called by uvicorn when the server stops."""
        self._is_closing = True
        if self._body is None:
            super().shutdown()

    # -- a request, from head to end

    def data_received(self, data: bytes) -> None:
        """Answer a request with the same head as the last one, or leave it to the parser."""
        is_fresh = not (self._is_receiving or self._unparsed or self._is_refused) and self._can_hand_over()
        if is_fresh and self._repeated_head is not None and not self._is_closing:
            request = self._repeated_head.request(data)
            if request is not None and len(request.body) <= self._request_bytes and not self.transport.is_closing():
                self._heads_noted = 0
                self._answer(request)
                return
        self._answered = self._repeated_head = None
        super().data_received(data)
        if is_fresh:
            self._note_head(data)

    def _note_head(self, data: bytes) -> None:
        """Remember a head that may come again. Signed requests never do, nor do those of who never repeats one."""
        request = self._answered
        if request is None or request.query or self._heads_noted >= _FRUITLESS_NOTES or not self._keeps_alive():
            return
        self._heads_noted += 1
        self._repeated_head = RepeatedHead.of(data, request)

    def _begin_request(self) -> None:
        if self.url.startswith(_LANE_PREFIX) and self._is_free():
            self._request_headers = self.headers
            self._body = []
            self._body_size = 0
            if self.expect_100_continue:
                self._answer_expectation()
        elif self._can_hand_over() and (route := self._stream_route()) is not None:
            self._is_ignored = True
            self._open_stream(route)
        else:
            super()._begin_request()

    def on_body(self, body: bytes) -> None:
        if self._body is None:
            super().on_body(body)
            return
        self._fruitless_bytes = 0
        self._body_size += len(body)
        if self._body_size <= self._request_bytes:
            self._body.append(body)
        elif self._body_size > 4 * self._request_bytes:
            # A moderately large body is read to its end, so that the client gets to see the answer; not a huge one.
            self._refuse_body()

    def on_message_complete(self) -> None:
        if self._body is None:
            super().on_message_complete()
            return
        self._is_receiving = False
        body, self._body = self._body, None
        if self._body_size > self._request_bytes:
            self._respond(error_response(body_too_large(self._request_bytes)))
            return
        path, _, query = self.url.partition(b"?")
        request = ApiRequest(
            self.parser.get_method().decode(), path.decode("latin-1"), query, self._request_headers, b"".join(body)
        )
        self._answered = request
        self._answer(request)

    # -- answering

    def _answer(self, request: ApiRequest) -> None:
        outcome = run_eagerly(self._api.answer(request))
        if isinstance(outcome, Suspended):
            self._respond_later(outcome)
        else:
            self._respond(outcome)

    def _answer_expectation(self) -> None:
        """Ask for the body, unless it is announced as too large (RFC 9110 section 10.1.1)."""
        length = next((value for name, value in self._request_headers if name == b"content-length"), b"0")
        if int(length) > self._request_bytes:
            self._refuse_body()
        elif self.parser.get_http_version() != "1.0":
            self.transport.write(_CONTINUE)

    def _keeps_alive(self) -> bool:
        return (
            not self._is_closing and bool(self.parser.should_keep_alive()) and self.parser.get_http_version() != "1.0"
        )

    def _refuse_body(self) -> None:
        """Answer 413 without waiting for the rest of the body."""
        self._body = None
        self._is_ignored = True
        self._is_closing = True
        self._respond(error_response(body_too_large(self._request_bytes)))

    def _respond(self, response: ApiResponse) -> None:
        keep_alive = self._keeps_alive()
        head = self._heads.head(response, self.server_state.default_headers, keep_alive)
        self.transport.write(head if self.parser.get_method() == b"HEAD" else head + response.body)
        self._log_request(response.status)
        if keep_alive:
            self.on_response_complete()
        elif self._is_receiving:
            self._linger()
        else:
            self.transport.close()

    def _respond_later(self, suspended: Suspended[ApiResponse]) -> None:
        """Wait for the broker as an ASGI application would: what the client pipelines queues up behind."""
        self.cycle = self._new_cycle(self.parser.get_method().decode(), keep_alive=self._keeps_alive())
        self.cycle.more_body = False

        async def application(scope: Any, receive: Any, send: Callable[[dict[str, Any]], Any]) -> None:
            await send_response(await suspended, send)

        self._start_asgi_task(self.cycle, cast("Any", application))

    # -- WebSockets and streams

    def _upgrade(self, early_data: bytes) -> None:
        """Turn the connection into a WebSocket, or answer why not."""
        request = self._upgrade_request()
        door = self._websocket_routes.get(_first_segment(request.path))
        if door is None:
            self._refuse(404, "There is no WebSocket here: connect to /app/{key} or /push.")
            return
        try:
            key = validate_upgrade(self.parser.get_method(), self.parser.get_http_version(), self.headers)
        except HandshakeError as error:
            self._refuse(error.status, error.message, error.headers)
            return
        self._knock(door, request, partial(self._begin_websocket, key, early_data))

    def _begin_websocket(self, key: bytes, early_data: bytes, open_session: OpenSession) -> None:
        self._hand_over(101)
        self.transport.write(switching_protocols(key))
        edge = WebSocketEdge(self._edge, self.transport, open_session)
        self.transport.set_protocol(edge)
        if early_data:
            edge.data_received(early_data)

    def _stream_route(self) -> StreamRoute | None:
        """What a request for a stream asks for; None for any other request."""
        route = self._stream_routes.get(_first_segment(unquote(self.url.decode("latin-1"))))
        if route is None or self.parser.get_method() != route.method:
            return None
        return route if route.is_asked_for(self.url, self.headers) else None

    def _open_stream(self, route: StreamRoute) -> None:
        """Turn the connection into a stream, or answer why not."""
        # Browsers ask from any origin: see ``skubber.web.any_origin``.
        origin = next((value for name, value in self.headers if name == b"origin"), None)
        access = () if origin is None else (*_ANY_ORIGIN, (b"access-control-allow-origin", origin))
        self._knock(route.entry, self._upgrade_request(), partial(self._begin_stream, route, access), access)

    def _begin_stream(self, route: StreamRoute, access: _Headers, open_session: OpenSession) -> None:
        self._is_refused = True  # whatever else the client sends is no request
        self._hand_over(200)
        headers = b"".join(b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *access))
        edge = StreamEdge(self._edge, self.transport, route, open_session, headers)
        self.transport.set_protocol(edge)

    def _knock(
        self, door: Door, request: UpgradeRequest, begin: Callable[[OpenSession], None], headers: _Headers = ()
    ) -> None:
        """Go on if the client is let in, else answer why not; perhaps not before other nodes have been asked."""
        try:
            opening = door(request)
            outcome = opening if callable(opening) else run_eagerly(opening)
        except SkubberError as error:
            self._refuse(error.status, error.message, headers)
            return
        if isinstance(outcome, Suspended):
            self._is_refused = True  # nothing the client sends meanwhile is a request
            self._hold()
            run_detached(self._wait_at_door(outcome, begin, headers))
        else:
            begin(outcome)

    async def _wait_at_door(
        self, suspended: Suspended[OpenSession], begin: Callable[[OpenSession], None], headers: _Headers
    ) -> None:
        refusal: SkubberError | None = None
        try:
            open_session = await suspended
        except SkubberError as error:
            refusal = error
        except BaseException:
            self.transport.close()
            raise
        if self.transport.is_closing():
            return
        self._is_refused = False
        self._read_on()
        if refusal is not None:
            self._refuse(refusal.status, refusal.message, headers)
        else:
            begin(open_session)

    def _upgrade_request(self) -> UpgradeRequest:
        path, _, query = self.url.partition(b"?")
        peer = self.client[0] if self.client else None
        is_tls = self._forwarding.came_over_tls(peer, self.headers, is_tls=is_ssl(self.transport))
        return UpgradeRequest(unquote(path.decode("latin-1")), query, self.headers, is_tls)

    def _hand_over(self, status: int) -> None:
        """Let go of the connection: another protocol takes it."""
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        self._answered = None
        self._log_request(status)
        # It and this object hold each other: without this, both would wait for the garbage collector.
        self.parser = None  # type: ignore[assignment]


def _first_segment(path: str) -> str:
    return path.partition("?")[0].split("/", 2)[1] if path.startswith("/") else ""
