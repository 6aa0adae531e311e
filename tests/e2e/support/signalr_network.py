"""A network between clients and a server that fails when it is told to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from .server import Server


class Network:
    """A TCP proxy in front of a server.

    What a network loses is lost for good: bytes that it has taken from one side and not handed to the other.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._links: set[_Link] = set()
        self._listener: asyncio.Server
        self._is_down = False

    @classmethod
    @contextlib.asynccontextmanager
    async def before(cls, server: Server) -> AsyncIterator["Network"]:
        """Start a network before a server; it goes away with the context."""
        network = cls(server)
        network._listener = await asyncio.start_server(network._accept, "127.0.0.1", 0)
        try:
            yield network
        finally:
            network._listener.close()
            network.cut()
            await asyncio.gather(*(link.finished for link in network._links))
            await network._listener.wait_closed()

    @property
    def port(self) -> int:
        """Where clients connect to instead of the server."""
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    def through(self, url: str) -> str:
        """The same URL, by way of this network."""
        return url.replace(f":{self._server.port}/", f":{self.port}/")

    def lose(self) -> None:
        """From now on swallow what is sent over the connections there are, in both directions."""
        for link in self._links:
            link.is_losing = True

    def cut(self, *, server_notices: bool = True) -> None:
        """Break every connection: the client's end of it and, unless told otherwise, the server's."""
        self.lose()
        for link in self._links:
            link.to_client.transport.abort()
            if server_notices:
                link.to_server.transport.abort()

    def go_down(self) -> None:
        """Break every connection and let none through any more."""
        self._is_down = True
        self.cut()

    def come_up(self) -> None:
        """Let connections through again."""
        self._is_down = False

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if self._is_down:
            to_client.transport.abort()
            return
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._server.port)
        link = _Link(to_client, to_server)
        self._links.add(link)
        await asyncio.gather(link.carry(from_client, to_server), link.carry(from_server, to_client))
        link.finished.set_result(None)


class _Link:
    """One connection through the network."""

    def __init__(self, to_client: asyncio.StreamWriter, to_server: asyncio.StreamWriter) -> None:
        self.to_client = to_client
        self.to_server = to_server
        self.is_losing = False
        self.finished = asyncio.get_running_loop().create_future()

    async def carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Carry what comes from one side to the other, until a side ends."""
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                if not self.is_losing:
                    target.write(data)
        if not self.is_losing:
            target.close()
