"""One request, to servers that do all kinds of things."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from e2e.support.certificate import make_certificate
from skubber.webhooks.client import MAX_ANSWER_BYTES, DeliveryError, WebhookClient
from support.ports import free_port
from support.webhook_receiver import Receiver

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture
async def client() -> AsyncIterator[WebhookClient]:
    client = WebhookClient(["127.0.0.0/8"], 0.5)
    yield client
    await client.close()


@asynccontextmanager
async def listening(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that does as it likes; yields its port, and ends with all its connections."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await behaviour(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    yield server.sockets[0].getsockname()[1]
    server.close()
    if connections:
        _, hanging = await asyncio.wait(connections, timeout=5)
        assert not hanging, "a connection was left open"


async def post(client: WebhookClient, port: int, scheme: str = "http") -> int:
    return await client.post(f"{scheme}://127.0.0.1:{port}/a b?c=ä", [(b"X-A", b"1")], b"{}")


async def until_hung_up(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass


async def test_a_connection_is_used_again(client: WebhookClient) -> None:
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                requests.append(await reader.readuntil(b"\r\n\r\n{}"))
            except asyncio.IncompleteReadError:
                return
            writer.write(OK)

    async with listening(answer) as port:
        assert [await post(client, port), await post(client, port)] == [200, 200]
        await client.close()
    assert len(requests) == 2
    head = requests[0].decode().lower()
    assert head.startswith("post /a%20b?c=%c3%a4 http/1.1\r\n")
    assert f"\r\nhost: 127.0.0.1:{port}\r\n" in head
    assert "\r\ncontent-length: 2\r\n" in head


@pytest.mark.parametrize("status", [300, 302, 307, 400, 404, 500, 503, 599])
async def test_anything_but_success_is_a_failure(client: WebhookClient, receiver: Receiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(DeliveryError, match=f"The answer was {status}"):
        await post(client, receiver.port)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_success_is_one(client: WebhookClient, receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert await post(client, receiver.port) == status


async def test_redirects_are_not_followed(client: WebhookClient, receiver: Receiver) -> None:
    receiver.status, receiver.location = 307, receiver.url("/elsewhere")
    with pytest.raises(DeliveryError, match="redirects are not followed"):
        await post(client, receiver.port)
    assert [request.path for request in receiver.requests] == ["/a%20b?c=%C3%A4"]


@pytest.mark.parametrize("length", [b"", b"content-length: 100000000000\r\n"])
async def test_a_huge_answer_is_cut_off(client: WebhookClient, length: bytes) -> None:
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()
            sent += 65_536

    async with listening(answer) as port:
        assert await post(client, port) == 200
    assert sent < 100 * MAX_ANSWER_BYTES


async def test_an_answer_whose_body_never_ends_counts_by_its_status(client: WebhookClient) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
        await until_hung_up(reader)

    async with listening(answer) as port:
        assert await post(client, port) == 200


@pytest.mark.parametrize(
    ("scheme", "said"),
    [("http", b""), ("http", b"HTTP/1.1 200 OK\r\n"), ("http", b"HTTP/1.1 100 Continue\r\n\r\n"), ("https", b"")],
)
async def test_one_that_hangs_is_hung_up_on(client: WebhookClient, scheme: str, said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await until_hung_up(reader)

    async with listening(answer) as port:
        with pytest.raises(DeliveryError, match=r"no answer within 0\.5 s"):
            await post(client, port, scheme)


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\na: " + bytes(200_000), b"HTTP/1.1 200 OK\r\ncontent-le"]
)
async def test_what_is_no_http_is_a_failure(client: WebhookClient, said: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(said)
        writer.write_eof()
        await until_hung_up(reader)

    async with listening(answer) as port:
        with pytest.raises(DeliveryError, match=r".+\.$"):
            await post(client, port)


async def test_where_nobody_listens_it_fails(client: WebhookClient) -> None:
    with pytest.raises(DeliveryError, match=r"All connection attempts failed\."):
        await post(client, free_port())


async def test_a_certificate_that_nobody_vouches_for_is_refused(client: WebhookClient, tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*make_certificate(tmp_path))

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)

    async with listening(answer, context) as port:
        with pytest.raises(DeliveryError, match="certificate verify failed"):
            await post(client, port, "https")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.2:1/", "webhooks may not go to"),
        ("http://[::1]/", "webhooks may not go to"),
        ("http://[::ffff:10.0.0.1]/", "webhooks may not go to"),
        ("http://127.0.0.1:99999/", r"The URL cannot be used: there is no port 99999\."),
        ("http://127.0.0.1:0/", "there is no port 0"),
        ("http://127.0.0.1:x/", "The URL cannot be used: Invalid port"),
        ("http://[/", "Cannot look"),
        ("http://..", "Cannot look|The URL cannot be used"),
    ],
)
async def test_what_cannot_or_must_not_be_reached_is_a_failure(url: str, reason: str) -> None:
    client = WebhookClient(["127.0.0.1/32"], 2)
    with pytest.raises(DeliveryError, match=reason):
        await client.post(url, [], b"{}")
    await client.close()
