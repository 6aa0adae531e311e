"""Pusher clients over HTTP on any node: finding who has a connection, and answering for those of this one."""

from skubber.core.connection import EndReason
from skubber.sessions.elsewhere import ConnectionElsewhere
from skubber.sessions.forwarded_polls import ForwardedPolls
from skubber.sessions.pusher_http import (
    PusherHttpConnection,
    PusherHttpConnections,
    SessionAddress,
    post_address,
)
from skubber.sessions.questions import Action, Question, decode_question, encode_reply
from skubber.sessions.session import UpgradeRequest


class PusherHttpOwner:
    """Listens for one connection. Implements ``Answer``.

    Args:
        connection: the connection.
    """

    __slots__ = ("_connection", "_polls")

    def __init__(self, connection: PusherHttpConnection) -> None:
        self._connection = connection
        self._polls = ForwardedPolls(connection)

    async def __call__(self, payload: bytes) -> bytes:
        """Answer a question."""
        return await encode_reply(self._answer(decode_question(payload)))

    async def _answer(self, question: Question) -> bytes | None:
        match question.action:
            case Action.POST:
                await self._connection.post(question.body)
            case Action.END:
                self._connection.session.end(EndReason.TOO_SLOW)
            case Action.POLL | Action.ABANDON | Action.GIVE_BACK:
                return await self._polls.answer(question)
        return b""


async def own(connections: PusherHttpConnections, request: UpgradeRequest) -> PusherHttpConnection:
    """Open the connection at a path here; when this returns, other nodes find it.

    Raises:
        NotFoundError: ``not_found``: no connection can be at the request's path.
    """
    is_new = request.path not in connections
    connection = connections.find_or_open(request)
    if is_new and not connection.is_closed:  # nobody comes back to one that was turned away
        address = post_address(SessionAddress.of(request.path).name)
        await connections.others.post.listen(address, PusherHttpOwner(connection))
    return connection


def elsewhere(connections: PusherHttpConnections, path: str) -> ConnectionElsewhere:
    """The connection at a path, which this node does not have.

    Raises:
        NotFoundError: ``not_found``: no connection can be there.
    """
    return connections.others.connection(post_address(SessionAddress.of(path).name))
