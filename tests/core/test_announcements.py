"""What the hub tells of for webhooks: every edge, once, in the order in which it happens."""

import pytest

from skubber.core.errors import ForbiddenError, UnavailableError
from skubber.core.event import Event, PublishedEvent
from skubber.core.limits import Limits
from skubber.core.subscription_counts import SubscriptionCounts
from skubber.core.timer_wheel import TimerWheel
from skubber.core.webhook import WebhookEndpoint, WebhookEvent, WebhookEventName
from skubber.server.eager import run_detached
from support.apps import make_app
from support.node import Node
from support.slow_broker import SlowBroker

ENDPOINTS = (WebhookEndpoint("w", "https://example.com"),)
APP = make_app(webhooks=ENDPOINTS)
SILENT = make_app()


def told(node: Node) -> list[str]:
    """What was told since the last call: name and channel, with the user where there is one."""
    announced, node.announced[:] = list(node.announced), []
    return [" ".join(filter(None, (event.name, event.channel, event.user_id))) for event in announced]


async def test_the_first_subscription_occupies_a_channel_and_the_last_one_vacates_it(node: Node) -> None:
    first, second = (node.connect(APP, f"1.{number}") for number in range(2))
    subscriptions = [await node.subscribe(APP, each, "c") for each in (first, second)]
    assert told(node) == ["channel_occupied c"]
    await node.hub.unsubscribe(APP, subscriptions[0])
    assert told(node) == []
    await node.hub.disconnect(APP, second, subscriptions[1:])
    assert told(node) == ["channel_vacated c"]


async def test_members_come_after_their_channel_and_go_before_it(node: Node) -> None:
    tabs = [node.connect(APP, f"1.{number}") for number in range(2)]
    bob = node.connect(APP, "2.1")
    subscriptions = [await node.subscribe(APP, tab, "presence-c", "ada") for tab in tabs]
    assert told(node) == ["channel_occupied presence-c", "member_added presence-c ada"]
    bobs = await node.subscribe(APP, bob, "presence-c", "bob")
    assert told(node) == ["member_added presence-c bob"]
    await node.hub.unsubscribe(APP, subscriptions[0])
    assert told(node) == []
    await node.hub.unsubscribe(APP, subscriptions[1])
    assert told(node) == ["member_removed presence-c ada"]
    await node.hub.unsubscribe(APP, bobs)
    assert told(node) == ["member_removed presence-c bob", "channel_vacated presence-c"]


async def test_a_cache_channel_without_an_event_is_told_of_to_each_who_misses_it(node: Node) -> None:
    for number in range(2):
        await node.subscribe(APP, node.connect(APP, f"1.{number}"), "cache-c")
    assert told(node) == ["channel_occupied cache-c", "cache_miss cache-c", "cache_miss cache-c"]
    await node.hub.publish(APP, ("cache-c",), PublishedEvent("e", b'"d"'))
    await node.subscribe(APP, node.connect(APP, "1.9"), "cache-c")
    assert told(node) == []


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b'"d"', "d"),
        (b'"\\u00fc"', "ü"),
        (b'{"a":1}', '{"a":1}'),
        (b"null", "null"),
        ('"€"'.encode(), "€"),
        (b'""', ""),
    ],
)
async def test_a_client_event_is_told_of_with_all_that_it_is(node: Node, data: bytes, text: str) -> None:
    await node.hub.publish_client_event(APP, "presence-c", Event("client-e", data, "ada"), "1.1")
    expected = WebhookEvent(WebhookEventName.CLIENT_EVENT, "presence-c", "ada", "client-e", text, "1.1")
    assert node.announced == [expected]


async def test_counts_are_told_of_as_subscribers_are_told() -> None:
    node = Node(counts=SubscriptionCounts(TimerWheel(), run_detached))
    app = make_app(webhooks=ENDPOINTS, subscription_counts=True)
    subscription = await node.subscribe(app, node.connect(app, "1.1"), "c")
    await node.hub.unsubscribe(app, subscription)
    counts = [event.subscription_count for event in node.announced if event.name == "subscription_count"]
    assert counts == [1, 0]
    told(node)
    await node.subscribe(APP, node.connect(APP, "1.2"), "c")
    assert told(node) == ["channel_occupied c"]


async def test_a_users_own_channel_and_watchlists_are_nobodys_business(node: Node) -> None:
    connection = node.connect(APP, "1.1")
    subscriptions = await node.sign_in(APP, connection, "ada", ["bob"])
    await node.hub.disconnect(APP, connection, subscriptions)
    assert told(node) == []


async def test_published_events_are_not_told_of(node: Node) -> None:
    await node.hub.publish(APP, ("c",), PublishedEvent("e", b'"d"'))
    assert told(node) == []


async def test_nobody_is_told_where_nobody_asks(node: Node) -> None:
    connection = node.connect(SILENT, "1.1")
    subscriptions = [await node.subscribe(SILENT, connection, "presence-c", "ada")]
    await node.hub.publish_client_event(SILENT, "c", Event("client-e", b"1"), "1.1")
    await node.hub.disconnect(SILENT, connection, subscriptions)
    assert told(node) == []


@pytest.mark.parametrize(("call", "channel", "user"), [("subscribe", "c", None), ("kept_event", "cache-c", None)])
async def test_a_subscription_that_failed_is_not_told_of(call: str, channel: str, user: str | None) -> None:
    broker = SlowBroker()
    node = Node(broker=broker)
    connection = node.connect(APP, "1.1")
    broker.fail(call)
    with pytest.raises(UnavailableError):
        await node.subscribe(APP, connection, channel, user)
    assert "occupied" not in " ".join(told(node))


class TestChannelLimit:
    APP = make_app(limits=Limits(channels=2), webhooks=ENDPOINTS)

    async def test_a_channel_more_than_the_plan_has_is_refused_until_one_is_vacated(self, node: Node) -> None:
        connection = node.connect(self.APP, "1.1")
        first = await node.subscribe(self.APP, connection, "a")
        await node.subscribe(self.APP, connection, "presence-b", "ada")
        for channel, user in (("c", None), ("cache-c", None), ("presence-c", "ada")):
            with pytest.raises(ForbiddenError) as error:
                await node.subscribe(self.APP, connection, channel, user)
            assert error.value.code == "too_many_channels"
        assert await node.broker.members(self.APP.id, "presence-c") == ()
        assert told(node) == [
            "channel_occupied a",
            "channel_occupied presence-b",
            "member_added presence-b ada",
        ]
        await node.hub.unsubscribe(self.APP, first)
        await node.subscribe(self.APP, connection, "c")

    async def test_further_subscribers_of_a_channel_are_let_in(self, node: Node) -> None:
        for number in range(5):
            connection = node.connect(self.APP, f"1.{number}")
            await node.subscribe(self.APP, connection, "a")
            await node.subscribe(self.APP, connection, "b")

    async def test_signing_in_takes_none_of_them(self, node: Node) -> None:
        for number in range(5):
            await node.sign_in(self.APP, node.connect(self.APP, f"1.{number}"), f"user{number}", ["a", "b"])
        connection = node.connect(self.APP, "2.1")
        await node.subscribe(self.APP, connection, "a")
        await node.subscribe(self.APP, connection, "b")
