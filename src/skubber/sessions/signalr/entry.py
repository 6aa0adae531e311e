"""The door of the SignalR hub for transports that stay open: WebSockets and Server-Sent Events."""

from collections.abc import Callable
from functools import partial

from skubber.core.errors import InvalidRequestError, NotFoundError
from skubber.sessions.session import Opening, OpenSession, UpgradeRequest
from skubber.sessions.signalr.connections import SignalRConnection, SignalRConnections
from skubber.sessions.signalr.owner import announce
from skubber.sessions.signalr.principal import Principal, SignalRRequest, authenticate
from skubber.sessions.signalr.transports import Transport
from skubber.store.apps import AppStore

HUB_PATH = "/push"


class SignalREntry:
    """Lets clients in at ``/push?access_token=...&id=...``.

    Args:
        connections: the negotiated connections.
        apps: where apps are looked up.
        now: seconds since the epoch.
        transport: the transport that comes in by this door.
    """

    def __init__(
        self, connections: SignalRConnections, apps: AppStore, now: Callable[[], float], transport: Transport
    ) -> None:
        self._connections = connections
        self._apps = apps
        self._now = now
        self._transport = transport

    def __call__(self, request: UpgradeRequest) -> Opening:
        """Let a client in; what is returned opens its session. Source: TransportProtocols.md.

        A connection that another node has negotiated is to be waited for.

        Raises:
            SkubberError: the client is not let in; its status answers the request.
        """
        if request.path != HUB_PATH:
            raise NotFoundError("not_found", f"The hub is at {HUB_PATH}.")
        hub_request = SignalRRequest.of(request.query, request.headers, is_tls=request.is_tls)
        token = hub_request.parameters.get("id")
        grace = self._connections.context.expiry_grace if token else 0
        principal = authenticate(hub_request, self._apps, self._now(), grace)
        if token and token not in self._connections:
            return self._take(token, principal)
        if token:
            connection = self._connections.find(token, principal)
        elif self._transport is Transport.WEBSOCKETS:  # skipNegotiation
            connection = self._connections.without_negotiation(principal, hub_request.parameters)
        else:
            raise InvalidRequestError("missing_connection_id", "Negotiate first, then give the connection's id.")
        return self._let_in(connection)

    async def _take(self, token: str, principal: Principal) -> OpenSession:
        connection = await self._connections.take(token, principal)
        if self._transport is not Transport.WEBSOCKETS:
            # Before the client knows that it is connected: what it posts then may go to any node.
            await announce(self._connections, connection)
        return self._let_in(connection)

    def _let_in(self, connection: SignalRConnection) -> OpenSession:
        self._connections.check_opening(connection, self._transport)
        return partial(self._connections.open, connection, self._transport)
