"""Connections that other nodes have."""

import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from skubber.core.errors import SkubberError
from skubber.core.post import NobodyListensError, Post
from skubber.sessions.questions import Action, Question, decode_reply, encode_question

ANSWER_TIMEOUT = 15
"""Seconds the owner of a connection has for an answer, besides those that a poll waits."""


class OtherNodes:
    """Knows how to ask them.

    Args:
        post: carries questions and answers.
        run: runs a coroutine that nobody waits for.
    """

    def __init__(self, post: Post, run: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        self.post = post
        self.run = run
        self.polls: set[ConnectionElsewhere] = set()

    def connection(self, address: str, app_id: str = "", user_id: str | None = None) -> "ConnectionElsewhere":
        """The connection whose owner listens at an address, for a client of that app and user."""
        return ConnectionElsewhere(self, address, app_id, user_id)

    def drain(self) -> None:
        """The server is stopping: answer every poll, for its client to come back by way of another node."""
        for connection in tuple(self.polls):
            connection.release()


class ConnectionElsewhere:
    """A connection of another node, for the time of one request.

    Every method that asks raises ``NobodyListensError`` when no node has the connection, ``UnavailableError`` when its
    answer was lost, and what its owner raises.

    Args:
        nodes: the other nodes.
        address: where its owner listens.
        app_id: whose client asks, where connections belong to somebody.
        user_id: likewise.

    Attributes:
        turn: as ``LongPoll`` has it; there is one poll only.
        is_abandoned: whether the client of the poll has gone away.
        run: runs a coroutine that nobody waits for.
    """

    def __init__(self, nodes: OtherNodes, address: str, app_id: str, user_id: str | None) -> None:
        self.run = nodes.run
        self._nodes = nodes
        self._address = address
        self._app_id = app_id
        self._user_id = user_id
        self._poll_id = secrets.token_bytes(8)
        self.is_abandoned = False
        self._is_released = False
        self.turn = 0

    async def ask(self, action: Action, body: bytes = b"", seconds: float = 0) -> bytes | None:
        """Ask the owner for something."""
        question = Question(action, self._app_id, self._user_id, body, self._poll_id, seconds)
        reply = await self._nodes.post.ask(self._address, encode_question(question), seconds + ANSWER_TIMEOUT)
        return decode_reply(reply)

    async def poll(self, seconds: float) -> bytes | None:
        """See ``LongPoll.poll``."""
        self._nodes.polls.add(self)
        try:
            messages = await self.ask(Action.POLL, seconds=seconds)
        finally:
            self._nodes.polls.discard(self)
        if messages and self.is_abandoned:
            await self.give_back(messages)
            return None
        if messages is None and self._is_released:
            return b""
        return messages

    def abandon(self, turn: int = 0) -> None:
        """The client of the poll has gone away: nothing may be handed to it."""
        self.is_abandoned = True
        self.run(self.tell(Action.ABANDON))

    def release(self) -> None:
        """End the poll with what there is, perhaps nothing."""
        self._is_released = True
        self.run(self.tell(Action.ABANDON))

    async def give_back(self, messages: bytes) -> None:
        """Have the next poll answered with messages that this one has not handed to the client."""
        await self.tell(Action.GIVE_BACK, messages)

    async def tell(self, action: Action, body: bytes = b"") -> None:
        """Ask the owner for something that it does not matter whether it can be had; nothing is raised."""
        try:
            await self.ask(action, body)
        except (NobodyListensError, SkubberError):
            return  # then there is nothing to be saved
