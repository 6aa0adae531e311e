"""The HTTP lane: uvicorn's HTTP protocol, with ``/apps/*`` answered on the spot.

A publish goes from the parser to the API function and back into the socket without a task, an ASGI scope or a
message dictionary. Everything else (other paths, keep-alive, pipelining, shutdown, TLS) stays uvicorn's. When a
response before it on the connection is still outstanding, a request takes the ASGI road to the same API function, so
that answers keep their order.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import unquote

import httptools
import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import is_ssl
from uvicorn.server import ServerState

from skubber.api.message import ApiRequest, ApiResponse
from skubber.api.router import PATH_PREFIX, Api
from skubber.codecs.websocket_handshake import HandshakeError, switching_protocols, validate_upgrade
from skubber.server.eager import Suspended, run_eagerly
from skubber.server.response_heads import ResponseHeads
from skubber.server.ws_edge import EdgeContext, WebSocketEdge
from skubber.sessions.session import OpenSession, UpgradeRequest
from skubber.web.api_route import body_too_large, send_response

_LANE_PREFIX = PATH_PREFIX.encode()
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_access_log = structlog.stdlib.get_logger("skubber.access")


class HttpLane(HttpToolsProtocol):
    """One HTTP connection.

    Args:
        config: uvicorn's configuration.
        server_state: uvicorn's.
        app_state: uvicorn's.
        api: the Channels HTTP API.
        heads: response heads, made once a second.
        edge: what WebSocket connections share.
        websocket_routes: session makers by the first segment of the path.
        request_bytes: largest body of an API request.
        access_log: whether to log API requests.
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
        websocket_routes: dict[str, OpenSession],
        request_bytes: int,
        access_log: bool,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._api = api
        self._heads = heads
        self._edge = edge
        self._websocket_routes = websocket_routes
        self._request_bytes = request_bytes
        self._log_access = access_log
        self._body: list[bytes] | None = None
        self._body_size = 0
        self._is_closing = False
        self._idle_since: float | None = None

    # -- uvicorn's callbacks from the transport

    def data_received(self, data: bytes) -> None:
        self._idle_since = None
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                if self._should_upgrade():
                    self._upgrade(data)
                    return
                # An upgrade nobody asked for (h2c, from Java's client): the request was answered, the next may follow.
                continue
            except httptools.HttpParserError:
                self._reject_malformed()
            return

    def shutdown(self) -> None:
        """Answer what has been asked for, then close; called by uvicorn when the server stops."""
        self._is_closing = True
        if self._body is None:
            super().shutdown()

    def pause_writing(self) -> None:
        """A client that does not read its answers gets no further requests read."""
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.flow.resume_reading()

    # -- the parser's callbacks

    def on_message_begin(self) -> None:
        # uvicorn builds its ASGI scope here; the lane needs none, so that waits for on_headers_complete.
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        if self.transport.is_closing() or (self.parser.should_upgrade() and self._should_upgrade()):
            return
        if self.url.startswith(_LANE_PREFIX) and self._is_free():
            self._body = []
            self._body_size = 0
            self._answer_expectation()
            return
        self._build_scope()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._body is None:
            if self.cycle is not None:
                super().on_body(body)
            return
        self._body_size += len(body)
        if self._body_size <= self._request_bytes:
            self._body.append(body)
        elif self._body_size > 4 * self._request_bytes:
            # A moderately large body is read to its end, so that the client gets to see the answer; not a huge one.
            self._refuse_body()

    def on_message_complete(self) -> None:
        if self._body is None:
            if self.cycle is not None:
                super().on_message_complete()
            return
        body, self._body = self._body, None
        if self._body_size > self._request_bytes:
            self._respond(body_too_large(self._request_bytes))
            return
        path, _, query = self.url.partition(b"?")
        request = ApiRequest(
            self.parser.get_method().decode(), path.decode("latin-1"), query, self.headers, b"".join(body)
        )
        outcome = run_eagerly(self._api.answer(request))
        if isinstance(outcome, Suspended):
            self._respond_later(outcome)
        else:
            self._respond(outcome)

    # -- answering

    def _is_free(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _answer_expectation(self) -> None:
        if not self.expect_100_continue:
            return
        length = next((value for name, value in self.headers if name == b"content-length"), b"0")
        if int(length) > self._request_bytes:
            self._refuse_body()
        else:
            self.transport.write(_CONTINUE)

    def _keeps_alive(self) -> bool:
        return (
            not self._is_closing and bool(self.parser.should_keep_alive()) and self.parser.get_http_version() != "1.0"
        )

    def _refuse_body(self) -> None:
        """Answer 413 without waiting for the rest of the body."""
        self._body = None
        self._is_closing = True
        self._respond(body_too_large(self._request_bytes))

    def _respond(self, response: ApiResponse) -> None:
        keep_alive = self._keeps_alive()
        method = self.parser.get_method()
        head = self._heads.head(response, self.server_state.default_headers, keep_alive)
        self.transport.write(head if method == b"HEAD" else head + response.body)
        if self._log_access:
            path = self.url.partition(b"?")[0].decode("latin-1")
            _access_log.info("request", method=method.decode(), path=path, status=response.status)
        if keep_alive:
            self.on_response_complete()
        else:
            self.transport.close()

    def _respond_later(self, suspended: Suspended[ApiResponse]) -> None:
        """Wait for the broker as an ASGI application would: what the client pipelines queues up behind."""
        self._build_scope()
        self.scope["method"] = self.parser.get_method().decode()
        self.cycle = self._new_cycle()
        self.cycle.more_body = False

        async def application(scope: Any, receive: Any, send: Callable[[dict[str, Any]], Any]) -> None:
            await send_response(await suspended, send)

        self._start_asgi_task(self.cycle, cast("Any", application))

    def _new_cycle(self) -> RequestResponseCycle:
        return RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=self._keeps_alive(),
            on_response=self.on_response_complete,
        )

    def _build_scope(self) -> None:
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers += headers

    def _reject_malformed(self) -> None:
        if not self.transport.is_closing():
            self.send_400_response("The request is not valid HTTP.")

    # -- keep-alive: one timer that looks when the connection fell idle, not one armed and cancelled per request

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._arm_keep_alive(self.timeout_keep_alive)

    def _arm_keep_alive(self, delay: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(delay, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self.transport.is_closing() or self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self._arm_keep_alive(left)

    # -- WebSockets

    def _upgrade(self, early_data: bytes) -> None:
        """Turn the connection into a WebSocket, or answer why not."""
        path, _, query = self.url.partition(b"?")
        decoded_path = unquote(path.decode("latin-1"))
        open_session = self._websocket_routes.get(decoded_path.split("/", 2)[1] if "/" in decoded_path else "")
        if open_session is None:
            self._refuse_upgrade(404, "There is no WebSocket here: connect to /app/{key}.")
            return
        try:
            key = validate_upgrade(self.parser.get_method(), self.parser.get_http_version(), self.headers)
        except HandshakeError as error:
            self._refuse_upgrade(error.status, error.message, error.headers)
            return
        request = UpgradeRequest(decoded_path, query, self.headers, is_ssl(self.transport))
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        self.transport.write(switching_protocols(key))
        edge = WebSocketEdge(self._edge, self.transport, open_session, request)
        self.transport.set_protocol(edge)
        if early_data:
            edge.data_received(early_data)

    def _refuse_upgrade(self, status: int, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        body = message.encode()
        content = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            content += (name, b": ", value, b"\r\n")
        content.append(b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n" % len(body))
        content.append(b"connection: close\r\n\r\n" + body)
        self.transport.write(b"".join(content))
        self.transport.close()
