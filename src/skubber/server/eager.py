"""Running a coroutine as far as it goes without an event-loop task.

The hub's methods are coroutines because a networked broker has to wait. With the memory broker they never suspend,
and then a task per request or message would be the larger part of its cost: stepping a coroutine that finishes at
once costs about 0.1 us, a task about 5 us and a turn of the loop.

Up to its first wait such a coroutine runs outside of any task. What asks for the running task, as ``asyncio.timeout``
and ``asyncio.TaskGroup`` do, can be used only after that.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

import structlog

Result = TypeVar("Result")

_log = structlog.stdlib.get_logger("skubber.server")

# The event loop itself holds tasks weakly.
_detached: set[asyncio.Task[Any]] = set()


class Suspended(Generic[Result]):
    """A coroutine that has run up to its first wait. Await it to run the rest."""

    __slots__ = ("_coroutine", "_waiting_for")

    def __init__(self, coroutine: Coroutine[Any, Any, Result], waiting_for: Any) -> None:
        self._coroutine = coroutine
        self._waiting_for = waiting_for

    def __await__(self) -> Generator[Any, Any, Result]:
        waiting_for = self._waiting_for
        while True:
            try:
                sent = yield waiting_for
            except BaseException as error:  # the task that runs us throws cancellations in here
                step = self._throw(error)
            else:
                step = self._send(sent)
            if isinstance(step, _Finished):
                result: Result = step.result
                return result
            waiting_for = step

    def _send(self, value: Any) -> Any:
        try:
            return self._coroutine.send(value)
        except StopIteration as finished:
            return _Finished(finished.value)

    def _throw(self, error: BaseException) -> Any:
        try:
            return self._coroutine.throw(error)
        except StopIteration as finished:
            return _Finished(finished.value)

    def as_task(self) -> asyncio.Task[Result]:
        """Let the event loop run the rest."""

        async def finish() -> Result:
            return await self

        return asyncio.get_running_loop().create_task(finish())


class _Finished:
    __slots__ = ("result",)

    def __init__(self, result: Any) -> None:
        self.result = result


def run_eagerly(coroutine: Coroutine[Any, Any, Result]) -> Result | Suspended[Result]:
    """Run a coroutine up to its end or its first wait, whichever comes first."""
    try:
        waiting_for = coroutine.send(None)
    except StopIteration as finished:
        result: Result = finished.value
        return result
    return Suspended(coroutine, waiting_for)


def run_detached(coroutine: Coroutine[Any, Any, object]) -> None:
    """Run a coroutine that nobody waits for. Should it fail, the log says so; nothing is raised."""
    try:
        outcome = run_eagerly(coroutine)
    except Exception:
        _log.exception("background work failed")
        return
    if isinstance(outcome, Suspended):
        task = outcome.as_task()
        _detached.add(task)
        task.add_done_callback(_finish_detached)


def _finish_detached(task: asyncio.Task[Any]) -> None:
    _detached.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("background work failed", exc_info=error)
