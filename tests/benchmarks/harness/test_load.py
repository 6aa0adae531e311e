"""The load generator believes nothing: what a server does wrong, it says."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.harness.bench import Bench, Subject
from benchmarks.harness.credentials import BENCHMARK_APP
from benchmarks.harness.load import LoadError, LoadGenerator, Published

from .pusher_server import Fault, PusherServer

FAULTS: dict[str, tuple[Fault, str]] = {
    "lost": (lambda f: [f[0], f[2]], "received number 2 of sender 0, not 1"),
    "twice": (lambda f: [f[0], f[1], f[1], f[2]], "received number 1 of sender 0, not 2"),
    "out of order": (lambda f: [f[0], f[2], f[1]], "received number 2 of sender 0, not 1"),
    "changed": (lambda f: [f[0], f[1].replace(b"x", b"y", 1), f[2]], "has changed on its way"),
    "cut": (lambda f: [f[0], b"\x81\x60" + f[1][4:100]], "an event without data"),
    "of another sender": (lambda f: [f[0].replace(b"0000 0000000000", b"0001 0000000000")], "nobody sent"),
}


@pytest.fixture(scope="module")
def server(executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    """The real server, with a load generator on it."""
    with Bench(tmp_path_factory.mktemp("bench"), 1, True, None).server() as subject:
        yield subject


@pytest.fixture
def load(server: Subject) -> Iterator[LoadGenerator]:
    yield server.load
    server.load.close()


async def publish_three(executable: Path, server: PusherServer) -> Published:
    def run() -> Published:
        with LoadGenerator(executable, server.url, BENCHMARK_APP, None) as load:
            load.connect(2)
            return load.publish(3, 100, "flood")

    return await asyncio.to_thread(run)


async def test_what_arrives_as_it_should_is_counted(executable: Path) -> None:
    async with PusherServer() as server:
        published = await publish_three(executable, server)
    assert published.delivered == 6
    assert published.requests == 3
    assert len(published.latencies) == 3


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_wrong_delivery_ends_the_run(executable: Path, fault: str) -> None:
    spoil, complaint = FAULTS[fault]
    async with PusherServer(spoil) as server:
        with pytest.raises(LoadError, match=complaint):
            await publish_three(executable, server)


async def test_a_refused_publish_ends_the_run(executable: Path) -> None:
    async with PusherServer(answer=b"413 Too Large") as server:
        with pytest.raises(LoadError, match="413 Too Large"):
            await publish_three(executable, server)


def test_publishers_and_channels_share_the_events_out(load: LoadGenerator) -> None:
    load.connect(12, channels=4)
    assert load.publish(40, 200, "ticks", publishers=8).delivered == 40 * 3


def test_a_batch_is_one_request_for_ten_events(load: LoadGenerator) -> None:
    load.connect(2)
    published = load.publish(30, 200, "flood", batch=10)
    assert (published.requests, published.delivered) == (3, 60)


def test_signed_requests_and_private_channels_are_accepted(load: LoadGenerator) -> None:
    load.connect(3, kind="private")
    assert load.publish(5, 200, "flood", authentication="signed").delivered == 15


def test_events_at_a_rate_take_their_time(load: LoadGenerator) -> None:
    load.connect(2)
    assert load.publish(11, 200, "rate", publishers=4, events_per_second=100).seconds >= 0.1


def test_every_member_is_told_of_every_other(load: LoadGenerator) -> None:
    load.connect(20, kind="presence")
    for _ in range(2):
        assert load.join(4).delivered == 20 * 19 // 2
        assert load.leave(4).delivered == 20 * 19 // 2


def test_client_events_reach_everyone_else(load: LoadGenerator) -> None:
    load.connect(10, kind="presence")
    load.join(10)
    assert load.client_events(3, 100).delivered == 3 * 10 * 9


def test_nothing_is_expected_of_stalled_clients(load: LoadGenerator) -> None:
    load.connect(10)
    load.stall(3)
    assert load.publish(5, 200, "flood").delivered == 5 * 7


def test_stalled_clients_are_not_cut_off_as_long_as_little_is_owed_to_them(load: LoadGenerator) -> None:
    load.connect(3)
    load.stall(2)
    assert load.await_hang_ups(0) == 0


def test_stalled_clients_that_the_server_cuts_off_are_counted(executable: Path, tmp_path: Path) -> None:
    with Bench(tmp_path, 1, True, None).server() as server:
        server.load.connect(3)
        server.load.stall(2)
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGKILL)
        assert server.load.await_hang_ups(10) == 2


def test_a_server_that_is_not_there_is_an_error(executable: Path) -> None:
    load = LoadGenerator(executable, "http://127.0.0.1:1", BENCHMARK_APP, None)
    with load, pytest.raises(LoadError, match="connect: Connection refused"):
        load.connect(1)
