"""Coroutines run without a task, for as long as they can."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from structlog.testing import capture_logs

from skubber.server.eager import Suspended, run_detached, run_eagerly


async def double(value: int) -> int:
    return 2 * value


async def double_later(future: asyncio.Future[int]) -> int:
    return 2 * await future


def suspended(coroutine: Coroutine[Any, Any, int]) -> Suspended[int]:
    outcome = run_eagerly(coroutine)
    assert isinstance(outcome, Suspended)
    return outcome


def test_a_coroutine_that_does_not_wait_is_run_without_an_event_loop() -> None:
    async def call_others() -> int:
        return await double(1) + await double(2)

    assert run_eagerly(call_others()) == 6


def test_what_it_raises_is_raised_at_once() -> None:
    async def fail() -> None:
        raise LookupError("unforeseen")

    with pytest.raises(LookupError, match="unforeseen"):
        run_eagerly(fail())


async def test_a_future_that_is_done_is_no_wait() -> None:
    future = asyncio.get_running_loop().create_future()
    future.set_result(21)
    assert run_eagerly(double_later(future)) == 42


async def test_what_is_left_can_be_awaited() -> None:
    future = asyncio.get_running_loop().create_future()
    rest = suspended(double_later(future))
    future.set_result(21)
    assert await rest == 42


async def test_what_is_left_can_be_a_task() -> None:
    future = asyncio.get_running_loop().create_future()
    task = suspended(double_later(future)).as_task()
    await asyncio.sleep(0)
    assert not task.done()
    future.set_result(21)
    assert await task == 42


async def test_it_may_wait_many_times_and_for_nothing() -> None:
    steps: list[str] = []

    async def walk(future: asyncio.Future[int]) -> int:
        steps.append("eager")
        await asyncio.sleep(0)
        steps.append("after a turn of the loop")
        value = await future
        steps.append("after the future")
        async with asyncio.timeout(10):
            await asyncio.sleep(0)
        async with asyncio.TaskGroup() as group:
            child = group.create_task(double(value))
        return child.result()

    future = asyncio.get_running_loop().create_future()
    rest = suspended(walk(future))
    assert steps == ["eager"]
    task = rest.as_task()
    asyncio.get_running_loop().call_later(0, future.set_result, 4)
    assert await task == 8
    assert steps == ["eager", "after a turn of the loop", "after the future"]


async def test_the_failure_of_what_it_waits_for_reaches_it() -> None:
    caught: list[str] = []

    async def mend(future: asyncio.Future[int]) -> int:
        try:
            return await future
        except LookupError as error:
            caught.append(str(error))
            raise ValueError("mended") from error

    future = asyncio.get_running_loop().create_future()
    task = suspended(mend(future)).as_task()
    future.set_exception(LookupError("lost"))
    with pytest.raises(ValueError, match="mended"):
        await task
    assert caught == ["lost"]


async def test_a_failure_it_gets_over_is_none() -> None:
    async def get_over(future: asyncio.Future[int]) -> int:
        try:
            return await future
        except LookupError:
            return -1

    future = asyncio.get_running_loop().create_future()
    task = suspended(get_over(future)).as_task()
    future.set_exception(LookupError("lost"))
    assert await task == -1


async def test_cancelling_the_task_cancels_the_coroutine() -> None:
    ends: list[str] = []

    async def work(future: asyncio.Future[int]) -> int:
        try:
            return await future
        finally:
            ends.append("cleaned up")

    future = asyncio.get_running_loop().create_future()
    task = suspended(work(future)).as_task()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ends == ["cleaned up"]
    assert future.cancelled()


async def test_a_coroutine_may_have_a_last_word_when_it_is_cancelled() -> None:
    async def work(future: asyncio.Future[int]) -> int:
        try:
            return await future
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return -1

    task = suspended(work(asyncio.get_running_loop().create_future())).as_task()
    await asyncio.sleep(0)
    task.cancel()
    assert await task == -1


async def test_what_nobody_awaits_is_cleaned_up_with_its_last_reference() -> None:
    ends: list[str] = []

    async def work(future: asyncio.Future[int]) -> int:
        try:
            return await future
        finally:
            ends.append("cleaned up")

    rest = suspended(work(asyncio.get_running_loop().create_future()))
    del rest
    assert ends == ["cleaned up"]


class Work:
    """Background work that waits, or not, and fails, or not."""

    def __init__(self, *, waits: bool, failure: Exception | None = None) -> None:
        self.is_done = asyncio.Event()
        self._waits = waits
        self._failure = failure

    async def run(self) -> None:
        if self._waits:
            await asyncio.sleep(0)
        self.is_done.set()
        if self._failure is not None:
            raise self._failure


@pytest.mark.parametrize("waits", [False, True])
async def test_detached_work_is_done_though_nobody_waits_for_it(waits: bool) -> None:
    work = Work(waits=waits)
    run_detached(work.run())
    assert work.is_done.is_set() is not waits
    await work.is_done.wait()


@pytest.mark.parametrize("waits", [False, True])
async def test_detached_work_that_fails_is_logged_and_raises_nothing(waits: bool) -> None:
    work = Work(waits=waits, failure=LookupError("unforeseen"))
    with capture_logs() as logs:
        run_detached(work.run())
        await work.is_done.wait()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    (entry,) = logs
    assert entry["log_level"] == "error"
    assert entry["exc_info"]


async def test_detached_work_that_is_cancelled_is_no_failure() -> None:
    with capture_logs() as logs:
        run_detached(Work(waits=True).run())
        (task,) = asyncio.all_tasks() - {asyncio.current_task()}
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert logs == []


async def test_eager_and_detached_work_keep_to_their_order() -> None:
    order: list[int] = []

    async def note(number: int, *, waits: bool) -> int:
        if waits:
            await asyncio.sleep(0)
        order.append(number)
        return number

    run_detached(note(1, waits=True))
    run_detached(note(2, waits=False))
    assert run_eagerly(note(3, waits=False)) == 3
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == [2, 3, 1]
