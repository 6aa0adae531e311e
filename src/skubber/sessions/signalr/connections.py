"""Negotiated SignalR connections: from the negotiate request to the end, over one transport or several in turn.

Source: ASP.NET Core SignalR, TransportProtocols.md.
"""

import asyncio
import secrets
from dataclasses import dataclass
from functools import lru_cache

from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason
from skubber.core.errors import ConflictError, ForbiddenError, InvalidRequestError, NotFoundError, TooLargeError
from skubber.sessions.long_poll import LongPoll
from skubber.sessions.serialized import SerializedSession
from skubber.sessions.session import NO_SESSION, Peer, Session
from skubber.sessions.signalr.principal import Principal
from skubber.sessions.signalr.resumable import Attachment
from skubber.sessions.signalr.session import SignalRContext, SignalRSession
from skubber.sessions.signalr.transports import Transport

NEGOTIATION_TIMEOUT = 15
"""Seconds a negotiated connection waits to be opened."""

LAST_POLL_TIMEOUT = 15
"""Seconds the last messages of a connection that is over wait for a poll."""


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """What the hub URL's query asks for.

    Attributes:
        by_name: ``dispatch=name``: events are calls of their own names.
        can_resume: ``useStatefulReconnect=true``.
        version: ``negotiateVersion``, 0 or 1: before 1 there is no connection token.
    """

    by_name: bool = False
    can_resume: bool = False
    version: int = 1

    @classmethod
    def of(cls, parameters: dict[str, str]) -> "ConnectionOptions":
        """Read them from the query's parameters; anything unknown is the default."""
        return _options(
            parameters.get("dispatch") == "name",
            parameters.get("useStatefulReconnect", "").lower() == "true",
            1 if parameters.get("negotiateVersion", "0").strip() not in {"", "0"} else 0,
        )


# Every connection keeps its own, and there are only eight.
_options = lru_cache(ConnectionOptions)


class SignalRConnection:
    """One connection, known by its token: first negotiated, then open.

    Attributes:
        connection_id: public: the id others see, and publishers exclude by.
        token: secret: who knows it may use the connection. Empty where nobody is told one.
        principal: whose it is.
        options: what was asked for.
        session: the conversation, once a transport is open.
        transport: the transport it is bound to, likewise.
        inbox: takes what the client posts, on transports where it does.
        early: what the client posted before it opened the transport.
        poll: where polls wait, on long polling.
        turn: held while the session is busy, with stateful reconnect.
    """

    __slots__ = (
        "_connections",
        "connection_id",
        "early",
        "inbox",
        "options",
        "poll",
        "principal",
        "session",
        "timer_slot",
        "token",
        "transport",
        "turn",
    )

    def __init__(
        self,
        connections: "SignalRConnections",
        principal: Principal,
        options: ConnectionOptions,
        connection_id: str,
        token: str,
    ) -> None:
        self._connections = connections
        self.connection_id = connection_id
        self.token = token
        self.principal = principal
        self.options = options
        self.session: SignalRSession | None = None
        self.transport: Transport | None = None
        self.inbox: SerializedSession | None = None
        self.early = b""
        self.poll: LongPoll | None = None
        self.turn: asyncio.Lock | None = None
        self.timer_slot = -1

    def timer_due(self, now: int) -> int:
        """Nobody came to open it, or to fetch its last words."""
        self.forget()
        return 0

    async def post(self, body: bytes) -> None:
        """Take what the client posts; from one that has yet to open the transport, to be dealt with then.

        Raises:
            InvalidRequestError: ``not_posted_to``: it is a WebSocket.
            TooLargeError: ``message_too_large``.
            NotFoundError: ``no_such_connection``: it has ended meanwhile.
        """
        context = self._connections.context
        if self.inbox is not None:
            self.inbox.last_heard = context.wheel.now
            await self.inbox.receive(Opcode.BINARY, body)
            return
        if self.session is not None:
            raise InvalidRequestError("not_posted_to", "What this connection sends goes through its WebSocket.")
        if len(self.early) + len(body) > context.message_bytes:
            raise TooLargeError("message_too_large", "Open the transport before posting so much.")
        self.early += body

    def ended(self) -> None:
        """The session is over. What it said at the end may still have to be fetched by a poll."""
        if self.poll is not None and self.poll.has_last_words:
            self._connections.context.wheel.schedule(self, LAST_POLL_TIMEOUT)
        else:
            self.forget()

    def forget(self) -> None:
        """Nothing can be done with the connection any more."""
        self._connections.forget(self)


class SignalRConnections:
    """All connections of this node.

    Args:
        context: what SignalR sessions share.
    """

    def __init__(self, context: SignalRContext) -> None:
        self.context = context
        self._by_token: dict[str, SignalRConnection] = {}

    def negotiate(self, principal: Principal, options: ConnectionOptions) -> SignalRConnection:
        """Prepare a connection, which is forgotten when it is not opened in time."""
        connection_id = self.context.new_socket_id()
        token = secrets.token_urlsafe(24) if options.version else connection_id
        connection = SignalRConnection(self, principal, options, connection_id, token)
        self._by_token[connection.token] = connection
        self.context.wheel.schedule(connection, NEGOTIATION_TIMEOUT)
        return connection

    def without_negotiation(self, principal: Principal, parameters: dict[str, str]) -> SignalRConnection:
        """A connection for a client that opens its WebSocket right away.

        It is told no token, so it cannot resume; and nobody else may, by an id that is public.
        """
        options = _options(ConnectionOptions.of(parameters).by_name)
        return SignalRConnection(self, principal, options, self.context.new_socket_id(), "")

    def find(self, token: str, principal: Principal) -> SignalRConnection:
        """The connection of that token.

        Raises:
            NotFoundError: ``no_such_connection``.
            ForbiddenError: ``user_mismatch``: it is somebody else's.
        """
        connection = self._by_token.get(token)
        if connection is None:
            raise NotFoundError("no_such_connection", "There is no connection with this id: negotiate a new one.")
        if not connection.principal.is_same_user(principal):
            raise ForbiddenError("user_mismatch", "This connection belongs to another user.")
        return connection

    def open(self, connection: SignalRConnection, transport: Transport, peer: Peer) -> Session:
        """Start the conversation over a transport, or go on with it after a cut.

        Call ``check_opening`` before.
        """
        self.context.wheel.cancel(connection)
        if connection.session is not None and connection.turn is not None:
            return Attachment(connection.session, connection.turn, peer)
        connection.transport = transport
        can_resume = connection.options.can_resume and transport is Transport.WEBSOCKETS
        connection.session = session = SignalRSession(
            self.context,
            connection.principal,
            connection.connection_id,
            transport,
            peer,
            by_name=connection.options.by_name,
            can_resume=can_resume,
            on_end=connection.ended,
        )
        if can_resume:
            connection.turn = asyncio.Lock()
            return Attachment(session, connection.turn, peer)
        if transport is Transport.WEBSOCKETS:
            return session
        connection.inbox = SerializedSession(session, self.context.run, connection.early)
        connection.early = b""
        return connection.inbox

    def check_opening(self, connection: SignalRConnection, transport: Transport) -> None:
        """See whether a transport may be opened.

        Raises:
            NotFoundError: ``no_such_connection``: it could be resumed, had the client not missed too much.
            ConflictError: ``connection_in_use``: it is open.
        """
        session = connection.session
        if session is None or (transport is Transport.WEBSOCKETS and session.is_resumable):
            return
        if session.replay is not None:
            raise NotFoundError("no_such_connection", "The connection cannot be resumed: negotiate a new one.")
        raise ConflictError("connection_in_use", "This connection is open already: negotiate a new one.")

    def drain(self) -> None:
        """The server is stopping: send every client that negotiated to reconnect."""
        for connection in tuple(self._by_token.values()):
            if connection.session is not None:
                connection.session.end(EndReason.DRAINING)

    def forget(self, connection: SignalRConnection) -> None:
        """Drop a connection that is over."""
        self.context.wheel.cancel(connection)
        self._by_token.pop(connection.token, None)
        if connection.poll is not None:
            connection.poll.session = NO_SESSION
