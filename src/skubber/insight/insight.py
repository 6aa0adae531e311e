"""Asking all nodes, and making one answer of theirs."""

from collections.abc import Sequence

from skubber.core.post import Post
from skubber.insight.node import ThisNode
from skubber.insight.questions import Answer, FoundUser, Question, decode_answer, encode

ADDRESS = "insight"
"""Where all nodes listen."""

ANSWER_TIMEOUT = 3
"""Seconds the nodes have for an answer: who asks is a person who waits."""


class Insight:
    """Looks into all nodes.

    Args:
        post: carries questions and answers.
        node: this node.
    """

    def __init__(self, post: Post, node: ThisNode) -> None:
        self.node = node
        self._post = post

    async def start(self) -> None:
        """Answer from now on what this node is asked."""
        await self._post.listen(ADDRESS, self.node.answer)

    def stop(self) -> None:
        """Answer nothing any more."""
        self._post.stop(ADDRESS)

    async def ask(self, question: Question) -> tuple[Sequence[Answer], int]:
        """Ask all nodes; returns their answers, and how many of them have not answered."""
        answers = await self._post.ask_all(ADDRESS, encode(question), ANSWER_TIMEOUT)
        return [decode_answer(content) for content in answers.contents], answers.silent


def merged_users(answers: Sequence[Answer], limit: int) -> list[FoundUser]:
    """The first of the users of all nodes, each once.

    Who is among the first of all is among the first of each node that knows the user: no count lacks a node's share.
    """
    counts: dict[str, int] = {}
    for answer in answers:
        for user in answer.users:
            counts[user.user_id] = counts.get(user.user_id, 0) + user.connection_count
    return [FoundUser(user_id, counts[user_id]) for user_id in sorted(counts)[:limit]]
