"""The production server with one more WebSocket route, ``/echo``, whose session sends back what it gets.

Prints the port it listens on as soon as clients can connect; SIGTERM ends it.
"""

import socket
from collections.abc import Callable

from skubber.codecs.websocket_frames import Opcode, encode_frame
from skubber.core.connection import EndReason, take_nothing
from skubber.server.run import build_server
from skubber.sessions.session import Peer
from skubber.settings import Settings

MESSAGE_BYTES = 64 * 1024 * 1024
"""The test suite's largest messages are 16 MiB."""


class EchoSession:
    """Echoes text as text and binary as binary. Implements ``Session``."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.write: Callable[[bytes], None] = peer.write
        self.send_now: Callable[[bytes], int] = take_nothing
        self.last_heard = 0
        self.timer_slot = -1

    def opened(self) -> None:
        """There is no greeting."""

    async def receive(self, opcode: Opcode, payload: bytes) -> None:
        self.write(encode_frame(opcode, payload))

    async def closed(self) -> None:
        """There is nothing to leave."""

    def end(self, reason: EndReason) -> None:
        self._peer.close(1001, reason.name)

    def timer_due(self, now: int) -> int:
        """Nothing is scheduled."""
        return 0


def main() -> None:
    settings = Settings(database="", message_bytes=MESSAGE_BYTES, write_buffer_bytes=2 * MESSAGE_BYTES)
    server, runtime = build_server(settings, ())
    runtime.websocket_routes["echo"] = lambda _: EchoSession
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        server.run([listener])


if __name__ == "__main__":
    main()
