"""Subscribing and unsubscribing: names, authorizations, second tries. Source: Pusher Channels Protocol."""

import json

import pytest

from skubber.core.app import ApiKey, App
from skubber.core.event import Event
from skubber.core.limits import Limits
from support.apps import KEY, OTHER_KEY, OTHER_SECRET, SECOND_KEY, SECOND_SECRET, SECRET, make_app
from support.pusher_client import Message, PusherClient, PusherNode, subscription

SUCCEEDED = "pusher_internal:subscription_succeeded"


@pytest.fixture
def client(node: PusherNode) -> PusherClient:
    """A client that was let in and greeted."""
    return node.connect_client()


def success(channel: str) -> Message:
    return {"event": SUCCEEDED, "channel": channel, "data": "{}"}


def assert_error(answer: Message, channel: str, kind: str, status: int) -> None:
    """A ``pusher:subscription_error`` that names its channel and says why."""
    assert answer.keys() == {"event", "channel", "data"}
    assert (answer["event"], answer["channel"]) == ("pusher:subscription_error", channel)
    assert answer["data"] == {"type": kind, "error": answer["data"]["error"], "status": status}
    assert answer["data"]["error"].endswith(".")


async def subscriptions(node: PusherNode, channel: str) -> int:
    return (await node.broker.occupancy(node.app.id, channel)).subscriptions


@pytest.mark.parametrize("channel", ["c", "c" * 200, "a-Z_0=@,.;", "private", "presence"])
async def test_anybody_may_subscribe_to_a_public_channel(node: PusherNode, client: PusherClient, channel: str) -> None:
    assert await client.subscribe(channel) == success(channel)
    assert await subscriptions(node, channel) == 1


async def test_a_public_channel_takes_no_notice_of_an_authorization(client: PusherClient) -> None:
    assert await client.subscribe("c", auth="nonsense", channel_data="nonsense") == success("c")


async def test_the_data_of_a_subscription_may_be_a_string_of_json(client: PusherClient) -> None:
    assert await client.answer({"event": "pusher:subscribe", "data": '{"channel":"c"}'}) == success("c")


async def test_subscription_precedes_every_event_and_follows_none(node: PusherNode, client: PusherClient) -> None:
    await node.hub.publish(node.app, ("c",), Event("before", b'"1"'))
    await client.send({"event": "pusher:subscribe", "data": {"channel": "c"}})
    await node.hub.publish(node.app, ("c",), Event("after", b'"{\\"a\\": 1}"'))
    assert client.received() == [success("c"), {"event": "after", "channel": "c", "data": '{"a": 1}'}]


@pytest.mark.parametrize(
    "channel", ["", "no spaces", "c" * 201, "private-" + "c" * 193, "ü", "a/b", "a:b", "c\n", "\0", "#c", "presence-?"]
)
async def test_a_name_no_channel_may_have_is_refused(node: PusherNode, client: PusherClient, channel: str) -> None:
    assert_error(await client.subscribe(channel), channel, "InvalidRequest", 400)
    assert await node.broker.channels(node.app.id, "") == {}


async def test_a_users_own_channel_is_for_sign_in_only(client: PusherClient) -> None:
    channel = "#server-to-user-ada"
    data = client.signed(channel)
    assert_error(await client.subscribe(**data), channel, "AuthError", 401)


@pytest.mark.parametrize("channel", ["private-c", "private-encrypted-c"])
async def test_a_private_channel_takes_who_its_back_end_authorized(client: PusherClient, channel: str) -> None:
    assert_error(await client.subscribe(channel), channel, "AuthError", 401)
    assert await client.subscribe(**client.signed(channel)) == success(channel)


async def test_a_signature_may_cover_channel_data_on_a_private_channel_too(client: PusherClient) -> None:
    data = client.signed("private-c", "anything")
    assert_error(await client.subscribe("private-c", auth=data["auth"]), "private-c", "AuthError", 401)
    assert await client.subscribe(**data) == success("private-c")


class TestAuthorizations:
    CHANNEL = "private-c"

    @pytest.mark.parametrize(
        "auth",
        [
            None,
            "",
            ":",
            KEY,
            f"{KEY}:",
            f"{KEY}:{'0' * 64}",
            f"{KEY}:é\0",
            "a:b:c",
        ],
    )
    async def test_what_is_no_signature_is_refused(self, client: PusherClient, auth: str | None) -> None:
        assert_error(await client.subscribe(self.CHANNEL, auth=auth), self.CHANNEL, "AuthError", 401)

    @pytest.mark.parametrize(
        ("key", "secret"),
        [
            (KEY, SECOND_SECRET),
            (KEY, OTHER_SECRET),
            (SECOND_KEY, SECRET),
            (OTHER_KEY, SECRET),
            ("", SECRET),
            (KEY.upper(), SECRET),
            (f"{KEY} ", SECRET),
            # Right in themselves, but not this connection's: a key of the same app, and one of another.
            (SECOND_KEY, SECOND_SECRET),
            (OTHER_KEY, OTHER_SECRET),
        ],
    )
    async def test_only_the_key_the_client_connected_with_counts(
        self, client: PusherClient, key: str, secret: str
    ) -> None:
        data = subscription(client.socket_id, self.CHANNEL, key=key, secret=secret)
        assert_error(await client.subscribe(**data), self.CHANNEL, "AuthError", 401)

    async def test_who_connected_with_the_second_key_shows_a_signature_of_the_second_key(
        self, node: PusherNode
    ) -> None:
        client = node.connect_client(SECOND_KEY)
        assert_error(await client.subscribe(**client.signed(self.CHANNEL)), self.CHANNEL, "AuthError", 401)
        data = subscription(client.socket_id, self.CHANNEL, key=SECOND_KEY, secret=SECOND_SECRET)
        assert await client.subscribe(**data) == success(self.CHANNEL)

    async def test_a_signature_holds_for_one_connection_and_one_channel(
        self, node: PusherNode, client: PusherClient
    ) -> None:
        other = node.connect_client()
        assert_error(await client.subscribe(**other.signed(self.CHANNEL)), self.CHANNEL, "AuthError", 401)
        auth = client.signed("private-d")["auth"]
        assert_error(await client.subscribe(self.CHANNEL, auth=auth), self.CHANNEL, "AuthError", 401)

    async def test_a_signature_is_hex_in_lower_case(self, client: PusherClient) -> None:
        key, _, signature = client.signed(self.CHANNEL)["auth"].partition(":")
        answer = await client.subscribe(self.CHANNEL, auth=f"{key}:{signature.upper()}")
        assert_error(answer, self.CHANNEL, "AuthError", 401)

    async def test_a_key_may_hold_a_colon(self) -> None:
        node = PusherNode(App.with_keys("4711", [ApiKey("k:1", SECRET)]))
        client = node.connect_client("k:1")
        data = subscription(client.socket_id, self.CHANNEL, key="k:1")
        assert await client.subscribe(**data) == success(self.CHANNEL)

    async def test_an_error_says_what_was_to_be_signed_and_holds_no_secret(self, client: PusherClient) -> None:
        error = (await client.subscribe(self.CHANNEL))["data"]["error"]
        assert f"{client.socket_id}:{self.CHANNEL}" in error
        assert SECRET not in error

    async def test_a_refused_client_may_try_again(self, node: PusherNode, client: PusherClient) -> None:
        await client.subscribe(self.CHANNEL)
        assert await subscriptions(node, self.CHANNEL) == 0
        assert await client.subscribe(**client.signed(self.CHANNEL)) == success(self.CHANNEL)
        assert await subscriptions(node, self.CHANNEL) == 1


async def test_a_second_subscription_is_an_error_and_no_second_delivery(node: PusherNode, client: PusherClient) -> None:
    await client.subscribe("c")
    answer = await client.subscribe("c")
    assert (answer["event"], answer["data"]["code"]) == ("pusher:error", None)
    assert await subscriptions(node, "c") == 1
    await node.hub.publish(node.app, ("c",), Event("e", b'"1"'))
    assert client.events() == ["e"]


async def test_a_connection_has_so_many_subscriptions_and_no_more() -> None:
    node = PusherNode(make_app(limits=Limits(subscriptions_per_connection=2)))
    client, other = node.connect_client(), node.connect_client()
    for channel in ("a", "b"):
        assert await client.subscribe(channel) == success(channel)
    assert_error(await client.subscribe("c"), "c", "LimitReached", 403)
    assert await subscriptions(node, "c") == 0
    assert await other.subscribe("c") == success("c")
    await client.unsubscribe("a")
    assert await client.subscribe("c") == success("c")


async def test_who_unsubscribes_hears_no_more(node: PusherNode, client: PusherClient) -> None:
    await client.subscribe("c")
    await client.unsubscribe("c")
    await node.hub.publish(node.app, ("c",), Event("e", b'"1"'))
    assert client.received() == []
    assert await subscriptions(node, "c") == 0


async def test_unsubscribing_from_a_channel_never_subscribed_to_is_no_error(
    node: PusherNode, client: PusherClient
) -> None:
    for channel in ("c", "presence-c", "no such name", ""):
        await client.unsubscribe(channel)
    assert client.received() == []
    assert await node.broker.channels(node.app.id, "") == {}


async def test_unsubscribing_ends_the_own_subscription_only(node: PusherNode, client: PusherClient) -> None:
    other = node.connect_client()
    await client.subscribe("c")
    await other.subscribe("c")
    await client.unsubscribe("c")
    await client.unsubscribe("c")
    await node.hub.publish(node.app, ("c",), Event("e", b'"1"'))
    assert (client.events(), other.events()) == ([], ["e"])
    assert await subscriptions(node, "c") == 1


async def test_who_unsubscribed_may_subscribe_again(node: PusherNode, client: PusherClient) -> None:
    for _ in range(3):
        assert await client.subscribe("c") == success("c")
        assert (await client.join("private-c")) == {}
        assert (await client.join("presence-c", "ada"))["presence"]["count"] == 1
        await client.unsubscribe("c")
        await client.unsubscribe("private-c")
        await client.unsubscribe("presence-c")
        assert await node.broker.channels(node.app.id, "") == {}


async def test_events_reach_a_subscriber_in_order_each_once_a_channel(node: PusherNode, client: PusherClient) -> None:
    await client.subscribe("c")
    await client.subscribe("d")
    await node.hub.publish(node.app, ("c", "d"), Event("first", b'"1"'))
    await node.hub.publish(node.app, ("c",), Event("second", b'"2"'))
    await node.hub.publish(node.app, ("c", "d"), Event("not for its publisher", b'"3"'), client.socket_id)
    events = [(message["channel"], message["event"]) for message in client.received()]
    assert [name for channel, name in events if channel == "c"] == ["first", "second"]
    assert [name for channel, name in events if channel == "d"] == ["first"]


async def test_apps_share_no_channel(node: PusherNode, client: PusherClient) -> None:
    theirs = node.connect_client(OTHER_KEY)
    await client.subscribe("c")
    await theirs.subscribe("c")
    await node.hub.publish(node.app, ("c",), Event("e", json.dumps("d").encode()))
    assert (client.events(), theirs.events()) == (["e"], [])
