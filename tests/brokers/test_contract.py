"""What ``skubber.core.broker.Broker`` promises, whichever broker it is."""

import asyncio

import pytest

from skubber.core.broker import Broker, Occupancy
from skubber.core.event import Event
from skubber.core.presence import PresenceMember

APP, OTHER = "4711", "other"
MAX = 100


class RecordingDelivery:
    """This node's side: what was handed over, and a wait for it to be."""

    def __init__(self) -> None:
        self.delivered: list[tuple[str, str, str, bytes, str | None]] = []
        self.terminated: list[tuple[str, str]] = []
        self._arrived = asyncio.Event()

    def deliver(self, app_id: str, channel: str, event: Event, excluded: str | None) -> None:
        self.delivered.append((app_id, channel, event.name, event.data, excluded))
        self._arrived.set()

    def terminate(self, app_id: str, user_id: str) -> None:
        self.terminated.append((app_id, user_id))
        self._arrived.set()

    async def until(self, count: int) -> None:
        """Wait until so much has been handed over."""
        async with asyncio.timeout(10):
            while len(self.delivered) + len(self.terminated) < count:
                self._arrived.clear()
                await self._arrived.wait()


@pytest.fixture
def delivery(broker: Broker) -> RecordingDelivery:
    """The node's side of ``broker``, attached."""
    node = RecordingDelivery()
    broker.attach(node)
    return node


async def test_an_event_is_delivered_once_for_each_channel_in_their_order(
    broker: Broker, delivery: RecordingDelivery
) -> None:
    for channel in ("a", "b"):
        await broker.subscribe(APP, channel)
    await broker.publish(APP, ("b", "a"), Event("e", b'"data"'), "1.2")
    await delivery.until(2)
    assert delivery.delivered == [(APP, "b", "e", b'"data"', "1.2"), (APP, "a", "e", b'"data"', "1.2")]


async def test_events_of_one_publisher_keep_their_order(broker: Broker, delivery: RecordingDelivery) -> None:
    await broker.subscribe(APP, "c")
    for number in range(100):
        await broker.publish(APP, ("c",), Event(str(number), b"null"), None)
    await delivery.until(100)
    assert [name for _, _, name, _, _ in delivery.delivered] == [str(number) for number in range(100)]


async def test_terminating_a_user_reaches_this_node(broker: Broker, delivery: RecordingDelivery) -> None:
    await broker.terminate_user(APP, "ada")
    await delivery.until(1)
    assert delivery.terminated == [(APP, "ada")]


async def test_subscriptions_are_counted_up_and_down(broker: Broker) -> None:
    assert [await broker.subscribe(APP, "c") for _ in range(3)] == [1, 2, 3]
    assert await broker.unsubscribe(APP, "c") == 2
    assert await broker.subscribe(APP, "c") == 3
    assert [await broker.unsubscribe(APP, "c") for _ in range(3)] == [2, 1, 0]
    assert await broker.subscribe(APP, "c") == 1


async def test_exactly_one_of_many_sees_the_first_and_one_the_last_subscription(broker: Broker) -> None:
    counts = await asyncio.gather(*(broker.subscribe(APP, "c") for _ in range(50)))
    assert sorted(counts) == list(range(1, 51))
    counts = await asyncio.gather(*(broker.unsubscribe(APP, "c") for _ in range(50)))
    assert sorted(counts) == list(range(50))


async def test_occupancy_counts_subscriptions_and_on_presence_channels_users(broker: Broker) -> None:
    await broker.subscribe(APP, "c")
    await broker.subscribe(APP, "c")
    for socket_id, user in [("1.1", "ada"), ("1.2", "ada"), ("1.3", "bob")]:
        await broker.join(APP, "presence-c", socket_id, PresenceMember(user), MAX)
        await broker.subscribe(APP, "presence-c")
    assert await broker.occupancy(APP, "c") == Occupancy(2, None)
    assert await broker.occupancy(APP, "presence-c") == Occupancy(3, 2)


@pytest.mark.parametrize(("channel", "users"), [("c", None), ("private-c", None), ("presence-c", 0)])
async def test_an_empty_channel_has_an_occupancy_of_nothing(broker: Broker, channel: str, users: int | None) -> None:
    assert await broker.occupancy(APP, channel) == Occupancy(0, users)
    await broker.subscribe(APP, channel)
    await broker.unsubscribe(APP, channel)
    assert await broker.occupancy(APP, channel) == Occupancy(0, users)


async def test_occupied_channels_are_listed_by_prefix(broker: Broker) -> None:
    for channel in ("presence-a", "presence-b", "presence", "private-a", "a-presence-"):
        await broker.subscribe(APP, channel)
    await broker.join(APP, "presence-a", "1.1", PresenceMember("ada"), MAX)
    assert await broker.channels(APP, "presence-") == {"presence-a": Occupancy(1, 1), "presence-b": Occupancy(1, 0)}
    assert set(await broker.channels(APP, "")) == {"presence-a", "presence-b", "presence", "private-a", "a-presence-"}
    assert await broker.channels(APP, "x") == {}


@pytest.mark.parametrize("prefix", ["*", "a*", "?", "[ab]", "\\", "%", "_"])
async def test_a_prefix_is_not_a_pattern(broker: Broker, prefix: str) -> None:
    await broker.subscribe(APP, "ab")
    assert await broker.channels(APP, prefix) == {}


async def test_a_vacated_channel_is_no_longer_listed(broker: Broker) -> None:
    await broker.subscribe(APP, "c")
    await broker.subscribe(APP, "c")
    await broker.unsubscribe(APP, "c")
    assert set(await broker.channels(APP, "")) == {"c"}
    await broker.unsubscribe(APP, "c")
    assert await broker.channels(APP, "") == {}


async def test_a_users_first_connection_is_first_and_the_last_is_last(broker: Broker) -> None:
    ada = PresenceMember("ada", b'{"name":"Ada"}')
    first = await broker.join(APP, "presence-c", "1.1", ada, MAX)
    second = await broker.join(APP, "presence-c", "1.2", PresenceMember("ada"), MAX)
    assert first is not None
    assert second is not None
    assert (first.is_first, list(first.members)) == (True, [ada])
    assert (second.is_first, list(second.members)) == (False, [ada])
    assert await broker.leave(APP, "presence-c", "1.1", "ada") is False
    assert await broker.leave(APP, "presence-c", "1.2", "ada") is True
    assert list(await broker.members(APP, "presence-c")) == []


async def test_leaving_twice_or_without_having_joined_is_no_last(broker: Broker) -> None:
    assert await broker.leave(APP, "presence-c", "1.1", "ada") is False
    await broker.join(APP, "presence-c", "1.1", PresenceMember("ada"), MAX)
    assert await broker.leave(APP, "presence-c", "1.1", "eve") is False
    assert await broker.leave(APP, "presence-c", "1.9", "ada") is False
    assert await broker.leave(APP, "presence-c", "1.1", "ada") is True
    assert await broker.leave(APP, "presence-c", "1.1", "ada") is False


async def test_exactly_one_of_a_users_simultaneous_connections_is_first_and_one_is_last(broker: Broker) -> None:
    sockets = [f"1.{number}" for number in range(20)]
    joined = await asyncio.gather(
        *(broker.join(APP, "presence-c", each, PresenceMember("ada"), MAX) for each in sockets)
    )
    assert [each.is_first for each in joined if each is not None].count(True) == 1
    left = await asyncio.gather(*(broker.leave(APP, "presence-c", each, "ada") for each in sockets))
    assert left.count(True) == 1


async def test_members_are_each_user_once_with_what_the_first_connection_said(broker: Broker) -> None:
    for number, (user, info) in enumerate([("eve", b"1"), ("ada", b"2"), ("eve", b"3")]):
        await broker.join(APP, "presence-c", f"1.{number}", PresenceMember(user, info), MAX)
    members = await broker.members(APP, "presence-c")
    assert sorted((member.user_id, member.user_info) for member in members) == [("ada", b"2"), ("eve", b"1")]
    assert list(await broker.members(APP, "presence-empty")) == []


async def test_a_full_channel_takes_known_users_only(broker: Broker) -> None:
    for number, user in enumerate(["ada", "bob"]):
        assert await broker.join(APP, "presence-c", f"1.{number}", PresenceMember(user), 2)
    assert await broker.join(APP, "presence-c", "1.5", PresenceMember("eve"), 2) is None
    assert await broker.join(APP, "presence-c", "1.6", PresenceMember("ada"), 2) is not None
    assert len(await broker.members(APP, "presence-c")) == 2
    assert await broker.leave(APP, "presence-c", "1.5", "eve") is False
    await broker.leave(APP, "presence-c", "1.1", "bob")
    assert await broker.join(APP, "presence-c", "1.5", PresenceMember("eve"), 2) is not None


async def test_no_more_users_than_allowed_get_in_however_many_try_at_once(broker: Broker) -> None:
    joined = await asyncio.gather(
        *(broker.join(APP, "presence-c", f"1.{n}", PresenceMember(str(n)), 7) for n in range(20))
    )
    assert sum(each is not None for each in joined) == 7
    assert len(await broker.members(APP, "presence-c")) == 7


async def test_apps_share_nothing(broker: Broker, delivery: RecordingDelivery) -> None:
    await broker.subscribe(APP, "presence-c")
    await broker.join(APP, "presence-c", "1.1", PresenceMember("ada"), 1)
    assert await broker.channels(OTHER, "") == {}
    assert await broker.occupancy(OTHER, "presence-c") == Occupancy(0, 0)
    assert list(await broker.members(OTHER, "presence-c")) == []
    theirs = await broker.join(OTHER, "presence-c", "2.1", PresenceMember("ada"), 1)
    assert theirs is not None
    assert theirs.is_first
    assert await broker.subscribe(OTHER, "presence-c") == 1
    assert await broker.leave(OTHER, "presence-c", "1.1", "ada") is False
    assert await broker.unsubscribe(OTHER, "presence-c") == 0
    assert await broker.occupancy(APP, "presence-c") == Occupancy(1, 1)
    await broker.publish(OTHER, ("presence-c",), Event("e", b"1"), None)
    await delivery.until(1)
    assert [app_id for app_id, *_ in delivery.delivered] == [OTHER]


@pytest.mark.parametrize("name", ["a:b", "a", "a:b:c", "presence-x;y,z=@"])
async def test_names_with_punctuation_are_not_mixed_up(broker: Broker, name: str) -> None:
    await broker.subscribe("a", "b:" + name)
    await broker.subscribe("a:b", name)
    assert await broker.channels("a", "") == {"b:" + name: Occupancy(1)}
    assert set(await broker.channels("a:b", "")) == {name}
