"""The post of a single node: there is nobody else to ask."""

import asyncio

import structlog

from skubber.core.errors import UnavailableError
from skubber.core.post import Answer, Answers, NobodyListensError

_log = structlog.stdlib.get_logger("skubber.brokers")


class MemoryPost:
    """Implements ``Post`` for one process."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}

    async def listen(self, address: str, answer: Answer) -> None:
        self._answers[address] = answer

    def stop(self, address: str) -> None:
        self._answers.pop(address, None)

    async def ask(self, address: str, question: bytes, seconds: float) -> bytes:
        answer = self._answers.get(address)
        if answer is None:
            raise NobodyListensError(address)
        answering = asyncio.ensure_future(answer(question))
        # What waits here may be outside of any task, where asyncio.timeout cannot be used.
        await asyncio.wait({answering}, timeout=seconds)
        if not answering.done():
            answering.cancel()
            raise _unanswered()
        try:
            return answering.result()
        except Exception:
            _log.exception("a question could not be answered")
            raise _unanswered() from None

    async def ask_all(self, address: str, question: bytes, seconds: float) -> Answers:
        try:
            return Answers((await self.ask(address, question, seconds),))
        except NobodyListensError:
            return Answers()
        except UnavailableError:
            return Answers(silent=1)


def _unanswered() -> UnavailableError:
    return UnavailableError("broker_unavailable", "What was asked has not been answered: try again later.")
