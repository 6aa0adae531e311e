"""Questions to other nodes that are still to be answered."""

import asyncio
from typing import Protocol

from skubber.brokers.redis.unavailable import unavailable
from skubber.core.post import Answers, NobodyListensError


class Pending(Protocol):
    """A question on its way, as the letters see it that come back."""

    def received_by(self, count: int) -> None:
        """So many nodes have got the question."""
        ...

    def answered(self, content: bytes) -> None:
        """One has answered."""
        ...

    def is_not_there(self) -> None:
        """One of them does not listen any more: Redis was about to hear of it."""
        ...

    def is_lost(self) -> None:
        """One of them has failed to answer."""
        ...

    def is_worked_on(self) -> None:
        """One of them is about to answer."""
        ...


class AskedOne:
    """A question that one node is to answer. Implements ``Pending``.

    Attributes:
        answer: gets it.
        unheard: probes that nobody has answered yet.
    """

    def __init__(self) -> None:
        self.unheard = 0
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._receivers: int | None = None
        self._not_here = 0

    def received_by(self, count: int) -> None:
        self._receivers = count
        self._despair()

    def answered(self, content: bytes) -> None:
        if not self.answer.done():
            self.answer.set_result(content)

    def is_not_there(self) -> None:
        self._not_here += 1
        self._despair()

    def is_lost(self) -> None:
        self.fail(unavailable())

    def is_worked_on(self) -> None:
        self.unheard = 0

    def fail(self, error: Exception) -> None:
        """No answer will come, unless one has."""
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # who asked may wait no more

    def _despair(self) -> None:
        if self._receivers is not None and self._not_here >= self._receivers:
            self.fail(NobodyListensError())


class AskedAll:
    """A question that every node which gets it is to answer. Implements ``Pending``.

    Attributes:
        done: when nobody is left to wait for.
    """

    def __init__(self) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._receivers: int | None = None
        self._not_here = 0
        self._lost = 0
        self._contents: list[bytes] = []

    @property
    def answers(self) -> Answers:
        """What has come by now."""
        expected = 0 if self._receivers is None else self._receivers - self._not_here
        return Answers(tuple(self._contents), max(0, expected - len(self._contents)))

    def received_by(self, count: int) -> None:
        self._receivers = count
        self._look()

    def answered(self, content: bytes) -> None:
        self._contents.append(content)
        self._look()

    def is_not_there(self) -> None:
        self._not_here += 1
        self._look()

    def is_lost(self) -> None:
        self._lost += 1
        self._look()

    def is_worked_on(self) -> None:
        """That is what the time it has is for."""

    def _look(self) -> None:
        heard = self._not_here + self._lost + len(self._contents)
        if self._receivers is not None and heard >= self._receivers and not self.done.done():
            self.done.set_result(None)
