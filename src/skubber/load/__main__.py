"""One process of the load; started by its parent, see ``process``."""

import asyncio
import contextlib
import os
import selectors
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import msgspec
from uvicorn.loops.auto import auto_loop_factory

from skubber.load.open_files import raise_open_files
from skubber.load.publishing import Publishing
from skubber.load.subscribing import Subscribing
from skubber.load.tasks import Expect, Order, PublishTask, Stop, SubscribeTask, decode_order, decode_task

_STDIN = 0


def _main() -> None:
    line = sys.stdin.buffer.readline()
    if not line:  # the parent is gone already
        return
    task = decode_task(line)
    raise_open_files()
    with asyncio.Runner(loop_factory=_loop_factory(task)) as runner:
        runner.run(_subscribe(task) if isinstance(task, SubscribeTask) else _publish(task))


def _loop_factory(task: SubscribeTask | PublishTask) -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop, and epoll as well, wake up at whole milliseconds: half a millisecond late, for messages that are due."""
    if isinstance(task, PublishTask) and task.rate:
        return lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
    return auto_loop_factory()


async def _subscribe(task: SubscribeTask) -> None:
    orders = _orders()
    subscribing = Subscribing(task)
    async with _beside(subscribing.reporter.run(), subscribing.keep_alive()):
        connecting = asyncio.create_task(subscribing.connect())
        ordering = asyncio.create_task(orders.get())
        await asyncio.wait((connecting, ordering), return_when=asyncio.FIRST_COMPLETED)
        error = connecting.result() if connecting.done() else ""
        if not ordering.done():
            subscribing.reporter.tell(is_ready=True, error=error)
        order = await ordering
        connecting.cancel()
        if isinstance(order, Expect):
            await subscribing.finish(order)
    subscribing.reporter.tell(is_last=True)
    subscribing.close()


async def _publish(task: PublishTask) -> None:
    orders = _orders()
    publishing = Publishing(task)
    async with _beside(publishing.reporter.run(), _stop_when_told(orders, publishing)):
        error = await publishing.run()
    publishing.reporter.tell(is_last=True, error=error)


async def _stop_when_told(orders: "asyncio.Queue[Order]", publishing: Publishing) -> None:
    await orders.get()
    publishing.stop()


def _orders() -> "asyncio.Queue[Order]":
    """What the parent orders from now on; its end is an order to stop."""
    orders: asyncio.Queue[Order] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    unread = bytearray()

    def read() -> None:
        data = os.read(_STDIN, 65_536)
        unread.extend(data)
        *lines, rest = bytes(unread).split(b"\n")
        unread[:] = rest
        for line in lines:
            orders.put_nowait(decode_order(line))
        if not data:
            loop.remove_reader(_STDIN)
            orders.put_nowait(Stop())

    loop.add_reader(_STDIN, read)
    return orders


@contextlib.asynccontextmanager
async def _beside(*coroutines: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something beside the body, until that ends."""
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    # Whoever has started this is gone when nothing can be told any more.
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt, msgspec.DecodeError):
        _main()
