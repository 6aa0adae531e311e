"""The client behind ``trigger`` and ``tail``, against a real server and against others that are none."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import websockets

from e2e.support.server import APP_ID, KEY, SECRET, Server
from skubber.client import ClientError, publish, tail_channels
from skubber.core.app import ApiKey, App

APP = App.with_keys(APP_ID, [ApiKey(KEY, SECRET)])
NOBODY = App.with_keys(APP_ID, [ApiKey("nobody", SECRET)])
ODD = App.with_keys("ünï 1/2?", [ApiKey("kéy ?#%", "sécret 😀")])
PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
NOWHERE = ["http://127.0.0.1:1", "https://localhost:1", "http://[::1]:1", "http://127.0.0.1:1/path"]
NO_URLS = [
    "",
    "localhost:5187",
    "ws://localhost",
    "http://",
    "http://[",
    "http://h:x",
    "http://h:99999",
    "http://\0",
    "ftp://h",
]


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with another app whose names are anything but plain."""
    key = next(iter(ODD.keys.values()))
    server = Server(tmp_path_factory.mktemp("client") / "server.log", "--app", f"{ODD.id}:{key.key}:{key.secret}")
    yield server
    server.stop()


class Tail:
    """A ``tail_channels`` that runs in the background."""

    def __init__(self, url: str, app: App, channel: str, count: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self._subscribed = asyncio.Event()
        self._task = asyncio.create_task(
            tail_channels(url, app, [channel], self._subscribed.set, lambda _, event: self.events.append(event), count)
        )

    async def subscribed(self) -> None:
        async with asyncio.timeout(10):
            await self._subscribed.wait()

    async def ended(self) -> list[dict[str, Any]]:
        async with asyncio.timeout(10):
            await self._task
        return self.events


async def error_of(tail: Tail) -> str:
    with pytest.raises(ClientError) as error:
        await tail.ended()
    return str(error.value)


def error_of_publishing(url: str, app: App = APP, channel: str = "c", event: str = "e", data: str = "d") -> str:
    with pytest.raises(ClientError) as error:
        publish(url, app, [channel], event, data)
    return str(error.value)


@pytest.mark.parametrize("app", [APP, ODD])
@pytest.mark.parametrize("channel", ["c", "private-c", "private-encrypted-c", "presence-c", "cache-c"])
async def test_what_is_published_is_tailed(server: Server, app: App, channel: str) -> None:
    tail = Tail(server.url, app, channel, 2)
    await tail.subscribed()
    assert await asyncio.to_thread(publish, server.url, app, [channel], "ë", '{"a":"😀"}') == "{}"
    assert await asyncio.to_thread(publish, server.url, app, [channel], "e", "") == "{}"
    assert await tail.ended() == [{"event": "ë", "data": '{"a":"😀"}'}, {"event": "e", "data": ""}]


class TestPublishErrors:
    def test_a_refusal_is_told_with_its_status_and_its_sentence(self, server: Server) -> None:
        error = error_of_publishing(server.url, channel="no spaces")
        assert error.startswith(f"{server.url} answered 400: ")
        assert "invalid_channel_name" in error
        assert "answered 401" in error_of_publishing(server.url, NOBODY)

    @pytest.mark.parametrize("url", NOWHERE)
    def test_a_server_that_is_not_there_cannot_be_reached(self, url: str) -> None:
        error = error_of_publishing(url)
        assert error.startswith(f"Cannot reach {url}: ")
        assert error.endswith(".")
        assert not error.endswith("..")

    @pytest.mark.parametrize("url", NO_URLS)
    def test_what_is_no_url_cannot_be_reached(self, url: str) -> None:
        assert error_of_publishing(url).endswith(".")

    @pytest.mark.parametrize("field", ["channel", "event", "data"])
    def test_what_is_not_utf8_is_not_sent(self, field: str) -> None:
        fields = {"channel": "c", "event": "e", "data": "d", field: "x\udcff"}
        assert error_of_publishing("http://127.0.0.1:1", APP, **fields).endswith("must be UTF-8.")

    def test_no_error_repeats_the_secret(self, server: Server) -> None:
        for url in (server.url, *NOWHERE, *NO_URLS):
            assert SECRET not in error_of_publishing(url, channel="no spaces")


class TestTailErrors:
    async def test_a_refused_connection_is_told_in_the_servers_words(self, server: Server) -> None:
        assert "no app" in await error_of(Tail(server.url, NOBODY, "c"))

    async def test_a_refused_subscription_is_told_in_the_servers_words(self, server: Server) -> None:
        assert "Channel names consist of" in await error_of(Tail(server.url, APP, "no spaces"))
        wrong = App.with_keys(APP_ID, [ApiKey(KEY, "wrong")])
        assert "Invalid signature" in await error_of(Tail(server.url, wrong, "private-c"))

    @pytest.mark.parametrize("url", NOWHERE)
    async def test_a_server_that_is_not_there_ends_it(self, url: str) -> None:
        error = await error_of(Tail(url, APP, "c"))
        assert error.startswith(f"The connection to {url} ended: ")
        assert error.endswith(".")

    @pytest.mark.parametrize("url", NO_URLS)
    async def test_what_is_no_url_is_refused(self, url: str) -> None:
        assert (await error_of(Tail(url, APP, "c"))).endswith(".")

    async def test_another_path_is_not_found(self, server: Server) -> None:
        assert "404" in await error_of(Tail(server.url + "/elsewhere", APP, "c"))

    async def test_a_server_that_stops_ends_it(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        server = Server(tmp_path_factory.mktemp("stopping") / "server.log")
        tail = Tail(server.url, APP, "c")
        await tail.subscribed()
        await asyncio.to_thread(server.stop)
        assert "restarting" in await error_of(tail)

    @pytest.mark.parametrize(
        ("says", "error"),
        [
            ("", "ended: the server closed it."),
            ("junk", "does not speak the Pusher protocol."),
            ("[]", "does not speak the Pusher protocol."),
            ("{}", "does not speak the Pusher protocol."),
            ('{"event":7,"channel":"c"}', "does not speak the Pusher protocol."),
            ('{"event":"pusher:connection_established","data":"{}"}', "does not speak the Pusher protocol."),
        ],
    )
    async def test_a_server_of_another_kind_ends_it(self, says: str, error: str) -> None:
        async def speak(connection: websockets.ServerConnection) -> None:
            if says:
                await connection.send(says)

        async with websockets.serve(speak, "127.0.0.1", 0) as other:
            port = next(iter(other.sockets)).getsockname()[1]
            assert (await error_of(Tail(f"http://127.0.0.1:{port}", APP, "c"))).endswith(error)


class Proxy:
    """Takes one connection, notes the request's first line and says goodbye."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked_for = ""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.asked_for = connection.recv(65_536).split(b"\r\n")[0].decode()
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def stop(self) -> None:
        self._thread.join(10)
        self._listener.close()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that the environment names for everything."""
    running = Proxy()
    for name in PROXY_VARIABLES:
        monkeypatch.setenv(name, running.url)
    yield running
    running.stop()


class TestProxies:
    @pytest.mark.parametrize("named", ["http://127.0.0.1:1", "socks5://127.0.0.1:1", "junk", "ftp://nowhere"])
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    async def test_this_machine_is_reached_without_one(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, named: str, host: str
    ) -> None:
        for name in PROXY_VARIABLES:
            monkeypatch.setenv(name, named)
        url = f"http://{host}:{server.port}"
        tail = Tail(url, APP, "proxied", 1)
        await tail.subscribed()
        assert await asyncio.to_thread(publish, url, APP, ["proxied"], "e", "d") == "{}"
        assert await tail.ended() == [{"event": "e", "data": "d"}]

    def test_others_are_published_to_through_it(self, proxy: Proxy) -> None:
        assert "answered 502" in error_of_publishing("http://push.example.com")
        assert proxy.asked_for == f"POST http://push.example.com/apps/{APP_ID}/events HTTP/1.1"

    async def test_others_are_tailed_through_it(self, proxy: Proxy) -> None:
        assert "502" in await error_of(Tail("http://push.example.com", APP, "c"))
        assert proxy.asked_for == "CONNECT push.example.com:80 HTTP/1.1"

    @pytest.mark.parametrize("named", ["socks5://127.0.0.1:1", "ftp://nowhere", "http://127.0.0.1:1"])
    async def test_one_that_cannot_be_used_is_told_in_a_sentence(
        self, monkeypatch: pytest.MonkeyPatch, named: str
    ) -> None:
        for name in PROXY_VARIABLES:
            monkeypatch.setenv(name, named)
        assert error_of_publishing("http://push.example.com").endswith(".")
        assert (await error_of(Tail("http://push.example.com", APP, "c"))).endswith(".")
