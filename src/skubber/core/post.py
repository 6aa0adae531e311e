"""What one node asks another: whoever has a thing listens at its address, and any node may ask there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

Answer = Callable[[bytes], Awaitable[bytes]]
"""Answers a question. Questions may come while others are being answered; each begins in the order of its coming."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of a question to all.

    Attributes:
        contents: the answers, in no particular order.
        silent: how many nodes have got the question and not answered it in time.
    """

    contents: tuple[bytes, ...] = ()
    silent: int = 0


class NobodyListensError(Exception):
    """No node listens at the address, or the one that did is gone."""


class Post(Protocol):
    """Carries questions and answers between nodes.

    Nothing is entered anywhere: a node that is gone listens no more, and that is all there is to it.
    """

    async def listen(self, address: str, answer: Answer) -> None:
        """Answer what is asked at an address, in place of whatever answered there before.

        Returns when questions arrive from now on. While the other nodes cannot be reached it returns at once, and is
        made up for when they can.
        """
        ...

    def stop(self, address: str) -> None:
        """Listen no more; no effect if nobody does. What is being answered is still answered."""
        ...

    async def ask(self, address: str, question: bytes, seconds: float) -> bytes:
        """Ask, and wait for the answer.

        Args:
            address: where to ask, on this node or any other.
            question: what to ask.
            seconds: how long to wait for the answer.

        Raises:
            NobodyListensError: there is nobody to answer; nobody has begun to, unless it has died over it.
            UnavailableError: the answer was lost, or did not come in time. It may have been acted on the question.
        """
        ...

    async def ask_all(self, address: str, question: bytes, seconds: float) -> Answers:
        """Ask every node where somebody listens at an address, this one included, and wait for all their answers.

        While the other nodes cannot be reached this one answers alone; how many others there are is not known then.

        Args:
            address: where to ask.
            question: what to ask.
            seconds: how long to wait for the last answer.
        """
        ...
