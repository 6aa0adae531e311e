"""Event streams of the admin API: one answer that goes on for as long as its client listens and may.

Source: HTML Living Standard, "Server-sent events".
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from skubber.codecs.event_stream import encode_event
from skubber.core.errors import SkubberError, UnavailableError

COMMENT_INTERVAL = 15
"""Seconds of silence after which a comment is sent: proxies cut what is silent."""

CHECK_INTERVAL = 5
"""Seconds between two looks whether the client may still listen."""

MOST_STREAMS = 20
"""Most streams open at a time on one node."""

_COMMENT = b": \r\n\r\n"

Check = Callable[[], Awaitable[object]]
"""Sees whether a client may still listen: raises a ``SkubberError`` if not."""


class EventStreams:
    """The event streams of one node, which end together when it stops.

    Args:
        most: how many may be open at a time.
        check_interval: seconds between two looks whether a stream's client may still listen.
        comment_interval: seconds of silence after which a comment is sent.
    """

    def __init__(
        self,
        most: int = MOST_STREAMS,
        check_interval: float = CHECK_INTERVAL,
        comment_interval: float = COMMENT_INTERVAL,
    ) -> None:
        self._most = most
        self.check_interval = check_interval
        self.comment_interval = comment_interval
        self._open: set[EventStream] = set()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._open)

    def response(self, name: str, values: AsyncIterator[msgspec.Struct], check: Check) -> Response:
        """The answer that is a stream.

        Args:
            name: the name of its events.
            values: their data, which becomes JSON; nothing is taken of it before the answer is sent, and it is closed
                in the end.
            check: sees from time to time whether the client may still listen.

        Raises:
            UnavailableError: ``too_many_event_streams``, or ``draining``: the server is stopping.
        """
        if self._is_closed:
            raise UnavailableError("draining", "This server is stopping: ask again, another will answer.")
        if len(self._open) >= self._most:
            raise UnavailableError(
                "too_many_event_streams", f"At most {self._most} streams are open on a server at a time."
            )
        stream = EventStream(self, name, values, check)
        self._open.add(stream)
        return stream

    def close(self) -> None:
        """The server is stopping: end all, and open no more."""
        self._is_closed = True
        for stream in tuple(self._open):
            stream.end()

    def forget(self, stream: "EventStream") -> None:
        """It is over."""
        self._open.discard(stream)


class EventStream(Response):
    """One answer of ``EventStreams``. It ends when its client is gone or may not listen any more.

    Args:
        streams: those it is one of.
        name: see ``EventStreams.response``, as for the others.
    """

    def __init__(self, streams: EventStreams, name: str, values: AsyncIterator[msgspec.Struct], check: Check) -> None:
        super().__init__(media_type="text/event-stream")
        del self.headers["content-length"]
        # nginx would keep events back until it has a page of them.
        self.headers["x-accel-buffering"] = "no"
        self._streams = streams
        self._name = name
        self._values = values
        self._check = check
        self._end = asyncio.Event()

    def end(self) -> None:
        """End it at once."""
        self._end.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; called by Starlette."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                await _first_of(self._send_events(send), self._end.wait(), _gone(receive), self._may_listen_no_more())
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._streams.forget(self)
            if (close := getattr(self._values, "aclose", None)) is not None:
                await close()

    async def _send_events(self, send: Send) -> None:
        # A comment at once: clients and proxies that wait for the first bytes have them.
        await _send(send, _COMMENT)
        coming = asyncio.ensure_future(anext(self._values))
        try:
            while True:
                await asyncio.wait({coming}, timeout=self._streams.comment_interval)
                if not coming.done():
                    await _send(send, _COMMENT)
                    continue
                value = coming.result()
                await _send(send, b"event: %b\r\n%b" % (self._name.encode(), encode_event(msgspec.json.encode(value))))
                coming = asyncio.ensure_future(anext(self._values))
        except StopAsyncIteration:
            return
        finally:
            coming.cancel()
            await asyncio.wait({coming})

    async def _may_listen_no_more(self) -> None:
        while True:
            await asyncio.sleep(self._streams.check_interval)
            try:
                await self._check()
            except (SQLAlchemyError, UnavailableError):
                continue  # that says nothing about the client
            except SkubberError:
                return


async def _send(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first_of(*coroutines: Coroutine[Any, Any, object]) -> None:
    """Run all until the first is done; the others come to nothing."""
    tasks = {asyncio.ensure_future(coroutine) for coroutine in coroutines}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        with suppress(SkubberError):
            task.result()
