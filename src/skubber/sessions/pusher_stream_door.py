"""The door of Pusher's HTTP streams."""

from functools import partial

from skubber.core.errors import UnavailableError
from skubber.core.post import NobodyListensError
from skubber.sessions.pusher_http import PusherHttpConnections, SessionAddress
from skubber.sessions.pusher_http_owner import elsewhere, own
from skubber.sessions.questions import Action
from skubber.sessions.relayed_stream import RelayedStream
from skubber.sessions.session import Opening, OpenSession, UpgradeRequest


class PusherStreamDoor:
    """Lets clients in that ask for a stream; one may be another node's, and this its next.

    Args:
        connections: this node's.
    """

    def __init__(self, connections: PusherHttpConnections) -> None:
        self._connections = connections

    def __call__(self, request: UpgradeRequest) -> Opening:
        """Let a client in.

        Raises:
            NotFoundError: ``not_found``: no connection can be at the request's path.
        """
        if request.path in self._connections:
            return self._connections.open_stream(request)
        return self._open_elsewhere(request)

    async def _open_elsewhere(self, request: UpgradeRequest) -> OpenSession:
        connection = elsewhere(self._connections, request.path)
        try:
            await connection.ask(Action.FIND)
        except (NobodyListensError, UnavailableError):
            await own(self._connections, request)
            return self._connections.open_stream(request)
        ends_when_full = SessionAddress.of(request.path).app_path is None
        return partial(RelayedStream, connection, self._connections.wheel, ends_when_full)
