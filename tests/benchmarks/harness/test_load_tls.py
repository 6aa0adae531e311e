"""The load generator believes no more over TLS than without."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.certificate import write_certificate
from benchmarks.harness.credentials import BENCHMARK_APP
from benchmarks.harness.load import LoadError, LoadGenerator, Published

from .pusher_server import Fault, PusherServer

FAULTS: dict[str, tuple[Fault, str]] = {
    "lost": (lambda f: [f[0], f[2]], "received number 2 of sender 0, not 1"),
    "out of order": (lambda f: [f[0], f[2], f[1]], "received number 2 of sender 0, not 1"),
    "changed": (lambda f: [f[0], f[1].replace(b"x", b"y", 1), f[2]], "has changed on its way"),
}


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write_certificate(tmp_path))
    return context


@pytest.fixture(params=["server", "send_loop"])
def subject(request: pytest.FixtureRequest, executable: Path, tmp_path: Path) -> Iterator[Subject]:
    """The real server, or what it is compared with."""
    bench = Bench(tmp_path, 1, True, None)
    with bench.server(is_tls=True) if request.param == "server" else bench.send_loop(is_tls=True) as subject:
        yield subject


async def publish_three(executable: Path, url: str, data_size: int = 100) -> Published:
    def run() -> Published:
        with LoadGenerator(executable, url, BENCHMARK_APP, None) as load:
            load.connect(2)
            return load.publish(3, data_size, "flood")

    return await asyncio.to_thread(run)


# The last of them fills a record of 16 KiB with one event and a half.
@pytest.mark.parametrize("data_size", [100, 1000, 10_000])
async def test_what_arrives_as_it_should_is_counted(executable: Path, tls: ssl.SSLContext, data_size: int) -> None:
    async with PusherServer(tls=tls) as server:
        published = await publish_three(executable, server.url, data_size)
    assert published.delivered == 6
    assert published.requests == 3
    assert len(published.latencies) == 3


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_wrong_delivery_ends_the_run(executable: Path, tls: ssl.SSLContext, fault: str) -> None:
    spoil, complaint = FAULTS[fault]
    async with PusherServer(spoil, tls=tls) as server:
        with pytest.raises(LoadError, match=complaint):
            await publish_three(executable, server.url)


def test_publishers_and_channels_share_the_events_out(subject: Subject) -> None:
    subject.load.connect(12, channels=4)
    assert subject.load.publish(40, 200, "ticks", publishers=8).delivered == 40 * 3
    subject.load.close()
    subject.load.connect(3)
    assert subject.load.publish(5, 200, "flood").delivered == 15


async def test_an_older_version_is_not_what_is_measured(executable: Path, tls: ssl.SSLContext) -> None:
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    async with PusherServer(tls=tls) as server:
        with pytest.raises(LoadError, match="TLS handshake: "):
            await publish_three(executable, server.url)


async def test_a_server_that_hangs_up_instead_of_shaking_hands_is_an_error(executable: Path) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LoadError, match="TLS handshake: "):
            await publish_three(executable, f"https://127.0.0.1:{port}")


@pytest.mark.parametrize("url", ["wss://127.0.0.1:1", "127.0.0.1:1"])
def test_an_address_of_another_kind_is_an_error(executable: Path, url: str) -> None:
    with LoadGenerator(executable, url, BENCHMARK_APP, None) as load, pytest.raises(LoadError, match="https://host"):
        load.connect(1)
