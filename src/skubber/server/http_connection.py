"""uvicorn's HTTP protocol with bounds: on what a client may send, on what it may leave unread, and on its time.

uvicorn trusts the proxy in front of it with these. There need not be one in front of this server.
"""

import asyncio
import re
from abc import ABC, abstractmethod
from typing import Any, cast

import httptools
import structlog
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from skubber.core.timer_wheel import TimerWheel
from skubber.server.access_log import UvicornAccessLog, log_request
from skubber.server.connection_limit import ConnectionLimit
from skubber.server.cut import cut

HEAD_BYTES = 65_536
"""Most bytes of a request's head, and of whatever else comes to nothing: chunk extensions, trailers, blank lines."""

REQUEST_TIMEOUT = 60
"""Seconds a client has for a whole request, from its first byte to the last of its body."""

UNREAD_TIMEOUT = 60
"""Seconds a client may leave a full write buffer unread."""

LINGER_TIMEOUT = 5
"""Seconds a client that was refused has to read why."""

LOOK_EVERY = 5
"""Seconds between two looks at a connection's timeouts; they end this much later at most."""

_PART = 4096
"""Bytes parsed before looking whether the client is to be read on: as many as a hundred of the smallest requests."""

_AUTHORITY = re.compile(rb"[a-z][a-z0-9+.-]*://[^/?#]*", re.IGNORECASE)

_log = structlog.stdlib.get_logger("skubber.http")
_access_log: Any = UvicornAccessLog()


class HttpConnection(HttpToolsProtocol, ABC):
    """One HTTP connection that a client cannot abuse.

    What it has pipelined is read on when it has been answered and has read its answers. A request that asks for an
    upgrade is either handed to ``_upgrade`` or treated as if it had not asked.

    Args:
        config: uvicorn's configuration.
        server_state: uvicorn's.
        app_state: uvicorn's.
        wheel: the timer wheel.
        connection_limit: how many connections there may be; all of the server's share it.
        access_log: whether to log requests.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        wheel: TimerWheel,
        connection_limit: ConnectionLimit,
        access_log: bool,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.access_log = access_log
        self.access_logger = _access_log
        self.url = b""
        self.headers = []
        self.flow: _Flow
        self._wheel = wheel
        self._connection_limit = connection_limit
        self.timer_slot = -1
        self._deadline = 0
        self._unread_deadline: int | None = None
        self._unparsed = b""
        self._fruitless_bytes = 0
        self._is_refused = False
        self._is_receiving = False
        self._is_ignored = False
        self._is_answered_early = False
        self._upgrades = False

    # -- the transport's callbacks

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._deadline = self._wheel.now + self.timeout_keep_alive
        self._wheel.schedule(self, LOOK_EVERY)
        if self._connection_limit.is_exceeded_by(len(self.connections)):
            self._turn_away()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self._connection_limit.turned_away.discard(self)
        self._unparsed = b""

    def data_received(self, data: bytes) -> None:
        if self._unparsed:
            self._unparsed += data
        else:
            self._parse(data)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_deadline = self._wheel.now + UNREAD_TIMEOUT
        self._hold()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_deadline = None
        self._read_on()

    # -- parsing

    def _parse(self, data: bytes) -> None:
        position, size = 0, len(data)
        while position < size and not self._is_refused:
            if self.pipeline or self.flow.write_paused:
                self._unparsed = data[position:]
                self._hold()
                return
            part = data if size <= _PART else data[position : position + _PART]
            position += len(part)
            self._fruitless_bytes += len(part)
            try:
                self.parser.feed_data(part)
            except httptools.HttpParserUpgrade as upgrade:
                position -= len(part) - upgrade.args[0]
                if self._upgrades:
                    self._upgrade(data[position:])
                    return
                data = self._head_without_upgrade() + data[position:]
                position, size = 0, len(data)
            except httptools.HttpParserError as error:
                self._refuse_unparsable(error)
            if self._fruitless_bytes > HEAD_BYTES:
                self._refuse(431, f"The head of a request has at most {HEAD_BYTES} bytes.")

    def _hold(self) -> None:
        """Read no more of what the client sends."""
        self.flow.is_held = True
        self.flow.pause_reading()

    def _read_on(self) -> None:
        """Go on with what the client has sent already, then let it send more."""
        if self.pipeline or self.flow.write_paused:
            return
        self.flow.is_held = False
        data, self._unparsed = self._unparsed, b""
        if data and not self.transport.is_closing():
            self._parse(data)
        self.flow.resume_reading()

    # -- the parser's callbacks

    def on_message_begin(self) -> None:
        # uvicorn builds its ASGI scope here; see _build_scope.
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._is_receiving = True
        self._is_ignored = self._is_answered_early = False
        self._deadline = self._wheel.now + REQUEST_TIMEOUT

    def on_headers_complete(self) -> None:
        self._fruitless_bytes = 0
        if self.transport.is_closing() or self._is_refused:
            self._is_ignored = True
        elif self.parser.should_upgrade():
            self._is_ignored = True
            self._consider_upgrade()
        else:
            self._begin_request()
            # What the trailer of a chunked body holds are no headers of the request (RFC 9110 section 6.5.1).
            self.headers = []

    def on_body(self, body: bytes) -> None:
        self._fruitless_bytes = 0
        if not self._is_ignored:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_receiving = False
        if not self._is_ignored:
            super().on_message_complete()

    def _begin_request(self) -> None:
        """Pass a request on to the ASGI application; its body will follow."""
        self.url = _origin_form(self.url)
        self._build_scope()
        super().on_headers_complete()

    def _build_scope(self) -> None:
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers += headers

    # -- upgrades

    def _consider_upgrade(self) -> None:
        """Decide what becomes of a request that asks for another protocol."""
        if self.parser.get_method() == b"CONNECT":
            self._refuse(405, "This is no proxy.")
            return
        self.url = _origin_form(self.url)
        # Where another protocol would come too early, the request is answered without it, in its turn.
        self._upgrades = self._can_hand_over() and super()._should_upgrade()

    def _should_upgrade(self) -> bool:
        """What uvicorn sees of a request never asks for an upgrade."""
        return False

    @abstractmethod
    def _upgrade(self, early_data: bytes) -> None:
        """Turn the connection into a WebSocket.

        Args:
            early_data: what the client has sent behind its request.
        """

    def _head_without_upgrade(self) -> bytes:
        """The request's head once more, without what makes the parser take its body for another protocol's bytes.

        Java's HTTP client, for one, offers to go on in HTTP/2 with its first request, whatever it is.
        """
        if self._is_refused:  # an event stream may have taken the connection: then there is no parser any more
            return b""
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        return b"".join(lines) + b"\r\n"

    # -- answering

    def _is_free(self) -> bool:
        """Whether everything that was asked for is answered."""
        return self.cycle is None or self.cycle.response_complete

    def _can_hand_over(self) -> bool:
        """Whether another protocol may begin: nothing is left to be answered, or to be read of the answers."""
        return self._is_free() and not self.flow.write_paused

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._deadline = self._wheel.now + REQUEST_TIMEOUT
            self._start_asgi_task(cycle, app)
        elif not self._is_receiving:
            self._deadline = self._wheel.now + self.timeout_keep_alive
        elif self.cycle.response_complete and self.cycle.more_body:
            self._is_ignored = self._is_answered_early = True
        if self.flow.read_paused:
            self._read_on()

    def _new_cycle(self, method: str, *, keep_alive: bool) -> RequestResponseCycle:
        """What uvicorn answers a request with, for one that goes to no ASGI application of its."""
        self._build_scope()
        self.scope["method"] = method
        self.scope["path"] = self.url.partition(b"?")[0].decode("latin-1")
        self.scope["query_string"] = b""
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
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )

    def _refuse_unparsable(self, error: httptools.HttpParserError) -> None:
        cause = error.__context__ if isinstance(error, httptools.HttpParserCallbackError) else None
        if cause is None or isinstance(cause, httptools.HttpParserInvalidURLError):
            self._refuse(400, "The request is not valid HTTP.")
            return
        _log.error("request failed", exc_info=cause)
        self._refuse(500, "The server failed to answer; its log says why.")

    def _refuse(self, status: int, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """Answer with an error when what was asked before is answered, and close. Nothing further counts."""
        if self._is_refused:
            return
        self._is_refused = True
        self._unparsed = b""
        is_next = self._give_up_last()
        if self._is_answered_early:
            self.transport.close()
        if self.transport.is_closing():
            return
        if is_next:
            self._write_refusal(status, message, headers)
            return
        cycle = self.cycle = self._new_cycle("GET", keep_alive=False)

        async def application(_scope: Any, _receive: Any, _send: Any) -> None:
            cycle.response_started = cycle.response_complete = True
            if not cycle.disconnected:
                self._write_refusal(status, message, headers)

        self.pipeline.appendleft((cycle, cast("Any", application)))

    def _write_refusal(self, status: int, message: str, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        body = message.encode()
        lines = [b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *headers)]
        end = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(b"".join((STATUS_LINE[status], *lines, end, body)))
        self._log_request(status)
        self._linger()

    def _turn_away(self) -> None:
        """Answer 503 before anything was asked, and close."""
        body = b"The server has as many connections as it may have: please try again later."
        headers = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n" % len(body)
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[503], headers, body))
        self.connections.discard(self)
        self._is_refused = True
        self._connection_limit.refused += 1
        if self._connection_limit.may_linger(self):
            self._linger()  # its request is on its way
        else:
            self.transport.close()

    def _log_request(self, status: int) -> None:
        if self.access_log:
            log_request(self.parser.get_method().decode(), self.url.decode("latin-1"), status)

    def _linger(self) -> None:
        """Close, yet let a client that is still sending read its answer first (RFC 9112 section 9.6).

        What comes in when the connection is closed would reset it, and take the answer from under the client's eyes.
        """
        self._is_refused = True
        self._deadline = self._wheel.now + LINGER_TIMEOUT
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._read_on()
        else:
            self.transport.close()

    def _give_up_last(self) -> bool:
        """Drop the last request if it has been passed on before its body was there.

        Returns:
            Whether nothing is left that has to be answered first.
        """
        if self._is_free():
            return True
        if not self.cycle.more_body:
            return False
        if self.pipeline:
            self.pipeline.popleft()
            return False
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        if self.cycle.response_started:
            self.transport.close()
        return True

    # -- timeouts

    def timer_due(self, now: int) -> int:
        """Close a connection that its client keeps waiting for too long."""
        if self.transport.is_closing() and self._unread_deadline is None:
            self._unread_deadline = now + UNREAD_TIMEOUT
        if self._unread_deadline is not None:
            if now >= self._unread_deadline:
                cut(self.transport)
                return 0
        elif now >= self._deadline and self._waits_for_client():
            if self._is_receiving and self._is_free() and not self._is_refused:
                self._refuse(408, f"A request may take {REQUEST_TIMEOUT} seconds to come in.")
            else:
                self.transport.close()
        return LOOK_EVERY

    def _waits_for_client(self) -> bool:
        return self._is_free() or (bool(self.cycle.more_body) and not self.pipeline)

    def _unset_keepalive_if_required(self) -> None:
        """End all timeouts: the connection is gone, or no longer HTTP."""
        self._wheel.cancel(self)


class _Flow(FlowControl):
    """uvicorn's flow control, in which a request that wants its body cannot resume reading while that is held up."""

    is_held = False

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


def _origin_form(target: bytes) -> bytes:
    """A target without scheme and authority, which requests made for a proxy have (RFC 9112 section 3.2.2)."""
    authority = _AUTHORITY.match(target)
    if authority is None:
        return target
    rest = target[authority.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest
