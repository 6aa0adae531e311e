"""The server as a whole, in the test's own process."""

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from e2e.support.certificate import make_certificate
from server.http_client import PATIENCE, HttpClient, request, upgrade
from server.live import LiveServer
from server.test_http_lane import CHANNELS, HEALTH, publish
from skubber.core.app import App
from skubber.server.run import build_server
from skubber.server.runtime import Runtime, new_socket_id
from skubber.server.ws_edge import CLOSE_TIMEOUT
from skubber.settings import Settings, SettingsError
from support.apps import make_app


class Tick:
    """Something that is due."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.timer_slot = -1
        self.is_due = asyncio.Event()
        self._failure = failure

    def timer_due(self, now: int) -> int:
        self.is_due.set()
        if self._failure is not None:
            raise self._failure
        return 0


@contextlib.asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Runtime, int]]:
    """Serve as ``skubber serve`` does; yields the port too."""
    server, runtime = build_server(settings, [make_app()])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve([listener]))
        async with asyncio.timeout(PATIENCE):
            while not server.started:  # noqa: ASYNC110 - uvicorn's flag
                await asyncio.sleep(0)
        try:
            yield runtime, listener.getsockname()[1]
        finally:
            server.should_exit = True
            async with asyncio.timeout(PATIENCE):
                await task


async def test_a_server_is_ready_from_its_start_to_its_end() -> None:
    async with serving(Settings(database="")) as (runtime, port):
        assert runtime.is_ready
        client = HttpClient(*await asyncio.open_connection("127.0.0.1", port))
        client.send(request("GET", "/ready"), publish())
        ready, published = await client.answers(2)
        assert (ready.status, ready.body) == (200, b'{"status":"ready"}')
        # What software it is, is nobody's business.
        assert published.headers.keys() == {"date", "content-type", "content-length"}
        await client.close()
    assert not runtime.is_ready


async def test_the_wheel_turns_while_the_server_runs_whatever_fails_on_it() -> None:
    async with serving(Settings(database="")) as (runtime, _):
        first, second = Tick(RuntimeError("unforeseen")), Tick()
        runtime.wheel.schedule(first, 1)
        runtime.wheel.schedule(second, 2)
        async with asyncio.timeout(PATIENCE):
            await second.is_due.wait()
        assert first.is_due.is_set()


def test_apps_that_share_an_id_or_a_key_are_refused() -> None:
    for other in (make_app(), App.with_keys("other", make_app().keys.values())):
        with pytest.raises(ValueError, match=r"\."):
            build_server(Settings(database=""), [make_app(), other])


def test_a_certificate_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere.pem")
    with pytest.raises(SettingsError):
        build_server(Settings(database="", tls_certificate=nowhere, tls_key=nowhere), [])


def test_socket_ids_look_like_pushers_and_never_repeat() -> None:
    ids = {new_socket_id() for _ in range(1000)}
    assert len(ids) == 1000
    for each in ids:
        first, second = each.split(".")
        assert first.isdecimal()
        assert second.isdecimal()


# -- TLS


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return make_certificate(tmp_path)


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


async def test_everything_can_be_had_over_tls(files: tuple[Path, Path]) -> None:
    async with LiveServer(tls_certificate=str(files[0]), tls_key=str(files[1])) as live:
        client = await live.connect(trusting(files[0]))
        client.send(publish(), HEALTH, CHANNELS)
        assert [answer.status for answer in await client.answers(3)] == [200, 200, 200]
        client.send(upgrade("/recording"))
        await client.reader.readuntil(b"opened")
        assert live.sessions[0].request.is_tls
        # There is no closing one half of a TLS connection: the client is given a while to hang up.
        client.send(b"\xff\xff")
        await client.reader.readuntil((1002).to_bytes(2))
        await live.pass_time(CLOSE_TIMEOUT)
        with contextlib.suppress(ConnectionResetError):
            await client.rest()
        assert live.connections == set()


async def test_junk_over_tls_is_refused(files: tuple[Path, Path]) -> None:
    async with LiveServer(tls_certificate=str(files[0]), tls_key=str(files[1])) as live:
        client = await live.connect(trusting(files[0]))
        client.send(b"junk\r\n\r\n")
        assert (await client.answer()).status == 400
        assert await client.rest() == b""


async def test_a_new_certificate_is_served_after_sighup(files: tuple[Path, Path]) -> None:
    settings = Settings(database="", tls_certificate=str(files[0]), tls_key=str(files[1]))
    async with serving(settings) as (_, port):
        old = trusting(files[0])
        make_certificate(files[0].parent)
        new = trusting(files[0])
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=old)
        writer.close()
        signal.raise_signal(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=new)
                except ssl.SSLCertVerificationError:
                    continue
                break
        writer.close()
