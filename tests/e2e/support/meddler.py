"""A proxy, as a process of its own, that does something to a message on its way to each client.

python meddler.py PORT MEDDLING
"""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from skubber.codecs.websocket_frames import Opcode, encode_frame
from skubber.codecs.websocket_reader import FrameReader

_THIRD = 3
_STALL = 0.3
"""Seconds by which ``delay`` is late."""

Forward = Callable[[bytes], None]


class Meddler:
    """What is done to the messages of one client.

    Args:
        meddling: ``drop``, ``repeat`` or ``swap`` (with the next) the third message, or ``cut`` the connection in its
            place; ``delay`` all of them.
        writer: to the client.
    """

    def __init__(self, meddling: str, writer: asyncio.StreamWriter) -> None:
        self._meddling = meddling
        self._writer = writer
        self._reader = FrameReader(2**20, require_mask=False)
        self._count = 0
        self._kept = b""

    def pass_on(self, data: bytes) -> None:
        """Pass what the server has sent after the head of its answer on."""
        for opcode, payload in self._reader.feed(data):
            frame = encode_frame(opcode, payload)
            if opcode is Opcode.TEXT and b"bench-" in payload and b'"bench"' in payload:
                self._count += 1
                self._meddle(frame)
            else:
                self._writer.write(frame)

    def _meddle(self, frame: bytes) -> None:
        is_third = self._count == _THIRD
        match self._meddling:
            case "delay":
                asyncio.get_running_loop().call_later(_STALL, self._writer.write, frame)
                return
            case "cut" if is_third:
                self._writer.transport.abort()
                return
            case "repeat" if is_third:
                frame *= 2
            case "drop" if is_third:
                frame = b""
            case "swap" if is_third:
                frame, self._kept = b"", frame
            case "swap":
                frame, self._kept = frame + self._kept, b""
        self._writer.write(frame)


@contextlib.contextmanager
def meddling_with(port: int, meddling: str) -> Iterator[str]:
    """Start the proxy before a server's port; its URL."""
    process = subprocess.Popen([sys.executable, Path(__file__), str(port), meddling], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


async def _serve(port: int, meddling: str) -> None:
    async def accept(from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
        requests = asyncio.create_task(_carry(from_client, to_server.write))
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await from_server.readuntil(b"\r\n\r\n")
            to_client.write(head)
            is_upgrade = head.startswith(b"HTTP/1.1 101")
            await _carry(from_server, Meddler(meddling, to_client).pass_on if is_upgrade else to_client.write)
        requests.cancel()
        for each in (to_client, to_server):
            each.close()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


async def _carry(source: asyncio.StreamReader, forward: Forward) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            forward(data)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2]))
