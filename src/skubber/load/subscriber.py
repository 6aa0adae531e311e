"""A client that receives: a WebSocket with as little in it as receiving needs, whatever is spoken over it.

The load generator must cost less than the server that it measures. All clients of a channel are sent the same bytes,
mostly one message in one piece: what is the same as the piece before, at another client, is not looked into again.
"""

import asyncio
import base64
import secrets
import time
from abc import ABC, abstractmethod

from skubber.codecs.websocket_frames import Opcode, encode_frame
from skubber.codecs.websocket_handshake import accept_key
from skubber.codecs.websocket_reader import FrameReader, close_code_and_reason
from skubber.load.latencies import Latencies
from skubber.load.ledger import Ledger
from skubber.load.stamp import Stamp, stamps_in
from skubber.load.tasks import Target

_MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_MAX_HEAD_BYTES = 65_536


class ConnectError(Exception):
    """A client does not get as far as its subscription; the message is a sentence that says why."""


class Reception:
    """What all clients of a process have in common that are on the same channel.

    Args:
        channel: the channel's name.
        lanes: how many publishers it has.
        mark: what stands before each stamp.
        latencies: takes the time each message took.

    Attributes:
        piece: what one of the clients has received last, whole frames.
        stamps: what messages are in that.
        cut: how many clients were cut off after they had subscribed.
        last_arrival: when a message arrived last, nanoseconds of the monotonic clock.
    """

    __slots__ = ("channel", "cut", "lanes", "last_arrival", "latencies", "mark", "piece", "stamps")

    def __init__(self, channel: str, lanes: int, mark: bytes, latencies: Latencies) -> None:
        self.channel = channel
        self.lanes = lanes
        self.mark = mark
        self.latencies = latencies
        self.piece = b""
        self.stamps: list[Stamp] = []
        self.cut = 0
        self.last_arrival = 0


class Subscriber(asyncio.Protocol, ABC):
    """One client. What it speaks is for its subclasses to say.

    Args:
        target: the server.
        reception: that of its channel.

    Attributes:
        subscribed: done once messages will arrive, or with a ``ConnectError``.
        ledger: what has arrived.
    """

    __slots__ = ("_head", "_key", "_reader", "_target", "_transport", "_unread", "ledger", "reception", "subscribed")

    def __init__(self, target: Target, reception: Reception) -> None:
        self.reception = reception
        self.ledger = Ledger(reception.lanes)
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.subscribed.add_done_callback(_see)  # it may fail when nobody is waiting any more
        self._target = target
        self._transport: asyncio.Transport
        self._reader = FrameReader(_MAX_MESSAGE_BYTES, require_mask=False)
        self._unread = 0
        self._key = b""
        self._head: bytes | None = b""

    @abstractmethod
    def request_path(self) -> str:
        """The path and query of the request that opens the WebSocket, without the target's own path."""

    @abstractmethod
    def opened(self) -> None:
        """The WebSocket is open."""

    @abstractmethod
    def told(self, message: bytes) -> None:
        """The server has said something that is no message of this measurement."""

    def keep_alive(self) -> None:
        """Say something that keeps the connection, where the protocol wants that of clients. Called now and then."""

    def close(self) -> None:
        """End the connection without a word: nobody is left who would listen."""
        self._transport.abort()

    def send(self, text: bytes) -> None:
        """Send a text message."""
        # Masks keep scripts from writing what a proxy takes for a request (RFC 6455 section 10.3): this is no script.
        self._transport.write(encode_frame(Opcode.TEXT, text, mask=bytes(4)))

    def succeed(self) -> None:
        """The client has subscribed."""
        if not self.subscribed.done():
            self.subscribed.set_result(None)

    def fail(self, reason: str) -> None:
        """The server refuses; before the subscription that is an error, after it the connection counts as cut."""
        if not self.subscribed.done():
            self.subscribed.set_exception(ConnectError(reason))
        self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._key = base64.b64encode(secrets.token_bytes(16))
        transport.write(
            f"GET {self._target.path}{self.request_path()} HTTP/1.1\r\nHost: {self._target.authority}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {self._key.decode()}\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.subscribed.done():
            said = b"" if self._head is None else self._head
            self.subscribed.set_exception(ConnectError(_refusal(said) if said else "the server hung up"))
        elif not self.subscribed.cancelled() and self.subscribed.exception() is None:
            self.reception.cut += 1

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        reception = self.reception
        if data == reception.piece and not self._unread and self._head is None:
            self._arrived(reception.stamps, now)
        elif self._head is None:
            self._read(data, now)
        else:
            self._read_head(self._head + data, now)

    def _arrived(self, stamps: list[Stamp], now: int) -> None:
        reception = self.reception
        received, record = self.ledger.received, reception.latencies.record
        for lane, number, due in stamps:
            if lane < reception.lanes:
                received(lane, number)
                record(now - due)
        reception.last_arrival = now

    def _read(self, data: bytes, now: int) -> None:
        had_unread = self._unread
        self._unread += len(data)
        messages = self._reader.feed(data)
        while self._reader.is_behind:
            messages += self._reader.feed()
        reception = self.reception
        found: list[Stamp] = []
        is_plain = True
        for opcode, payload in messages:
            self._unread -= _frame_size(len(payload))
            stamps = stamps_in(payload, reception.mark) if opcode <= Opcode.BINARY else []
            found += stamps
            if not stamps:
                is_plain = False
                self._control(opcode, payload)
        if self._reader.error is not None:
            self.fail(f"the server broke the WebSocket protocol: {self._reader.error.reason}")
        if not found:
            return
        self._arrived(found, now)
        if is_plain and not had_unread and not self._unread:
            reception.piece, reception.stamps = data, found

    def _control(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.PING:
            self._transport.write(encode_frame(Opcode.PONG, payload, mask=bytes(4)))
        elif opcode is Opcode.CLOSE:
            code, reason = close_code_and_reason(payload)
            self.fail(f"the server closed the connection with {code}{f': {reason}' if reason else ''}")
        elif opcode <= Opcode.BINARY:
            self.told(payload)

    def _read_head(self, data: bytes, now: int) -> None:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            self._head = data
            if len(data) > _MAX_HEAD_BYTES:
                self.fail("the server answers with no end")
            return
        if not head.startswith(b"HTTP/1.1 101 ") or accept_key(self._key) not in head:
            # The body, which says why, may come a little later: the end of the connection, or the timeout, has it all.
            self._head = data
            if rest:
                self.fail(_refusal(data))
            return
        self._head = None
        self.opened()
        if rest:
            self._read(rest, now)


def _see(done: asyncio.Future[None]) -> None:
    if not done.cancelled():
        done.exception()


def _frame_size(payload: int) -> int:
    """How many bytes a whole frame of a server's has."""
    return payload + (2 if payload < 126 else 4 if payload < 65_536 else 10)


def _refusal(answer: bytes) -> str:
    """What an answer other than the right one says."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0].decode(errors="replace")
    said = body.decode(errors="replace").strip()[:300]
    return f"the server answered {status}{f': {said}' if said else ''}"
