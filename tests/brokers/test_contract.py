"""What ``skubber.core.broker.Broker`` promises, whichever broker it is."""

import asyncio

import pytest

from brokers.clock import Clock
from brokers.recording_delivery import RecordingDelivery
from skubber.core.broker import KEPT_EVENT_LIFETIME, REQUEST_LIFETIME, Broker, EarlierRequest, Occupancy
from skubber.core.event import Event, PublishedEvent
from skubber.core.meter import Rate
from skubber.core.presence import PresenceMember

APP, OTHER = "4711", "other"
MAX = 100


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


async def test_one_node_alone_is_let_by_for_as_long_as_there_is_room(broker: Broker) -> None:
    for _ in range(3):
        assert all([await broker.connect(APP, 5) for _ in range(5)])
        assert await broker.channels(APP, "") == {}
        for _ in range(5):
            await broker.disconnect(APP)
    assert all([await broker.take(APP, Rate.READS, 1, 5) for _ in range(5)])


async def test_subscriptions_are_counted_up_and_down(broker: Broker) -> None:
    assert [await broker.subscribe(APP, "c") for _ in range(3)] == [1, 2, 3]
    assert await broker.unsubscribe(APP, "c") == 2
    assert await broker.subscribe(APP, "c") == 3
    assert [await broker.unsubscribe(APP, "c") for _ in range(3)] == [2, 1, 0]
    assert await broker.subscribe(APP, "c") == 1


async def test_exactly_one_of_many_sees_the_first_and_one_the_last_subscription(broker: Broker) -> None:
    counts = await asyncio.gather(*(broker.subscribe(APP, "c") for _ in range(50)))
    assert sorted(count or 0 for count in counts) == list(range(1, 51))
    left = await asyncio.gather(*(broker.unsubscribe(APP, "c") for _ in range(50)))
    assert sorted(count or 0 for count in left) == list(range(50))


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
    await broker.subscribe(OTHER, "presence-c")
    await broker.publish(OTHER, ("presence-c",), Event("e", b"1"), None)
    await delivery.until(3)
    assert [(app_id, name) for app_id, _, name, *_ in delivery.delivered] == [
        (APP, "member_added"),
        (OTHER, "member_added"),
        (OTHER, "e"),
    ]


def kept(name: str) -> Event:
    """An event that a back end published."""
    return PublishedEvent(name, b'"data"')


class TestKeptEvents:
    @pytest.mark.parametrize("channel", ["cache-c", "private-cache-c", "private-encrypted-cache-c", "presence-cache-c"])
    async def test_a_cache_channel_keeps_its_last_event_whether_anybody_listens_or_not(
        self, broker: Broker, delivery: RecordingDelivery, channel: str
    ) -> None:
        assert await broker.kept_event(APP, channel) is None
        for name in ("first", "last"):
            await broker.publish(APP, (channel,), kept(name), None)
        last = await broker.kept_event(APP, channel)
        assert last is not None
        assert (last.event.name, last.event.data) == ("last", b'"data"')
        assert 0 < last.expires_in <= KEPT_EVENT_LIFETIME

    @pytest.mark.parametrize("channel", ["c", "private-c", "presence-c", "my-cache-c", "cache", "private-encrypted-c"])
    async def test_no_other_channel_does(self, broker: Broker, delivery: RecordingDelivery, channel: str) -> None:
        await broker.publish(APP, (channel,), kept("e"), None)
        assert await broker.kept_event(APP, channel) is None

    async def test_what_is_not_to_be_kept_does_not_take_the_place_of_what_is(
        self, broker: Broker, delivery: RecordingDelivery
    ) -> None:
        await broker.publish(APP, ("cache-c",), kept("e"), None)
        await broker.publish(APP, ("cache-c",), Event("client-e", b"1"), None)
        last = await broker.kept_event(APP, "cache-c")
        assert last is not None
        assert last.event.name == "e"

    async def test_of_several_channels_each_keeps_its_own(self, broker: Broker, delivery: RecordingDelivery) -> None:
        await broker.publish(APP, ("cache-a", "b", "cache-c"), kept("first"), None)
        await broker.publish(APP, ("cache-c",), kept("second"), None)
        last = [await broker.kept_event(APP, channel) for channel in ("cache-a", "b", "cache-c")]
        assert [each and each.event.name for each in last] == ["first", None, "second"]

    async def test_an_event_is_kept_for_half_an_hour(
        self, broker: Broker, delivery: RecordingDelivery, clock: Clock
    ) -> None:
        await broker.publish(APP, ("cache-c",), kept("first"), None)
        clock.now += KEPT_EVENT_LIFETIME - 1
        await broker.publish(APP, ("cache-d",), kept("other"), None)
        last = await broker.kept_event(APP, "cache-c")
        assert last is not None
        assert last.expires_in == pytest.approx(1, abs=0.2)
        clock.now += 1
        assert await broker.kept_event(APP, "cache-c") is None
        assert await broker.kept_event(APP, "cache-d") is not None

    async def test_apps_keep_their_own(self, broker: Broker, delivery: RecordingDelivery) -> None:
        await broker.publish(APP, ("cache-c",), kept("e"), None)
        assert await broker.kept_event(OTHER, "cache-c") is None


class TestRequests:
    async def test_the_first_claim_of_a_key_gets_it_and_others_hear_of_the_first(self, broker: Broker) -> None:
        assert await broker.claim_request(APP, "k", b"one") is None
        assert await broker.claim_request(APP, "k", b"two") == EarlierRequest(b"one", is_done=False)
        assert await broker.claim_request(APP, "k", b"one") == EarlierRequest(b"one", is_done=False)
        await broker.finish_request(APP, "k")
        assert await broker.claim_request(APP, "k", b"two") == EarlierRequest(b"one", is_done=True)
        assert await broker.claim_request(APP, "another", b"two") is None
        assert await broker.claim_request(OTHER, "k", b"two") is None

    async def test_exactly_one_of_many_claims_succeeds(self, broker: Broker) -> None:
        claims = await asyncio.gather(*(broker.claim_request(APP, "k", b"%d" % number) for number in range(20)))
        assert claims.count(None) == 1

    async def test_a_released_key_may_be_claimed_again(self, broker: Broker) -> None:
        await broker.release_request(APP, "k")
        await broker.claim_request(APP, "k", b"one")
        await broker.release_request(APP, "k")
        assert await broker.claim_request(APP, "k", b"two") is None

    async def test_finishing_what_was_not_claimed_claims_nothing(self, broker: Broker) -> None:
        await broker.finish_request(APP, "k")
        assert await broker.claim_request(APP, "k", b"one") is None

    async def test_a_key_is_remembered_for_ten_minutes_once_its_request_is_done(
        self, broker: Broker, clock: Clock
    ) -> None:
        await broker.claim_request(APP, "k", b"one")
        clock.now += 30
        await broker.finish_request(APP, "k")
        clock.now += REQUEST_LIFETIME - 1
        assert await broker.claim_request(APP, "k", b"one") == EarlierRequest(b"one", is_done=True)
        clock.now += 1
        assert await broker.claim_request(APP, "k", b"one") is None


class TestSignIns:
    async def test_a_users_first_sign_in_is_first_and_the_last_sign_out_is_last(self, broker: Broker) -> None:
        assert await broker.sign_in(APP, "1.1", "ada") is True
        assert await broker.sign_in(APP, "1.2", "ada") is False
        assert await broker.sign_out(APP, "1.1", "ada") is False
        assert await broker.sign_out(APP, "1.2", "ada") is True
        assert await broker.sign_in(APP, "1.1", "ada") is True

    async def test_signing_out_twice_or_without_having_signed_in_is_no_last(self, broker: Broker) -> None:
        assert await broker.sign_out(APP, "1.1", "ada") is False
        await broker.sign_in(APP, "1.1", "ada")
        assert await broker.sign_out(APP, "1.9", "ada") is False
        assert await broker.sign_out(APP, "1.1", "eve") is False
        assert await broker.sign_out(OTHER, "1.1", "ada") is False
        assert await broker.sign_out(APP, "1.1", "ada") is True
        assert await broker.sign_out(APP, "1.1", "ada") is False

    async def test_exactly_one_of_many_is_first_and_one_is_last(self, broker: Broker) -> None:
        sockets = [f"1.{number}" for number in range(20)]
        assert (await asyncio.gather(*(broker.sign_in(APP, each, "ada") for each in sockets))).count(True) == 1
        assert (await asyncio.gather(*(broker.sign_out(APP, each, "ada") for each in sockets))).count(True) == 1

    async def test_who_is_signed_in_is_online_in_the_order_asked_for(self, broker: Broker) -> None:
        for socket_id, user_id in [("1.1", "ada"), ("1.2", "bob"), ("1.3", "bob"), ("1.4", "eve")]:
            await broker.sign_in(APP, socket_id, user_id)
        await broker.sign_out(APP, "1.2", "bob")
        await broker.sign_out(APP, "1.4", "eve")
        assert list(await broker.online(APP, ["nobody", "bob", "eve", "ada"])) == ["bob", "ada"]
        assert list(await broker.online(OTHER, ["ada"])) == []
        assert list(await broker.online(APP, [])) == []


@pytest.mark.parametrize("name", ["a:b", "a", "a:b:c", "presence-x;y,z=@"])
async def test_names_with_punctuation_are_not_mixed_up(broker: Broker, name: str) -> None:
    await broker.subscribe("a", "b:" + name)
    await broker.subscribe("a:b", name)
    assert await broker.channels("a", "") == {"b:" + name: Occupancy(1)}
    assert set(await broker.channels("a:b", "")) == {name}
