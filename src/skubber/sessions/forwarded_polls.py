"""Polls that come by way of other nodes, as the owner of their connection sees them."""

from skubber.sessions.long_poll import LongPoll
from skubber.sessions.questions import Action, Question


class ForwardedPolls:
    """Hands a connection's messages to the nodes that its client polls.

    Args:
        poll: where the messages wait.
    """

    __slots__ = ("_poll", "_poll_id", "_turn")

    def __init__(self, poll: LongPoll) -> None:
        self._poll = poll
        self._poll_id = b""
        self._turn = 0

    async def answer(self, question: Question) -> bytes | None:
        """Answer one of the three questions about polls; see ``LongPoll.poll``."""
        if question.action is Action.POLL:
            self._poll_id, self._turn = question.poll_id, self._poll.turn + 1
            return await self._poll.poll(question.seconds)
        if question.poll_id == self._poll_id and self._poll.turn == self._turn:
            if question.action is Action.ABANDON:
                self._poll.abandon(self._turn)
                self._turn = self._poll.turn
            else:
                self._poll.give_back(question.body)
        return b""
