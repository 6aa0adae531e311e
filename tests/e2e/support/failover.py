"""A load balancer in front of servers: each connection goes to the first of them that takes it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from .server import Server


class Failover:
    """A TCP proxy.

    Args:
        servers: the servers, the best first.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers
        self._writers: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server

    @classmethod
    @contextlib.asynccontextmanager
    async def before(cls, *servers: Server) -> AsyncIterator["Failover"]:
        """Start one before servers; it goes away with the context."""
        balancer = cls(servers)
        balancer._listener = await asyncio.start_server(balancer._accept, "127.0.0.1", 0)
        try:
            yield balancer
        finally:
            balancer._listener.close()
            for writer in balancer._writers:
                writer.transport.abort()
            await asyncio.gather(*balancer._links)
            await balancer._listener.wait_closed()

    @property
    def port(self) -> int:
        """Where clients connect to instead of a server."""
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    def instead_of(self, server: Server, url: str) -> str:
        """A URL of a server's, by way of the balancer."""
        return url.replace(f":{server.port}/", f":{self.port}/")

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        from_server, to_server = await self._connect()
        writers = {to_client, to_server}
        self._writers |= writers
        await asyncio.gather(_carry(from_client, to_server), _carry(from_server, to_client))
        self._writers -= writers
        self._links.discard(task)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for server in self._servers[:-1]:
            with contextlib.suppress(ConnectionRefusedError):
                return await asyncio.open_connection("127.0.0.1", server.port)
        return await asyncio.open_connection("127.0.0.1", self._servers[-1].port)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Carry what comes from one side to the other, until a side ends."""
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            target.write(data)
    target.close()
