"""Answering what other nodes ask about a connection of this one."""

from skubber.core.errors import InvalidRequestError
from skubber.sessions.forwarded_polls import ForwardedPolls
from skubber.sessions.questions import Action, Question, decode_question, encode_reply
from skubber.sessions.signalr.connections import SignalRConnection, SignalRConnections


class Owner:
    """Listens for one connection. Implements ``Answer``.

    Args:
        connections: this node's.
        connection: the one.
    """

    __slots__ = ("_connection", "_connections", "_polls")

    def __init__(self, connections: SignalRConnections, connection: SignalRConnection) -> None:
        self._connections = connections
        self._connection = connection
        self._polls: ForwardedPolls | None = None

    async def __call__(self, payload: bytes) -> bytes:
        """Answer a question."""
        return await encode_reply(self._answer(decode_question(payload)))

    async def _answer(self, question: Question) -> bytes | None:
        connection = self._connection
        connection.check_user(question.app_id, question.user_id)
        match question.action:
            case Action.TAKE:
                return self._connections.hand_over(connection)
            case Action.POST:
                await connection.post(question.body)
            case Action.DELETE:
                connection.delete()
            case Action.POLL | Action.ABANDON | Action.GIVE_BACK:
                return await self._answer_poll(question)
        return b""

    async def _answer_poll(self, question: Question) -> bytes | None:
        poll = self._connection.poll
        if poll is None:
            raise InvalidRequestError("not_polled", "Nobody has polled the connection yet.")
        if self._polls is None:
            self._polls = ForwardedPolls(poll)
        messages = await self._polls.answer(question)
        if messages is None:
            self._connection.polled_in_vain()
        return messages


async def announce(connections: SignalRConnections, connection: SignalRConnection) -> None:
    """Have the other nodes find a connection: from when this returns until it is forgotten or is a WebSocket's."""
    await connections.listen(connection, Owner(connections, connection))
