"""Negotiated SignalR connections: from the negotiate request to the end, over one transport or several in turn.

Any node may get any request of a client. The node that has negotiated a connection hands it over to the one on which
the client opens it; over transports where the client posts and polls, that one is asked by the others. See
``skubber.sessions.questions``.

Source: ASP.NET Core SignalR, TransportProtocols.md.
"""

import asyncio
import secrets
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from skubber.codecs.websocket_frames import Opcode
from skubber.core.connection import EndReason
from skubber.core.errors import ConflictError, ForbiddenError, InvalidRequestError, NotFoundError, TooLargeError
from skubber.core.post import Answer, NobodyListensError
from skubber.sessions.elsewhere import ConnectionElsewhere, OtherNodes
from skubber.sessions.long_poll import LongPoll
from skubber.sessions.questions import Action
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

_LONGEST_TOKEN = 64
"""No token is that long, and no other node is asked for one that is longer."""


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


class _HandedOver(msgspec.Struct, array_like=True):
    """A connection on its way to the node on which it is opened, a MessagePack array."""

    connection_id: str
    by_name: bool
    can_resume: bool
    version: int
    early: bytes


_decode_handed_over = msgspec.msgpack.Decoder(_HandedOver).decode


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

    def delete(self) -> None:
        """End it, as its client wants.

        Raises:
            InvalidRequestError: ``not_polled``: it is over another transport.
        """
        if self.poll is None:
            raise InvalidRequestError("not_polled", "Only long-polling connections are closed by a request.")
        self.poll.close(0, "")

    def check_user(self, app_id: str, user_id: str | None) -> None:
        """See whose connection this is.

        Raises:
            ForbiddenError: ``user_mismatch``: it is not that app's and user's.
        """
        if not self.principal.is_user(app_id, user_id):
            raise ForbiddenError("user_mismatch", "This connection belongs to another user.")

    def polled_in_vain(self) -> None:
        """A poll was told that the connection is over, or that another poll has come."""
        if self.session is not None and self.session.is_over and self.poll is not None and not self.poll.has_messages:
            self.forget()

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
        self.others = OtherNodes(context.hub.broker.post, context.run)
        self._by_token: dict[str, SignalRConnection] = {}

    def __contains__(self, token: str) -> bool:
        return token in self._by_token

    def negotiate(self, principal: Principal, options: ConnectionOptions) -> SignalRConnection:
        """Prepare a connection, which is forgotten when it is not opened in time."""
        connection_id = self.context.new_socket_id()
        token = secrets.token_urlsafe(24) if options.version else connection_id
        connection = SignalRConnection(self, principal, options, connection_id, token)
        self._await_opening(connection)
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
            raise no_such_connection()
        connection.check_user(principal.token.app.id, principal.user_id)
        return connection

    async def listen(self, connection: SignalRConnection, answer: Answer) -> None:
        """Have other nodes' questions about a connection answered, until it is forgotten or is a WebSocket's."""
        await self.others.post.listen(_address(connection.token), answer)

    def elsewhere(self, token: str, principal: Principal) -> ConnectionElsewhere:
        """The connection of that token, which this node does not have.

        Raises:
            NotFoundError: ``no_such_connection``: nor can any other.
        """
        if len(token) > _LONGEST_TOKEN:
            raise no_such_connection()
        return self.others.connection(_address(token), principal.token.app.id, principal.user_id)

    async def take(self, token: str, principal: Principal) -> SignalRConnection:
        """Take a connection that another node has negotiated, to open it here.

        Raises:
            NotFoundError: ``no_such_connection``.
            ForbiddenError: ``user_mismatch``: it is somebody else's.
            ConflictError: ``connection_in_use``: it is open there.
            UnavailableError: ``broker_unavailable``.
        """
        try:
            answer = await self.elsewhere(token, principal).ask(Action.TAKE)
        except NobodyListensError:
            raise no_such_connection() from None
        taken = _decode_handed_over(answer or b"")
        options = _options(taken.by_name, taken.can_resume, taken.version)
        connection = SignalRConnection(self, principal, options, taken.connection_id, token)
        connection.early = taken.early
        self._await_opening(connection)
        return connection

    def hand_over(self, connection: SignalRConnection) -> bytes:
        """Let another node have a connection.

        Raises:
            ConflictError: ``connection_in_use``: it is open.
        """
        self.check_opening(connection, Transport.LONG_POLLING)
        connection.forget()
        options = connection.options
        return msgspec.msgpack.encode(
            _HandedOver(
                connection.connection_id, options.by_name, options.can_resume, options.version, connection.early
            )
        )

    def open(self, connection: SignalRConnection, transport: Transport, peer: Peer) -> Session:
        """Start the conversation over a transport, or go on with it after a cut.

        Call ``check_opening`` before.
        """
        self.context.wheel.cancel(connection)
        if connection.session is not None and connection.turn is not None:
            return Attachment(connection.session, connection.turn, peer)
        connection.transport = transport
        can_resume = connection.options.can_resume and transport is Transport.WEBSOCKETS
        if transport is Transport.WEBSOCKETS:
            self.others.post.stop(_address(connection.token))
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
        self.others.drain()

    def forget(self, connection: SignalRConnection) -> None:
        """Drop a connection that is over."""
        self.context.wheel.cancel(connection)
        self._by_token.pop(connection.token, None)
        self.others.post.stop(_address(connection.token))
        if connection.poll is not None:
            connection.poll.session = NO_SESSION

    def _await_opening(self, connection: SignalRConnection) -> None:
        self._by_token[connection.token] = connection
        self.context.wheel.schedule(connection, NEGOTIATION_TIMEOUT)


def no_such_connection() -> NotFoundError:
    """What answers who asks for a connection that no node has."""
    return NotFoundError("no_such_connection", "There is no connection with this id: negotiate a new one.")


def _address(token: str) -> str:
    return f"signalr:{token}"
