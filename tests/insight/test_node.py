"""What a node answers about what it holds."""

import os
from collections.abc import Sequence

import pytest

from skubber import __version__
from skubber.codecs.channel_auth import SignedInUser
from skubber.core.app import App
from skubber.core.connection import EndReason
from skubber.core.histogram import Histogram
from skubber.core.timer_wheel import TimerWheel
from skubber.insight.node import NodeSources, ThisNode
from skubber.insight.questions import (
    Answer,
    DescribeNode,
    EndConnection,
    FindConnections,
    FindUsers,
    NodeDescription,
    ProtocolConnections,
    Question,
    ShowConnection,
    decode_answer,
    encode,
)
from skubber.store.apps import AppRegistry
from support.apps import KEY, make_app, other_app
from support.insight import Client
from support.node import Node


class Scene:
    """A node with two apps, and its clock and figures in the test's hands."""

    def __init__(self) -> None:
        self.hub = Node()
        self.app, self.other = make_app(), other_app()
        self.wheel = TimerWheel()
        self.loop_delays = Histogram()
        self.now = 10_000.0
        self.is_ready = True
        self.slow_clients = 0
        sources = NodeSources(
            self.hub.hub,
            AppRegistry([self.app, self.other]),
            self.wheel,
            lambda: self.now,
            self.loop_delays,
            lambda: self.is_ready,
            lambda: self.slow_clients,
        )
        self.node = ThisNode(sources)

    def connect(self, socket_id: str, app: App | None = None) -> Client:
        """A client."""
        return Client(self.hub, app or self.app, socket_id)

    def pass_time(self, seconds: int) -> None:
        """Let the clock and the timer wheel go on."""
        self.now += seconds
        for _ in range(seconds):
            self.wheel.advance()

    async def ask(self, question: Question) -> Answer:
        """The node's answer, as it travels."""
        return decode_answer(await self.node.answer(encode(question)))

    async def describe(self) -> NodeDescription:
        """The node's description of itself."""
        description = (await self.ask(DescribeNode())).description
        assert description is not None
        return description


@pytest.fixture
def scene() -> Scene:
    return Scene()


def socket_ids(answer: Answer) -> Sequence[str]:
    return [connection.socket_id for connection in answer.connections]


async def test_answers_say_whose_they_are_and_no_two_nodes_are_the_same(scene: Scene) -> None:
    answer = await scene.ask(FindUsers("4711"))
    assert answer.node == scene.node.id != Scene().node.id
    assert answer.host


@pytest.mark.parametrize(
    "question",
    [FindConnections("4711"), ShowConnection("4711", "1.1"), EndConnection("4711", "1.1"), FindUsers("4711")],
    ids=lambda question: type(question).__name__,
)
async def test_of_an_app_that_is_nowhere_connected_there_is_nothing(scene: Scene, question: Question) -> None:
    other = scene.connect("1.1", scene.other)
    answer = await scene.ask(question)
    assert (answer.total, answer.connections, answer.users) == (0, [], [])
    assert other.ended == []


async def test_the_first_connections_after_one_are_found_among_any_number(scene: Scene) -> None:
    names = [f"1.{number:04}" for number in range(600)]
    for name in reversed(names):
        scene.connect(name)
    answer = await scene.ask(FindConnections("4711", after="1.0100", limit=3))
    assert socket_ids(answer) == ["1.0101", "1.0102", "1.0103"]
    assert answer.total == len(names)


async def test_a_connection_is_a_users_by_sign_in_and_by_membership(scene: Scene) -> None:
    await scene.connect("1.1").sign_in_as(SignedInUser("ada"))
    await scene.connect("1.2").sign_in_as(SignedInUser("bob"))
    scene.connect("1.3")
    answer = await scene.ask(FindConnections("4711", user_id="ada"))
    assert (socket_ids(answer), answer.total) == (["1.1"], 1)
    assert answer.connections[0].user_id == "ada"


async def test_only_subscribers_of_a_channel_are_found_when_it_is_named(scene: Scene) -> None:
    for socket_id, channel in (("1.1", "c"), ("1.2", "d"), ("1.3", "c")):
        await scene.connect(socket_id).subscribe(channel, None, None)
    answer = await scene.ask(FindConnections("4711", channel="c"))
    assert (socket_ids(answer), answer.total) == (["1.1", "1.3"], 2)


async def test_times_of_the_timer_wheel_are_told_as_times_of_day(scene: Scene) -> None:
    client = scene.connect("1.1")
    scene.pass_time(7)
    client.last_heard = scene.wheel.now
    scene.pass_time(5)
    (connection,) = (await scene.ask(ShowConnection("4711", "1.1"))).connections
    assert (connection.opened_at, connection.last_heard_at) == (10_000, 10_007)


async def test_a_list_holds_less_about_a_connection_than_a_look_at_it(scene: Scene) -> None:
    client = scene.connect("1.1")
    for channel in ("d", "c"):
        await client.subscribe(channel, None, None)
    (listed,) = (await scene.ask(FindConnections("4711"))).connections
    (shown,) = (await scene.ask(ShowConnection("4711", "1.1"))).connections
    assert (listed.channels, shown.channels) == ([], [("c", None), ("d", None)])
    for each in (listed, shown):
        assert (each.protocol, each.transport, each.key, each.channel_count) == ("pusher", "websockets", KEY, 2)


async def test_one_connection_is_ended_and_told_of(scene: Scene) -> None:
    one, other = scene.connect("1.1"), scene.connect("1.2")
    assert socket_ids(await scene.ask(EndConnection("4711", "1.1"))) == ["1.1"]
    assert (one.ended, other.ended) == ([EndReason.TERMINATED], [])


async def test_users_are_counted_once_with_all_their_connections(scene: Scene) -> None:
    for number, user_id in enumerate(("bob", "ada", "ada", "amy")):
        await scene.connect(f"1.{number}").sign_in_as(SignedInUser(user_id))
    answer = await scene.ask(FindUsers("4711", prefix="a", limit=1))
    assert [(user.user_id, user.connection_count) for user in answer.users] == [("ada", 2)]
    assert answer.total == 2
    answer = await scene.ask(FindUsers("4711", after="ada"))
    assert [(user.user_id, user.connection_count) for user in answer.users] == [("amy", 1), ("bob", 1)]
    assert answer.total == 3


async def test_a_node_describes_itself(scene: Scene) -> None:
    client = scene.connect("1.1")
    await client.subscribe("c", None, None)
    await client.sign_in_as(SignedInUser("ada"))  # its channel is nobody's to see
    scene.connect("1.2", scene.other)
    for delay in (0.001, 0.003):
        scene.loop_delays.observe(delay)
    scene.slow_clients = 4
    scene.pass_time(60)
    described = await scene.describe()
    assert (described.pid, described.version, described.started_at) == (os.getpid(), __version__, 10_000)
    assert (described.connections, described.channels, described.slow_consumers) == (2, 1, 4)
    assert described.loop_delay_ms == pytest.approx(2)
    assert described.memory_bytes > 1_000_000
    assert described.protocols == [ProtocolConnections("pusher", "websockets", 2)]


async def test_a_node_that_takes_no_connections_any_more_is_draining(scene: Scene) -> None:
    assert not (await scene.describe()).is_draining
    scene.is_ready = False
    assert (await scene.describe()).is_draining


async def test_rates_are_those_since_the_last_look_a_second_ago_or_more(scene: Scene) -> None:
    def rates(description: NodeDescription) -> tuple[float, float]:
        return description.published_per_second, description.delivered_per_second

    scene.app.meter.published = 1000
    assert rates(await scene.describe()) == (0, 0)
    scene.app.meter.published += 20
    scene.other.meter.published += 10
    scene.app.meter.delivered += 300
    scene.now += 10
    assert rates(await scene.describe()) == (3, 30)
    scene.app.meter.published += 1
    scene.now += 0.5
    assert rates(await scene.describe()) == (3, 30)
    scene.now += 0.5
    assert rates(await scene.describe()) == (1, 0)
