"""pysignalr, a Python client that is not Microsoft's and negotiates in the protocol's first version."""

import asyncio
import contextlib
import gc
import ssl
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from pysignalr.client import SignalRClient
from pysignalr.messages import CompletionMessage
from pysignalr.protocol.abstract import Protocol
from pysignalr.protocol.json import JSONProtocol
from pysignalr.protocol.messagepack import MessagepackProtocol

from e2e.support.server import Server
from e2e.support.signalr import access_token, hub_url, publish


@pytest.fixture(autouse=True)
def leftovers() -> Iterator[None]:
    """Collects the sockets that pysignalr leaves open, before another test is blamed for them."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class PythonClient:
    """One client. What it is told comes in ``words``, in order."""

    def __init__(self, client: SignalRClient) -> None:
        self._client = client
        self.words: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        for target in ("Event", "SubscriptionSucceeded"):
            client.on(target, self._keeping(target))
        client.on_error(self._keeping("error"))

    @classmethod
    @contextlib.asynccontextmanager
    async def connected(cls, server: Server, protocol: Protocol, *, in_header: bool) -> AsyncIterator["PythonClient"]:
        """Connect a client that may join any channel."""
        token = access_token(server, userId="ann", channels=["*"])
        client = SignalRClient(
            hub_url(server, None if in_header else token, userId="ann"),
            protocol,
            {"Authorization": f"Bearer {token}"} if in_header else {},
            ssl=ssl.create_default_context(cafile=server.certificate) if server.is_tls else None,
        )
        opened = asyncio.Event()
        client.on_open(_calling(opened.set))
        running = asyncio.create_task(client.run())
        try:
            async with asyncio.timeout(10):
                await opened.wait()
                yield cls(client)
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def invoke(self, method: str, *arguments: Any) -> None:
        """Call a method; its completion will be among the words."""
        await self._client.send(method, list(arguments), self._completed)

    async def stream(self, channel: str) -> None:
        """Have a channel as a stream; its items will be among the words."""
        await self._client.stream("StreamEvents", [channel], self._keeping("item"))

    def _keeping(self, kind: str) -> Any:
        async def keep(word: Any) -> None:
            await self.words.put((kind, word))

        return keep

    async def _completed(self, message: Any) -> None:
        assert isinstance(message, CompletionMessage)
        await self.words.put(("completion", message.result))


def _calling(call: Any) -> Any:
    async def called() -> None:
        call()

    return called


@pytest.mark.parametrize("in_header", [False, True], ids=["token in URL", "token in header"])
@pytest.mark.parametrize("protocol", [JSONProtocol, MessagepackProtocol])
@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
async def test_a_client_subscribes_calls_and_streams(
    server: Server, tls_server: Server, is_tls: bool, protocol: Callable[[], Protocol], in_header: bool
) -> None:
    target = tls_server if is_tls else server
    async with PythonClient.connected(target, protocol(), in_header=in_header) as client:
        channel, ann = "presence-python", {"userId": "ann", "userInfo": None}
        await client.invoke("Subscribe", channel)
        succeeded = {"channel": channel, "members": [ann], "me": ann}
        assert await client.words.get() == ("SubscriptionSucceeded", [succeeded])
        assert await client.words.get() == ("completion", succeeded)
        publish(target, channel, "grüße", "€𝄞\n\x1e")
        event = {"event": "grüße", "channel": channel, "data": "€𝄞\n\x1e"}
        assert await client.words.get() == ("Event", [event])

        await client.invoke("Explode")
        kind, completion = await client.words.get()
        assert (kind, completion.error.partition(":")[0]) == ("error", "There is no method 'Explode'")
        assert await client.words.get() == ("completion", None)
        await client.stream("python-stream")
        await client.invoke("Unsubscribe", channel)
        assert await client.words.get() == ("completion", None)
        publish(target, channel)
        publish(target, "python-stream")
        item = {"event": "greeting", "channel": "python-stream", "data": "hello"}
        assert await client.words.get() == ("item", item)
