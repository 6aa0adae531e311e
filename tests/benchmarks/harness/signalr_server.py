"""A SignalR hub just good enough for the load generator, that can be made to deliver wrongly."""

import asyncio
from collections.abc import Sequence

import msgspec

from skubber.codecs.signalr import HANDSHAKE_ACCEPTED, HubProtocol
from skubber.codecs.websocket_frames import encode_binary, encode_text

from .pusher_server import Fault, PusherServer

CHANNEL = "bench-00000"
SUBSCRIPTION = {"channel": CHANNEL}


class SignalRServer(PusherServer):
    """Issues one token and lets its holders in.

    Args:
        protocol: the encoding of messages.
        fault: changes the frames that one subscriber receives for three publishes.
        answers: what answers a client's ``Subscribe``, unless it is the right thing; a ping among it waits for one.
        handshake_answer: what answers its handshake.
        token_answer: status and body that answer a request for a token.

    Attributes:
        heard: the payloads of the frames that clients have sent.
    """

    def __init__(
        self,
        protocol: HubProtocol,
        fault: Fault = lambda frames: frames,
        answers: Sequence[bytes] | None = None,
        handshake_answer: bytes = HANDSHAKE_ACCEPTED,
        token_answer: tuple[bytes, bytes] = (b"200 OK", b'{"token":"a.b.c"}'),
    ) -> None:
        super().__init__(fault)
        self.heard: list[bytes] = []
        self._protocol = protocol
        self._answers = right_answers(protocol) if answers is None else answers
        self._handshake_answer = handshake_answer
        self._token_answer = token_answer

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await _read_frame(reader))
        writer.write(frame(self._protocol, self._handshake_answer))
        self.heard.append(await _read_frame(reader))
        for answer in self._answers:
            writer.write(frame(self._protocol, answer))
            if answer == self._protocol.ping:
                self.heard.append(await _read_frame(reader))

    def _frame(self, publish: bytes) -> bytes:
        event = msgspec.json.decode(publish, type=dict[str, str])
        return frame(self._protocol, event_call(self._protocol, event["data"]))

    async def _publish(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not head.startswith(b"POST /api/auth/signalr-token "):
            await super()._publish(head, reader, writer)
            return
        status, body = self._token_answer
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
        await reader.read()
        raise ConnectionError


def frame(protocol: HubProtocol, payload: bytes) -> bytes:
    """A payload in the frame that messages of an encoding go in."""
    return encode_binary(payload) if protocol.is_binary else encode_text(payload)


def right_answers(protocol: HubProtocol) -> list[bytes]:
    """What the hub says to ``Subscribe``, twice the same: as a call, and as its result."""
    return [protocol.invocation("SubscriptionSucceeded", [SUBSCRIPTION]), protocol.completion("1", result=SUBSCRIPTION)]


def event_call(protocol: HubProtocol, data: str) -> bytes:
    """The message that delivers an event."""
    return protocol.invocation("Event", [{"event": "bench", "channel": CHANNEL, "data": data}])


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    """The payload of a client's frame of less than 126 bytes. Source: RFC 6455 section 5.2."""
    _, size, *mask = await reader.readexactly(6)
    masked = await reader.readexactly(size & 0x7F)
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))
