"""A back end's connection: one HTTP request at a time, with as little in it as publishing needs."""

import asyncio
import ssl
from typing import NamedTuple
from urllib.parse import quote

import httptools
import msgspec

from skubber.load.reasons import reason
from skubber.load.tasks import Target

PATIENCE = 10
"""Seconds that the server has to answer."""


class PublishError(Exception):
    """There is no answer to be had; the message is a sentence that says why."""


class Answer(NamedTuple):
    """What the server answered.

    Attributes:
        status: the HTTP status.
        body: the body.
    """

    status: int
    body: bytes

    @property
    def says(self) -> str:
        """Code and sentence of an error, or what else there is."""
        try:
            said = msgspec.json.decode(self.body, type=_Error)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return f"{self.status}: {self.body.decode(errors='replace').strip()[:300]}".rstrip(": ")
        return f"{said.code}: {said.error}"


class _Error(msgspec.Struct):
    code: str
    error: str


class Publisher(asyncio.Protocol):
    """A kept-alive connection. Where the server ends it after an answer, the next request opens another.

    Args:
        target: the server.
        context: which certificates are trusted, where TLS is spoken.
    """

    def __init__(self, target: Target, context: ssl.SSLContext | None) -> None:
        self._target = target
        self._context = context
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser
        self._answer: asyncio.Future[Answer] | None = None
        self._body = b""
        self._head = (
            f"POST {target.path}/apps/{quote(target.app_id, safe='')}/events HTTP/1.1\r\nHost: {target.authority}\r\n"
            f"Content-Type: application/json\r\nX-Api-Key: {target.key}\r\nX-Api-Secret: {target.secret}\r\n"
            "Content-Length: "
        ).encode()

    async def connect(self) -> None:
        """Open the connection, if it is not.

        Raises:
            PublishError: that is not possible.
        """
        if self._transport is not None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().create_connection(
                    lambda: self,
                    self._target.address,
                    self._target.port,
                    ssl=self._context,
                    server_hostname=self._target.host if self._target.is_tls else None,
                )
        except TimeoutError:
            raise PublishError(f"The server cannot be reached any more: no answer within {PATIENCE} s.") from None
        except OSError as error:
            raise PublishError(f"The server cannot be reached any more: {reason(error)}.") from None

    async def publish(self, channel: str, data: str) -> Answer:
        """Publish an event, and wait for the answer.

        Args:
            channel: the channel.
            data: the event's data, with nothing in it that JSON would have to escape.

        Raises:
            PublishError: there is none.
        """
        await self.connect()
        body = f'{{"name":"bench","channel":"{channel}","data":"{data}"}}'.encode()
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None:
            raise PublishError("The server closed the connection.")
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._answer
        except TimeoutError:
            raise PublishError(f"The server did not answer a publish within {PATIENCE} s.") from None

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(PublishError("The server hung up in the middle of a publish."))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"What the server answered is not HTTP: {error}.")

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._body = b""

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body += body

    def on_message_complete(self) -> None:
        """Called by the parser."""
        status, stays = self._parser.get_status_code(), self._parser.should_keep_alive()
        if not stays and self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(status, self._body))

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(PublishError(why))
        self.close()
