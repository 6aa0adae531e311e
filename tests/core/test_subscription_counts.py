"""Counts on a timer wheel that the test turns."""

from collections.abc import Sequence

import pytest

from skubber.brokers.memory import MemoryBroker
from skubber.core.app import ApiKey, App
from skubber.core.broker import Upheaval
from skubber.core.event import Event, SubscriptionCount
from skubber.core.hub import Hub
from skubber.core.subscription import Subscription
from skubber.core.subscription_counts import THROTTLED_INTERVAL, UNTHROTTLED_COUNT, SubscriptionCounts
from skubber.core.timer_wheel import TimerWheel
from skubber.server.eager import run_detached
from support.apps import KEY, SECRET, make_app
from support.edge_client import settled
from support.recording import Iteration, LegibleFormat, RecordingConnection
from support.slow_broker import SlowBroker

MANY = UNTHROTTLED_COUNT + 1


class Listener:
    """The node's side of a broker, which notes the counts that are told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []

    def deliver(self, app_id: str, channel: str, event: Event, excluded: str | None) -> None:
        assert isinstance(event, SubscriptionCount)
        assert excluded is None
        self.told.append((app_id, channel, int(event.data)))

    def joined(self, app_id: str, channel: str, socket_id: str) -> None:
        raise AssertionError("there is no roster")

    def terminate(self, app_id: str, user_id: str) -> None:
        raise AssertionError("nobody is terminated")

    def upheaved(self, app_id: str, upheaval: Upheaval) -> None:
        raise AssertionError("no node is lost")


class Counting:
    """Counts above a broker, and what subscribers are told."""

    def __init__(self) -> None:
        self.wheel = TimerWheel()
        self.broker = SlowBroker()
        self.listener = Listener()
        self.broker.attach(self.listener)
        self.counts = SubscriptionCounts(self.wheel, run_detached)
        self.app = make_app("a")

    def changed(self, *counts: int) -> list[int]:
        """Let the count of a channel change; returns what is told."""
        for count in counts:
            self.counts.changed(self.broker, self.app, "c", count)
        return self.told()

    def pass_time(self, seconds: int) -> list[int]:
        """Turn the wheel; returns what is told."""
        for _ in range(seconds):
            self.wheel.advance()
        return self.told()

    def told(self) -> list[int]:
        """What has been told since the last call."""
        told, self.listener.told = self.listener.told, []
        return [count for _, _, count in told]


@pytest.fixture
def counting() -> Counting:
    """A channel without a subscriber."""
    return Counting()


def test_up_to_a_hundred_every_change_is_told_at_once(counting: Counting) -> None:
    changes = [1, 2, 1, *range(2, UNTHROTTLED_COUNT + 1), UNTHROTTLED_COUNT - 1]
    assert counting.changed(*changes) == changes


def test_when_nobody_is_left_there_is_nobody_to_tell(counting: Counting) -> None:
    assert counting.changed(1, 0) == [1]
    assert counting.pass_time(60) == []


def test_above_a_hundred_the_latest_count_is_told_every_five_seconds(counting: Counting) -> None:
    assert counting.changed(MANY, MANY + 1, MANY + 2) == [MANY]
    assert counting.pass_time(THROTTLED_INTERVAL - 1) == []
    assert counting.pass_time(1) == [MANY + 2]
    assert counting.changed(MANY + 3) == []
    assert counting.pass_time(THROTTLED_INTERVAL) == [MANY + 3]
    assert counting.pass_time(60) == []


def test_a_count_that_is_what_was_told_is_not_told_again(counting: Counting) -> None:
    assert counting.changed(MANY, MANY + 1, MANY) == [MANY]
    assert counting.pass_time(60) == []


def test_after_a_quiet_interval_a_change_is_told_at_once(counting: Counting) -> None:
    counting.changed(MANY)
    counting.pass_time(THROTTLED_INTERVAL)
    assert counting.changed(MANY + 1) == [MANY + 1]


def test_a_channel_that_shrinks_is_told_at_the_end_of_the_interval_and_then_at_once(counting: Counting) -> None:
    assert counting.changed(MANY, 100, 50) == [MANY]
    assert counting.pass_time(THROTTLED_INTERVAL) == [50]
    assert counting.changed(49, 48) == [49, 48]


def test_of_a_channel_left_by_all_meanwhile_nothing_is_told_or_kept(counting: Counting) -> None:
    assert counting.changed(MANY, 0) == [MANY]
    assert counting.pass_time(60) == []
    assert counting.counts._throttled == {}


def test_channels_and_apps_are_counted_apart(counting: Counting) -> None:
    places = [("a", "c"), ("a", "d"), ("b", "c")]
    for app_id, channel in places:
        counting.counts.changed(counting.broker, make_app(app_id), channel, MANY)
    assert counting.listener.told == [(app_id, channel, MANY) for app_id, channel in places]


def test_a_count_that_cannot_be_told_is_made_up_for_by_the_next(counting: Counting) -> None:
    counting.broker.fail("publish")
    assert counting.changed(1) == []
    counting.broker.recover()
    assert counting.changed(2) == [2]


APP = App.with_keys("a", [ApiKey(KEY, SECRET)], subscription_counts=True)
QUIET_APP = App.with_keys("quiet", [ApiKey(KEY, SECRET)])


class TestInTheHub:
    """Who is told what, in an app that wants counts and in one that does not."""

    def start(self, broker: MemoryBroker | None = None) -> None:
        self.iteration = Iteration()
        self.hub = Hub(broker or MemoryBroker(), self.iteration, counts=SubscriptionCounts(TimerWheel(), run_detached))

    def connect(self, app: App, socket_id: str) -> RecordingConnection:
        connection = RecordingConnection(socket_id, LegibleFormat())
        self.hub.connect(app, connection)
        return connection

    async def subscribe(self, app: App, connection: RecordingConnection, *channels: str) -> Sequence[Subscription]:
        subscriptions = []
        for channel in channels:
            subscription, _ = await self.hub.subscribe(app, connection, channel)
            subscription.catch_up()
            subscriptions.append(subscription)
        return subscriptions

    @pytest.mark.parametrize("channel", ["c", "private-c", "cache-c", "private-encrypted-cache-c"])
    async def test_subscribers_are_told_when_one_comes_or_goes(self, channel: str) -> None:
        self.start()
        first, second = self.connect(APP, "1.1"), self.connect(APP, "1.2")
        await self.subscribe(APP, first, channel)
        (subscription,) = await self.subscribe(APP, second, channel)
        await self.hub.unsubscribe(APP, subscription)
        self.iteration.end()
        assert first.received == [f"{channel}/subscription_count"] * 3
        assert second.received == [f"{channel}/subscription_count"]

    async def test_nobody_is_in_an_app_that_does_not_want_it(self) -> None:
        self.start()
        connection = self.connect(QUIET_APP, "1.1")
        await self.subscribe(QUIET_APP, connection, "c", "cache-c")
        self.iteration.end()
        assert connection.received == []

    async def test_what_comes_with_a_sign_in_has_no_count(self) -> None:
        self.start()
        connections = [self.connect(APP, f"1.{number}") for number in range(2)]
        for connection in connections:
            subscriptions, _ = await self.hub.sign_in(APP, connection, "ada", ["ada", "bob"])
            for subscription in subscriptions:
                subscription.catch_up()
        await self.hub.disconnect(APP, connections[1], subscriptions)
        self.iteration.end()
        assert connections[0].received == []

    async def test_who_subscribes_does_not_wait_for_the_others_to_be_told(self) -> None:
        broker = SlowBroker()
        hold = broker.hold("publish")
        self.start(broker)
        await self.subscribe(APP, self.connect(APP, "1.1"), "c", "cache-c")
        await hold.reached()
        hold.release()
        await settled()
