"""Signing users in: ``pusher:signin``, a user's own events, and its end."""

import json
from typing import Any

import pytest
from pusher.signature import sign

from skubber.core.event import Event
from skubber.core.limits import Limits
from support.apps import KEY, OTHER_KEY, OTHER_SECRET, SECOND_KEY, SECOND_SECRET, SECRET, make_app
from support.edge_client import EdgeClient, settled
from support.pusher_client import Message, PusherClient, PusherNode
from support.slow_broker import SlowBroker

ADA = {"id": "ada"}
ADAS_EVENTS = "#server-to-user-ada"


@pytest.fixture
def client(node: PusherNode) -> PusherClient:
    """A client that was let in and greeted."""
    return node.connect_client()


def signin(socket_id: str, user_data: Any, key: str = KEY, secret: str = SECRET) -> Message:
    """The message, signed as the app's back end does."""
    text = user_data if isinstance(user_data, str) else json.dumps(user_data)
    return {
        "event": "pusher:signin",
        "data": {"auth": f"{key}:{sign(secret, f'{socket_id}::user::{text}')}", "user_data": text},
    }


async def sign_in(client: PusherClient, user: Any = None) -> None:
    """Sign a user in, who must be accepted."""
    answer = await client.answer(signin(client.socket_id, user or ADA))
    assert answer["event"] == "pusher:signin_success", answer


async def tell(node: PusherNode, channel: str = ADAS_EVENTS) -> None:
    """Publish an event."""
    await node.hub.publish(node.app, (channel,), Event("news", b'"1"'))


@pytest.mark.parametrize(
    "user_data",
    ['{"id":"ada"}', '{ "user_info": {"name": "Ada"}, "id": "ada", "watchlist": ["bob"] }', '{"id":"\\u00e9\\n"}'],
)
async def test_a_user_is_signed_in_and_told_so_in_the_words_it_was_signed_with(
    client: PusherClient, user_data: str
) -> None:
    answer = await client.answer(signin(client.socket_id, user_data))
    assert answer["event"] == "pusher:signin_success"
    assert json.loads(answer["data"]) == {"user_data": user_data}


async def test_events_to_a_user_reach_all_its_connections_and_nobody_else(node: PusherNode) -> None:
    tab, second_tab, bob, nobody = (node.connect_client() for _ in range(4))
    for client, user in ((tab, ADA), (second_tab, ADA), (bob, {"id": "bob"})):
        await sign_in(client, user)
    await tell(node)
    news = {"event": "news", "channel": ADAS_EVENTS, "data": "1"}
    assert [client.received() for client in (tab, second_tab, bob, nobody)] == [[news], [news], [], []]


async def test_a_number_is_a_user_too(node: PusherNode, client: PusherClient) -> None:
    await sign_in(client, {"id": 7})
    await tell(node, "#server-to-user-7")
    assert client.events() == ["news"]


async def test_nobody_needs_to_subscribe_to_a_users_events_nor_sends_any(
    node: PusherNode, client: PusherClient
) -> None:
    answer = await client.answer({"event": "pusher:subscribe", "data": client.signed(ADAS_EVENTS)})
    assert (answer["event"], answer["data"]["status"]) == ("pusher:subscription_error", 401)
    await sign_in(client)
    # pusher-js asks for them all the same, once the user has signed in: that changes nothing.
    answer = await client.answer({"event": "pusher:subscribe", "data": client.signed(ADAS_EVENTS)})
    assert answer["event"] == "pusher_internal:subscription_succeeded"
    answer = await client.answer({"event": "client-x", "channel": ADAS_EVENTS, "data": {}})
    assert answer["event"] == "pusher:error"
    await tell(node)
    assert client.events() == ["news"]


async def test_a_users_events_cannot_be_unsubscribed(node: PusherNode, client: PusherClient) -> None:
    await sign_in(client)
    await client.unsubscribe(ADAS_EVENTS)
    await tell(node)
    assert client.events() == ["news"]


async def test_signing_in_again_as_the_same_user_changes_nothing(node: PusherNode, client: PusherClient) -> None:
    await sign_in(client)
    await sign_in(client, {"id": "ada", "user_info": {"name": "Ada"}})
    await tell(node)
    assert client.events() == ["news"]
    await client.leave()
    node.assert_nothing_is_kept()


async def test_terminating_a_user_ends_who_signed_in_as_it(node: PusherNode, client: PusherClient) -> None:
    bob = node.connect_client()
    await sign_in(client)
    await sign_in(bob, {"id": "bob"})
    await node.broker.terminate_user(node.app.id, "ada")
    assert client.events() == ["pusher:error"]
    assert (client.close_code(), bob.close_code()) == (4009, None)


async def test_who_signed_in_stays_the_users_when_it_leaves_the_users_channels(
    node: PusherNode, client: PusherClient
) -> None:
    await sign_in(client)
    await client.join("presence-c", "ada")
    await client.unsubscribe("presence-c")
    await node.broker.terminate_user(node.app.id, "ada")
    assert client.close_code() == 4009


async def test_who_leaves_leaves_nothing_behind(node: PusherNode, client: PusherClient) -> None:
    await sign_in(client)
    await client.join("presence-c", "ada")
    await client.leave()
    node.assert_nothing_is_kept()


class TestRefusal:
    """Whoever cannot be signed in is told why, and closed for good."""

    async def assert_refused(self, node: PusherNode, client: PusherClient, message: Message) -> None:
        error = await client.answer(message)
        assert (error["event"], error["data"]["code"]) == ("pusher:error", 4009)
        assert client.closed_with == (4009, error["data"]["message"])
        assert error["data"]["message"].endswith(".")
        assert SECRET not in error["data"]["message"]
        await client.leave()
        node.assert_nothing_is_kept()

    @pytest.mark.parametrize(
        ("key", "secret"),
        [(KEY, "x" * 48), (SECOND_KEY, SECOND_SECRET), (OTHER_KEY, OTHER_SECRET), ("", SECRET), (KEY, SECOND_SECRET)],
    )
    async def test_a_signature_made_with_another_key(
        self, node: PusherNode, client: PusherClient, key: str, secret: str
    ) -> None:
        await self.assert_refused(node, client, signin(client.socket_id, ADA, key, secret))

    async def test_a_signature_for_another_connection(self, node: PusherNode, client: PusherClient) -> None:
        await self.assert_refused(node, client, signin("7.99", ADA))

    async def test_a_signature_for_another_user(self, node: PusherNode, client: PusherClient) -> None:
        message = signin(client.socket_id, ADA)
        message["data"]["user_data"] = json.dumps({"id": "bob"})
        await self.assert_refused(node, client, message)

    @pytest.mark.parametrize(
        "user_data",
        [
            "",
            "ada",
            "[]",
            "{}",
            '{"id":null}',
            '{"id":""}',
            '{"id":["ada"]}',
            '{"id":1.5}',
            '{"id":"%s"}' % ("x" * 129),
            '{"user_id":"ada"}',
        ],
    )
    async def test_a_user_without_an_id(self, node: PusherNode, client: PusherClient, user_data: str) -> None:
        await self.assert_refused(node, client, signin(client.socket_id, user_data))

    @pytest.mark.parametrize(
        "data", [None, {}, {"auth": "x"}, {"user_data": "{}"}, {"auth": 1, "user_data": "{}"}, "x"]
    )
    async def test_what_is_no_sign_in(self, node: PusherNode, client: PusherClient, data: Any) -> None:
        await self.assert_refused(node, client, {"event": "pusher:signin", "data": data})

    async def test_a_second_user(self, node: PusherNode, client: PusherClient) -> None:
        await sign_in(client)
        await self.assert_refused(node, client, signin(client.socket_id, {"id": "bob"}))

    async def test_an_id_longer_than_the_app_takes(self) -> None:
        node = PusherNode(make_app(limits=Limits(presence_user_id_length=3)))
        client = node.connect_client()
        await sign_in(client)
        other = node.connect_client()
        error = await other.answer(signin(other.socket_id, {"id": "adam"}))
        assert error["data"]["code"] == 4009


class TestWaiting:
    """The broker takes its time, or fails."""

    @pytest.fixture
    def broker(self) -> SlowBroker:
        return SlowBroker()

    @pytest.fixture
    def node(self, broker: SlowBroker) -> PusherNode:
        return PusherNode(broker=broker)

    async def test_a_user_terminated_while_it_is_signed_in_is_gone_afterwards(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        hold = broker.hold("subscribe")
        client = EdgeClient(node)
        client.send(signin(client.socket_id, ADA))
        await hold.reached()
        await broker.terminate_user(node.app.id, "ada")
        assert client.events() == ["pusher:error"]
        assert client.close_code == 4009
        hold.release()
        await settled()
        node.assert_nothing_is_kept()

    @pytest.mark.parametrize("holding", [SlowBroker.hold, SlowBroker.hold_reply])
    async def test_a_connection_lost_meanwhile_leaves_nothing_behind(
        self, node: PusherNode, broker: SlowBroker, holding: Any
    ) -> None:
        hold = holding(broker, "subscribe")
        client = EdgeClient(node)
        client.send(signin(client.socket_id, ADA))
        await hold.reached()
        client.hang_up()
        hold.release()
        await settled()
        node.assert_nothing_is_kept()
        assert client.received() == []

    async def test_a_broker_that_fails_is_no_reason_to_give_up_for_good(
        self, node: PusherNode, broker: SlowBroker
    ) -> None:
        broker.fail("subscribe")
        client = EdgeClient(node)
        client.send(signin(client.socket_id, ADA))
        (error,) = client.received()
        assert error == {"event": "pusher:error", "data": {"code": 4100, "message": "Try again later."}}
        assert client.close_code == 4100
        client.hang_up()
        node.assert_nothing_is_kept()
