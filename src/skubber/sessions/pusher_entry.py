"""The door of the Pusher protocol: which client gets a session, and which is told why not."""

from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl

from skubber.codecs.pusher import CloseCode, PusherWireFormat
from skubber.codecs.websocket_frames import Opcode
from skubber.core.app import Scope
from skubber.core.connection import EndReason, take_nothing
from skubber.sessions.pusher import WEBSOCKET_FORMAT, PusherContext, PusherSession, refuse
from skubber.sessions.session import OpenSession, Peer, Session, UpgradeRequest
from skubber.store.apps import AppStore

_SPOKEN = range(5, 8)


class RefusedSession:
    """A client that is told why it cannot connect, and closed. Implements ``Session``."""

    __slots__ = ("_code", "_message", "_peer", "_wire_format", "last_heard", "send_now", "timer_slot", "write")

    def __init__(self, peer: Peer, wire_format: PusherWireFormat, code: CloseCode, message: str) -> None:
        self._peer = peer
        self._wire_format = wire_format
        self._code = code
        self._message = message
        self.write = peer.write
        self.send_now: Callable[[bytes], int] = take_nothing
        self.last_heard = 0
        self.timer_slot = -1

    def opened(self) -> None:
        """Send the error and close."""
        refuse(self._peer, self._wire_format, self._code, self._message)

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        """Nothing this client says matters."""

    async def closed(self) -> None:
        """There is nothing to leave."""

    def end(self, reason: EndReason) -> None:
        """It is closing already."""

    def timer_due(self, now: int) -> int:
        """Nothing is scheduled."""
        return 0


class PusherEntry:
    """Opens a session for ``/app/{key}?protocol=7&...``.

    Args:
        context: what Pusher sessions share.
        apps: where keys are looked up.
        wire_format: how the transport that comes in by this door frames what it is sent.
    """

    def __init__(
        self, context: PusherContext, apps: AppStore, wire_format: PusherWireFormat = WEBSOCKET_FORMAT
    ) -> None:
        self._context = context
        self._apps = apps
        self._wire_format = wire_format

    def __call__(self, request: UpgradeRequest) -> OpenSession:
        """Let every client in: those that cannot stay are told so in the protocol's own way."""
        return partial(self._open, request)

    def _open(self, request: UpgradeRequest, peer: Peer) -> Session:
        """Make the client's session. Source: Pusher Channels Protocol, "Connection" and "Error codes"."""
        refused = partial(RefusedSession, peer, self._wire_format)
        key = request.path.removeprefix("/app/")
        if not key or key == request.path or "/" in key:
            return refused(CloseCode.PATH_NOT_FOUND, "Connect to /app/{key}")
        if version_error := _version_error(request.query):
            return refused(*version_error)
        app = self._apps.find_by_key(key)
        if app is None:
            return refused(CloseCode.NO_SUCH_APP, "There is no app with this key")
        if not app.enabled:
            return refused(CloseCode.APP_DISABLED, "The app is disabled")
        if app.tls_only and not request.is_tls:
            return refused(CloseCode.TLS_ONLY, "The app takes TLS connections only: use wss://")
        if Scope.CONNECT not in app.keys[key].scopes:
            return refused(CloseCode.UNAUTHORIZED, "Clients cannot connect with this key: it has not the scope connect")
        self._apps.used_keys[key] = self._context.now()
        return PusherSession(self._context, app, app.keys[key], peer, self._wire_format)


def _version_error(query: bytes) -> tuple[CloseCode, str] | None:
    parameters = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    version = parameters.get("protocol")
    if not version:
        return CloseCode.NO_VERSION, "Say which protocol you speak: add protocol=7 to the URL"
    if not (version.isascii() and version.isdigit()):
        return CloseCode.INVALID_VERSION, "The protocol version must be a number"
    if len(version) > 2 or int(version) not in _SPOKEN:
        return CloseCode.UNSUPPORTED_VERSION, "Protocol versions 5 to 7 are supported"
    return None
