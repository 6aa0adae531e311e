"""The load generator believes SignalR hubs as little as it believes Pusher's servers."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.harness.bench import Bench
from benchmarks.harness.credentials import BENCHMARK_APP
from benchmarks.harness.load import SIGNALR_KINDS, LoadError, LoadGenerator, Published, SignalRKind

from skubber.codecs.signalr import HubProtocol
from skubber.codecs.signalr_json import JSON
from skubber.codecs.signalr_messagepack import MESSAGE_PACK

from .pusher_server import Fault
from .signalr_server import SUBSCRIPTION, SignalRServer, event_call, frame, right_answers

PROTOCOLS: dict[SignalRKind, HubProtocol] = {"signalr-json": JSON, "signalr-messagepack": MESSAGE_PACK}
HEADER = 4
"""Bytes before the payload of the frames that deliver events here."""

SUBSCRIBE = {
    "signalr-json": b'{"type":1,"invocationId":"1","target":"Subscribe","arguments":["bench-00000"]}\x1e',
    "signalr-messagepack": b"\x1d\x96\x01\x80\xa11\xa9Subscribe\x91\xabbench-00000\x90",
}

FAULTS: dict[str, tuple[Fault, str]] = {
    "lost": (lambda f: [f[0], f[2]], "received number 2 of sender 0, not 1"),
    "twice": (lambda f: [f[0], f[1], f[1], f[2]], "received number 1 of sender 0, not 2"),
    "out of order": (lambda f: [f[0], f[2], f[1]], "received number 2 of sender 0, not 1"),
    "changed": (lambda f: [f[0], f[1].replace(b"xxx", b"xyx", 1), f[2]], "has changed on its way"),
    "of another sender": (lambda f: [f[0].replace(b"0000 0000000000", b"0001 0000000000")], "nobody sent"),
    "of another channel": (lambda f: [f[0].replace(b"bench-00000", b"bench-00001")], "unexpected message"),
    "of another name": (lambda f: [f[0].replace(b"bench", b"bEnch", 1)], "unexpected message"),
    "of another target": (lambda f: [f[0].replace(b"Event", b"Evenk")], "unexpected message"),
    "cut by the frame": (lambda f: [f[0][:1] + b"\x60" + f[0][4:100]], "does not hold whole"),
    "in the wrong kind of frame": (lambda f: [bytes([f[0][0] ^ 3]) + f[0][1:]], "a frame of type"),
}

WRONG_ANSWERS: dict[str, tuple[Callable[[HubProtocol], list[bytes]], str]] = {
    "a refusal": (lambda p: [p.completion("1", "No. (not_permitted)")], "unexpected message"),
    "the result alone": (lambda p: right_answers(p)[1:], "unexpected message"),
    "the call twice": (lambda p: right_answers(p)[:1] * 2, "unexpected message"),
    "another channel": (lambda p: [p.invocation("SubscriptionSucceeded", [{"channel": "bench-1"}])], "unexpected"),
    "another invocation": (
        lambda p: [right_answers(p)[0], p.completion("2", result=SUBSCRIPTION)],
        "unexpected message",
    ),
    "an event too early": (lambda p: [event_call(p, "x" * 100), *right_answers(p)], "unexpected message"),
    "a goodbye": (lambda p: [p.close("Enough.", allow_reconnect=False)], "unexpected message .*Enough"),
}


@pytest.fixture(scope="module")
def real_load(executable: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadGenerator]:
    """A load generator on the real server."""
    with Bench(tmp_path_factory.mktemp("bench"), 1, True, None).server() as subject:
        yield subject.load


@pytest.fixture
def load(real_load: LoadGenerator) -> Iterator[LoadGenerator]:
    yield real_load
    real_load.close()


@pytest.fixture(params=SIGNALR_KINDS)
def kind(request: pytest.FixtureRequest) -> SignalRKind:
    chosen: SignalRKind = request.param
    return chosen


async def publish_three(executable: Path, server: SignalRServer, kind: SignalRKind) -> Published:
    def run() -> Published:
        with LoadGenerator(executable, server.url, BENCHMARK_APP, None) as load:
            load.connect(2, kind=kind)
            return load.publish(3, 100, "flood")

    return await asyncio.to_thread(run)


async def test_what_arrives_as_it_should_is_counted(executable: Path, kind: SignalRKind) -> None:
    async with SignalRServer(PROTOCOLS[kind]) as server:
        published = await publish_three(executable, server, kind)
    assert published.delivered == 6
    handshake = b'{"protocol":"%b","version":1}\x1e' % PROTOCOLS[kind].name.encode()
    assert sorted(server.heard) == sorted([handshake, SUBSCRIBE[kind]] * 2)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_wrong_delivery_ends_the_run(executable: Path, kind: SignalRKind, fault: str) -> None:
    spoil, complaint = FAULTS[fault]
    async with SignalRServer(PROTOCOLS[kind], spoil) as server:
        with pytest.raises(LoadError, match=complaint):
            await publish_three(executable, server, kind)


@pytest.mark.parametrize("answer", WRONG_ANSWERS)
async def test_a_wrong_answer_to_a_subscription_ends_the_run(executable: Path, kind: SignalRKind, answer: str) -> None:
    make, complaint = WRONG_ANSWERS[answer]
    protocol = PROTOCOLS[kind]
    async with SignalRServer(protocol, answers=make(protocol)) as server:
        with pytest.raises(LoadError, match=complaint):
            await publish_three(executable, server, kind)


async def test_a_refused_handshake_ends_the_run(executable: Path, kind: SignalRKind) -> None:
    async with SignalRServer(PROTOCOLS[kind], handshake_answer=b'{"error":"No."}\x1e') as server:
        with pytest.raises(LoadError, match=r"the handshake was refused: .*No"):
            await publish_three(executable, server, kind)


async def test_several_messages_in_a_frame_are_each_checked(executable: Path, kind: SignalRKind) -> None:
    protocol = PROTOCOLS[kind]

    def join(frames: list[bytes]) -> list[bytes]:
        first, second, third = (each[HEADER:] for each in frames)
        return [frame(protocol, first + protocol.ping + second), frame(protocol, third)]

    async with SignalRServer(protocol, join) as server:
        assert (await publish_three(executable, server, kind)).delivered == 6


async def test_a_ping_is_answered_by_one(executable: Path, kind: SignalRKind) -> None:
    protocol = PROTOCOLS[kind]
    async with SignalRServer(protocol, answers=[protocol.ping, *right_answers(protocol)]) as server:
        await publish_three(executable, server, kind)
    assert server.heard.count(protocol.ping) == 2


async def test_a_refused_token_ends_the_run(executable: Path, kind: SignalRKind) -> None:
    refusal = (b"401 Unauthorized", b'{"code":"invalid_credentials"}')
    async with SignalRServer(PROTOCOLS[kind], token_answer=refusal) as server:
        with pytest.raises(LoadError, match=r"no access token: .*invalid_credentials"):
            await publish_three(executable, server, kind)


def test_the_real_hub_delivers_to_clients_of_every_channel(load: LoadGenerator, kind: SignalRKind) -> None:
    load.connect(12, channels=4, kind=kind)
    assert load.publish(40, 200, "ticks", publishers=8).delivered == 40 * 3


@pytest.mark.parametrize("size", [30, 31, 32, 255, 256, 5000])
def test_data_of_every_size_is_checked(load: LoadGenerator, kind: SignalRKind, size: int) -> None:
    load.connect(2, kind=kind)
    assert load.publish(3, size, "flood").delivered == 6


def test_a_server_that_is_not_there_is_an_error(executable: Path) -> None:
    load = LoadGenerator(executable, "http://127.0.0.1:1", BENCHMARK_APP, None)
    with load, pytest.raises(LoadError, match=r"no access token: .*refused"):
        load.connect(1, kind="signalr-json")
