"""A load balancer that never sends two connections in a row to the same server."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence

from .server import Server


class Balancer:
    """A TCP proxy in front of several servers, which take turns.

    Args:
        servers: the servers.
        reuses_connections: whether requests may share a connection; else every single one goes to the next server.

    Attributes:
        requests: the first request of each connection and the port it went to, as ``("POST /push", 1234)``.
    """

    def __init__(self, servers: Sequence[Server], *, reuses_connections: bool) -> None:
        self.requests: list[tuple[str, int]] = []
        self._ports = [server.port for server in servers]
        self._left_out: set[int] = set()
        self._turns = itertools.cycle(self._ports)
        self._reuses_connections = reuses_connections
        self._listener: asyncio.Server
        self._writers: set[asyncio.StreamWriter] = set()

    @classmethod
    @contextlib.asynccontextmanager
    async def before(cls, servers: Sequence[Server], *, reuses_connections: bool = True) -> AsyncIterator["Balancer"]:
        """Start a balancer before servers; it goes away with the context."""
        balancer = cls(servers, reuses_connections=reuses_connections)
        balancer._listener = await asyncio.start_server(balancer._accept, "127.0.0.1", 0)
        try:
            yield balancer
        finally:
            balancer._listener.close()
            balancer.cut()
            await balancer._listener.wait_closed()

    @property
    def port(self) -> int:
        """Where clients connect to instead of the servers."""
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def through(self, url: str) -> str:
        """A URL of one of the servers, by way of this balancer."""
        for port in self._ports:
            url = url.replace(f":{port}/", f":{self.port}/")
        return url

    def ports_of(self, request: str) -> set[int]:
        """Where requests went that begin so."""
        return {port for seen, port in self.requests if seen.startswith(request)}

    def leave_out(self, server: Server) -> None:
        """Send no new connections to a server, as when its health check has failed."""
        self._left_out.add(server.port)

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        self._writers.add(to_client)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(from_client, to_client)
        finally:
            self._writers.discard(to_client)
            to_client.close()

    async def _serve(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        head = await from_client.readuntil(b"\r\n\r\n")
        # Browsers ask for leave before each post: were this a turn, all the posts would go to the same server.
        turns = iter(self._ports) if head.startswith(b"OPTIONS") else self._turns
        from_server, to_server, port = await self._connect(turns)
        self._writers.add(to_server)
        self.requests.append((head.partition(b" HTTP/")[0].partition(b"?")[0].decode(), port))
        if not self._reuses_connections and b"upgrade: websocket" not in head.lower():
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            head = b"\r\n".join([lines[0], b"connection: close", *lines[1:]])
        to_server.write(head)
        try:
            await asyncio.gather(_carry(from_client, to_server), _carry(from_server, to_client))
        finally:
            self._writers.discard(to_server)
            to_server.close()

    async def _connect(self, turns: Iterator[int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int]:
        """Connect to whose turn it is, or to the next that is there."""
        for _ in self._ports:
            port = next(turns)
            if port in self._left_out:
                continue
            with contextlib.suppress(ConnectionRefusedError):
                return *await asyncio.open_connection("127.0.0.1", port), port
        raise ConnectionRefusedError


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Carry what comes from one side to the other, until a side ends."""
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
    target.close()
