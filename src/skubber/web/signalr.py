"""The SignalR hub's HTTP side: negotiation, long polling, and what clients post.

Source: ASP.NET Core SignalR, TransportProtocols.md. WebSockets and Server-Sent Events do not come through here.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skubber.core.errors import InvalidRequestError
from skubber.core.post import NobodyListensError
from skubber.sessions.elsewhere import ConnectionElsewhere
from skubber.sessions.long_poll import LongPoll
from skubber.sessions.questions import Action
from skubber.sessions.signalr.connections import (
    ConnectionOptions,
    SignalRConnection,
    SignalRConnections,
    no_such_connection,
)
from skubber.sessions.signalr.entry import HUB_PATH
from skubber.sessions.signalr.owner import announce
from skubber.sessions.signalr.principal import Principal, SignalRRequest, authenticate
from skubber.sessions.signalr.transports import Transport
from skubber.store.apps import AppStore
from skubber.web.any_origin import ANY_ORIGIN
from skubber.web.body import read_body
from skubber.web.polls import wait_for_messages

POLL_TIMEOUT = 90
"""Seconds a poll waits for messages."""


@dataclass(frozen=True, slots=True)
class HubRoutes:
    """The hub's routes.

    Attributes:
        connections: the negotiated connections.
        apps: where apps are looked up.
        now: seconds since the epoch.
        run: runs a coroutine that nobody waits for.
        body_bytes: largest body a client may post.
        unread_bytes: most bytes that may wait for a polling client.
        count_slow_client: called when one is ended for leaving more.
    """

    connections: SignalRConnections
    apps: AppStore
    now: Callable[[], float]
    run: Callable[[Coroutine[Any, Any, None]], object]
    body_bytes: int
    unread_bytes: int
    count_slow_client: Callable[[], None]

    def routes(self) -> list[Route]:
        """``/push`` and ``/push/negotiate``, open to browsers of any origin."""
        return [
            Route(f"{HUB_PATH}/negotiate", self._negotiate, methods=["POST", "OPTIONS"], middleware=ANY_ORIGIN),
            Route(HUB_PATH, self._hub, methods=["GET", "POST", "DELETE", "OPTIONS"], middleware=ANY_ORIGIN),
        ]

    async def _hub(self, request: Request) -> Response:
        match request.method:
            case "POST":
                return await self._post(request)
            case "DELETE":
                return await self._delete(request)
            case "OPTIONS":  # outside a preflight, which does not come this far
                return Response(status_code=204)
        return await self._poll(request)

    async def _negotiate(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204)
        hub_request, principal = self._authenticated(request)
        options = ConnectionOptions.of(hub_request.parameters)
        connection = self.connections.negotiate(principal, options)
        await announce(self.connections, connection)
        answer: dict[str, object] = {
            "negotiateVersion": options.version,
            "connectionId": connection.connection_id,
            "availableTransports": [
                {"transport": transport.label, "transferFormats": transport.transfer_formats} for transport in Transport
            ],
        }
        if options.version:
            answer["connectionToken"] = connection.token
        if options.can_resume:
            answer["useStatefulReconnect"] = True
        return Response(msgspec.json.encode(answer), media_type="application/json", headers=_NOT_STORED)

    async def _poll(self, request: Request) -> Response:
        token, principal = self._connection_token(request)
        if token not in self.connections:
            return await self._poll_elsewhere(request, token, principal)
        connection = self.connections.find(token, principal)
        if connection.poll is None:
            return self._first_poll(connection)
        messages = await wait_for_messages(request, connection.poll, POLL_TIMEOUT)
        if messages is None:
            connection.polled_in_vain()
        return _polled(messages)

    async def _poll_elsewhere(self, request: Request, token: str, principal: Principal) -> Response:
        """Have a poll answered by the node that has the connection. If that has only negotiated it, take it over."""
        try:
            poll = self.connections.elsewhere(token, principal)
            return _polled(await wait_for_messages(request, poll, POLL_TIMEOUT))
        except NobodyListensError:
            raise no_such_connection() from None
        except InvalidRequestError:  # nobody has polled it yet
            connection = await self.connections.take(token, principal)
            await announce(self.connections, connection)
            return self._first_poll(connection)

    def _first_poll(self, connection: SignalRConnection) -> Response:
        self.connections.check_opening(connection, Transport.LONG_POLLING)
        poll = connection.poll = LongPoll(
            self.connections.context.wheel, self.run, self.unread_bytes, self.count_slow_client
        )
        poll.session = self.connections.open(connection, Transport.LONG_POLLING, poll)
        poll.session.opened()
        poll.expect()
        return Response(b"", media_type="application/octet-stream", headers=_NOT_STORED)

    async def _post(self, request: Request) -> Response:
        connection = self._connection(request)
        body = await read_body(request, self.body_bytes)
        if isinstance(connection, SignalRConnection):
            await connection.post(body)
        else:
            await _ask(connection, Action.POST, body)
        return Response(b"", media_type="text/plain")

    async def _delete(self, request: Request) -> Response:
        connection = self._connection(request)
        if isinstance(connection, SignalRConnection):
            connection.delete()
        else:
            await _ask(connection, Action.DELETE)
        return Response(b"", 202, media_type="text/plain")

    def _connection(self, request: Request) -> SignalRConnection | ConnectionElsewhere:
        token, principal = self._connection_token(request)
        if token in self.connections:
            return self.connections.find(token, principal)
        return self.connections.elsewhere(token, principal)

    def _connection_token(self, request: Request) -> tuple[str, Principal]:
        # What outlives its token has to be polled and posted to with that token.
        hub_request, principal = self._authenticated(request, self.connections.context.expiry_grace)
        token = hub_request.parameters.get("id")
        if not token:
            raise InvalidRequestError("missing_connection_id", "Negotiate first, then give the connection's id.")
        return token, principal

    def _authenticated(self, request: Request, grace: int = 0) -> tuple[SignalRRequest, Principal]:
        scope = request.scope
        hub_request = SignalRRequest.of(
            scope["query_string"], list(scope["headers"]), is_tls=scope["scheme"] == "https"
        )
        return hub_request, authenticate(hub_request, self.apps, self.now(), grace)


async def _ask(connection: ConnectionElsewhere, action: Action, body: bytes = b"") -> None:
    try:
        await connection.ask(action, body)
    except NobodyListensError:
        raise no_such_connection() from None


def _polled(messages: bytes | None) -> Response:
    if messages is None:
        return Response(status_code=204)
    return Response(messages, media_type="application/octet-stream", headers=_NOT_STORED)


_NOT_STORED = {"cache-control": "no-store"}
