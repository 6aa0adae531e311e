"""Answering polls."""

import asyncio

from starlette.requests import Request

from skubber.sessions.elsewhere import ConnectionElsewhere
from skubber.sessions.long_poll import LongPoll

Poll = LongPoll | ConnectionElsewhere
"""Where a client's messages wait: here, or on another node."""


async def wait_for_messages(request: Request, poll: Poll, seconds: float) -> bytes | None:
    """Wait for what a poll is to be answered with, for as long as the client waits for it.

    Args:
        request: the poll; what its body still holds is not looked at.
        poll: where its messages wait.
        seconds: how long to wait for some.

    Returns:
        See ``LongPoll.poll``.
    """
    watcher = asyncio.create_task(_abandon_when_gone(request, poll, poll.turn + 1))
    try:
        return await poll.poll(seconds)
    finally:
        watcher.cancel()


async def _abandon_when_gone(request: Request, poll: Poll, turn: int) -> None:
    """A poll whose client is gone must not swallow messages: the client will be back with another."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    poll.abandon(turn)
