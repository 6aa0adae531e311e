"""Who may do what: signatures, grants, permissions; whose a connection is, and whom terminating a user ends."""

import json
from typing import Any

import pytest
from pusher.signature import sign

from skubber.codecs.access_token import Permission
from skubber.core.connection import EndReason
from skubber.core.errors import ForbiddenError
from skubber.core.event import Event
from support.apps import KEY, OTHER_KEY, SECOND_KEY, SECOND_SECRET, SECRET
from support.pusher_client import subscription
from support.signalr_client import SignalRNode, WebSocketClient, event
from support.slow_broker import SlowBroker

ADAS_EVENTS = "#server-to-user-ada"
ME = {"userId": "ada", "userInfo": None}


def signed(client: WebSocketClient, channel: str, user_id: str | None = None, **key: str) -> list[str]:
    """Arguments of ``Subscribe`` as the app's back end authorizes them."""
    channel_data = None if user_id is None else json.dumps({"user_id": user_id})
    data = subscription(client.connection_id, channel, channel_data, **key)
    return [data[name] for name in ("channel", "auth", "channel_data") if name in data]


def user_signature(client: WebSocketClient, user_id: str, **key: str) -> tuple[str, str]:
    """Arguments of ``SignIn`` as the app's back end authorizes them."""
    user_data = json.dumps({"id": user_id})
    signature = sign(key.get("secret", SECRET), f"{client.connection_id}::user::{user_data}")
    return f"{key.get('key', KEY)}:{signature}", user_data


async def tell(node: SignalRNode, user_id: str = "ada") -> None:
    """Publish an event to a user."""
    await node.hub.publish(node.app, (f"#server-to-user-{user_id}",), Event("news", b'"d"'))


async def terminated(node: SignalRNode, *clients: WebSocketClient, user_id: str = "ada") -> list[bool]:
    """Terminate a user; returns which of the clients that ends."""
    await node.broker.terminate_user(node.app.id, user_id)
    return [any(message["type"] == 7 for message in client.received()) for client in clients]


class TestSignatures:
    async def test_a_signature_lets_in_to_a_private_channel(self, node: SignalRNode) -> None:
        client = node.connect_client()
        assert client.call("Subscribe", *signed(client, "private-c")) == {"channel": "private-c"}

    async def test_a_signature_lets_in_to_a_presence_channel_as_the_user_it_names(self, node: SignalRNode) -> None:
        client = node.connect_client()
        result = client.call("Subscribe", *signed(client, "presence-c", "ada"))
        assert result == {"channel": "presence-c", "members": [ME], "me": ME}

    async def test_a_signature_is_for_one_connection_and_one_channel(self, node: SignalRNode) -> None:
        client, other = node.connect_client(), node.connect_client()
        _, auth = signed(other, "private-c")
        assert client.refused("Subscribe", "private-c", auth) == "invalid_signature"
        _, auth = signed(client, "private-c")
        assert client.refused("Subscribe", "private-d", auth) == "invalid_signature"
        _, auth, channel_data = signed(client, "presence-c", "ada")
        assert client.refused("Subscribe", "presence-c", auth) == "invalid_signature"
        assert client.refused("Subscribe", "presence-c", auth, channel_data + " ") == "invalid_signature"

    async def test_a_signature_is_made_with_the_key_that_the_token_comes_from(self, node: SignalRNode) -> None:
        client = node.connect_client()
        other_key = signed(client, "private-c", key=SECOND_KEY, secret=SECOND_SECRET)
        assert client.refused("Subscribe", *other_key) == "invalid_signature"
        client = node.connect_client(node.token(key=SECOND_KEY))
        assert client.call("Subscribe", *signed(client, "private-c", key=SECOND_KEY, secret=SECOND_SECRET))

    async def test_a_signature_decides_even_where_a_grant_would_let_in(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token("ada", "*"))
        assert client.refused("Subscribe", "private-c", "junk") == "invalid_signature"
        assert client.call("Subscribe", *signed(client, "presence-c", "bob"))["me"]["userId"] == "bob"


class TestGrants:
    @pytest.mark.parametrize(
        ("grant", "channel"),
        [
            ("private-c", "private-c"),
            ("private-*", "private-c"),
            ("private-*", "private-"),
            ("private-*", "private-encrypted-c"),
            ("*", "private-c"),
            ("private-orders.*", "private-orders.42"),
            ("private-*.eu", "private-a.b.eu"),
            ("*-c", "private-encrypted-c"),
            ("private-*a*a*a*a*a*a*a*a*a*a*b", "private-" + "a" * 150 + "b"),
        ],
    )
    async def test_a_grant_lets_in_to_the_channels_it_fits(self, node: SignalRNode, grant: str, channel: str) -> None:
        client = node.connect_client(node.token(None, "private-other", grant))
        assert client.call("Subscribe", channel) == {"channel": channel}

    @pytest.mark.parametrize(
        ("grant", "channel"),
        [
            ("private-c", "private-cd"),
            ("private-c", "private-C"),
            ("private-orders.*", "private-orders-42"),
            ("private-.", "private-c"),
            ("c", "private-c"),
            ("presence-*", "private-c"),
            ("private-*a*a*a*a*a*a*a*a*a*a*b", "private-" + "a" * 150),
        ],
    )
    async def test_a_grant_lets_in_nowhere_else(self, node: SignalRNode, grant: str, channel: str) -> None:
        client = node.connect_client(node.token("ada", grant))
        assert client.refused("Subscribe", channel) == "invalid_signature"

    async def test_a_grant_lets_in_to_a_presence_channel_as_the_tokens_user(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token("ada", "presence-*", user_info=b'{"x":1}'))
        assert client.call("Subscribe", "presence-c")["me"] == {"userId": "ada", "userInfo": {"x": 1}}
        # What the client says of itself without a signature is nothing.
        bob = json.dumps({"user_id": "bob", "user_info": {"x": 2}})
        assert client.call("Subscribe", "presence-d", None, bob)["me"] == {"userId": "ada", "userInfo": {"x": 1}}

    async def test_no_grant_reaches_a_users_events(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token(None, "*"))
        assert client.refused("Subscribe", ADAS_EVENTS) == "sign_in_required"


class TestPermissions:
    async def test_a_token_that_may_only_listen_sends_nothing(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token(None, "*", permissions=[Permission.SUBSCRIBE]))
        client.call("Subscribe", "private-c")
        assert client.refused("Trigger", "private-c", "client-e", 1) == "not_permitted"

    async def test_a_token_that_may_not_subscribe_hears_nothing(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token("ada", "*", permissions=[Permission.TRIGGER]))
        for arguments in (["c"], ["private-c"], signed(client, "private-d")):
            assert client.refused("Subscribe", *arguments) == "not_permitted"
        assert {(target, failure["status"]) for target, failure in client.calls()} == {("SubscriptionError", 403)}
        client.stream("c")
        (completion,) = client.received()
        assert "not_permitted" in completion["error"]
        assert client.refused("Trigger", "private-c", "client-e", 1) == "not_subscribed"

    async def test_whoever_is_proven_hears_what_is_for_the_user_nonetheless(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token("ada", permissions=[]))
        await tell(node)
        assert client.events() == ["news"]


class TestProof:
    """A user that the back end vouches for, against one that a client says it is."""

    async def test_events_to_a_user_reach_who_is_proven(self, node: SignalRNode) -> None:
        tab = node.connect_client(node.token("ada"))
        second_tab = node.connect_client(node.token("ada"), userId="ada")
        await tell(node)
        for client in (tab, second_tab):
            assert client.calls() == [("Event", event("news", ADAS_EVENTS))]

    async def test_a_user_id_in_the_url_proves_nothing(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token(None, "*"), userId="ada")
        await tell(node)
        assert client.received() == []
        assert client.refused("Subscribe", ADAS_EVENTS) == "sign_in_required"
        assert client.refused("Subscribe", "presence-c") == "user_required"
        assert [failure["status"] for _, failure in client.calls()] == [401, 403]
        assert not node.hub._namespaces[node.app.id].channels

    async def test_without_a_grant_it_opens_no_private_channel_either(self, node: SignalRNode) -> None:
        client = node.connect_client(userId="ada")
        for channel in ("private-c", "presence-c"):
            assert client.refused("Subscribe", channel) == "invalid_signature"

    async def test_a_token_for_a_user_is_no_good_to_another(self, node: SignalRNode) -> None:
        with pytest.raises(ForbiddenError) as error:
            node.open(node.token("ada"), userId="bob")
        assert error.value.code == "user_mismatch"
        node.assert_nothing_is_kept()

    @pytest.mark.parametrize("method", ["Unsubscribe", "unsubscribe"])
    async def test_a_users_events_cannot_be_unsubscribed(self, node: SignalRNode, method: str) -> None:
        client = node.connect_client(node.token("ada"))
        assert client.call(method, ADAS_EVENTS) is None
        await tell(node)
        assert client.events() == ["news"]


class TestSignIn:
    async def test_a_signature_proves_a_user(self, node: SignalRNode) -> None:
        client = node.connect_client()
        assert client.call("SignIn", *user_signature(client, "ada")) == {"userId": "ada"}
        await tell(node)
        assert client.events() == ["news"]

    async def test_signing_in_as_who_one_is_changes_nothing(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token("ada"))
        for _ in range(2):
            assert client.call("SignIn", *user_signature(client, "ada")) == {"userId": "ada"}
        await tell(node)
        assert client.events() == ["news"]
        client.hang_up()
        node.assert_nothing_is_kept()

    async def test_nobody_is_two_users(self, node: SignalRNode) -> None:
        client = node.connect_client(node.token("ada"))
        assert client.refused("SignIn", *user_signature(client, "bob")) == "already_signed_in"
        await tell(node, "bob")
        await tell(node, "ada")
        assert client.calls() == [("Event", event("news", ADAS_EVENTS))]

    @pytest.mark.parametrize("key", [{"secret": "x" * 48}, {"key": OTHER_KEY}, {"key": SECOND_KEY}])
    async def test_a_wrong_signature_signs_nobody_in_and_closes_nothing(
        self, node: SignalRNode, key: dict[str, str]
    ) -> None:
        client = node.connect_client()
        assert client.refused("SignIn", *user_signature(client, "ada", **key)) == "invalid_signature"
        await tell(node)
        assert client.received() == []
        assert await terminated(node, client) == [False]

    async def test_who_could_not_be_signed_in_for_now_can_be_later(self) -> None:
        broker = SlowBroker()
        node = SignalRNode(broker=broker)
        client = node.connect_client()
        broker.fail("subscribe")
        assert client.refused("SignIn", *user_signature(client, "ada")) == "broker_unavailable"
        assert await terminated(node, client) == [False]
        broker.recover()
        assert client.call("SignIn", *user_signature(client, "ada")) == {"userId": "ada"}
        await tell(node)
        assert client.events() == ["news"]
        client.hang_up()
        node.assert_nothing_is_kept()


class TestTermination:
    async def test_a_users_connections_end_however_they_are_the_users(self, node: SignalRNode) -> None:
        member, signed_in, streaming = (node.connect_client() for _ in range(3))
        proven, claimed = node.connect_client(node.token("ada")), node.connect_client(userId="ada")
        member.call("Subscribe", *signed(member, "presence-c", "ada"))
        signed_in.call("SignIn", *user_signature(signed_in, "ada"))
        streaming.stream(*signed(streaming, "presence-c", "ada"))
        clients = [proven, claimed, member, signed_in, streaming]
        others = [
            node.connect_client(node.token("bob")),
            node.connect_client(userId="bob"),
            node.connect_client(),
            node.connect_client(node.token("ada", key=OTHER_KEY)),
        ]
        assert await terminated(node, *clients, *others) == [True] * 5 + [False] * 4
        assert [client.close_code for client in clients] == [1000] * 5
        for client in (*clients, *others):
            client.hang_up()
        node.assert_nothing_is_kept()

    async def test_who_is_ended_is_not_to_come_back_by_itself(self, node: SignalRNode) -> None:
        client = node.connect_event_stream(node.token("ada"))
        await node.broker.terminate_user(node.app.id, "ada")
        assert client.close_message() == {"type": 7, "error": "The connection was terminated by the application."}

    async def test_who_leaves_the_users_channels_is_the_users_no_more(self, node: SignalRNode) -> None:
        client, streaming = node.connect_client(), node.connect_client()
        client.call("Subscribe", *signed(client, "presence-c", "ada"))
        streaming.stream(*signed(streaming, "presence-c", "ada"), invocation_id="s")
        client.call("Unsubscribe", "presence-c")
        streaming.send({"type": 5, "invocationId": "s"})
        assert await terminated(node, client, streaming) == [False, False]

    @pytest.mark.parametrize("is_proven", [True, False])
    async def test_who_is_signed_in_or_says_so_stays_the_users(self, node: SignalRNode, is_proven: bool) -> None:
        client = node.connect_client(node.token("ada" if is_proven else None), userId="ada")
        client.call("Subscribe", *signed(client, "presence-c", "ada"))
        client.call("Unsubscribe", "presence-c")
        assert await terminated(node, client) == [True]

    async def test_a_connection_may_be_several_users_in_several_ways(self, node: SignalRNode) -> None:
        ways: list[dict[str, Any]] = [{"user_id": user} for user in ("claimed", "member", "signed-in")]
        for way in ways:
            client = node.connect_client(userId="claimed")
            client.call("Subscribe", *signed(client, "presence-c", "member"))
            client.call("SignIn", *user_signature(client, "signed-in"))
            assert await terminated(node, client, user_id="nobody") == [False]
            assert await terminated(node, client, **way) == [True]
            client.hang_up()
        node.assert_nothing_is_kept()

    async def test_a_claim_ends_with_its_connection(self, node: SignalRNode) -> None:
        leaving, staying = (node.connect_client(userId="ada") for _ in range(2))
        leaving.hang_up()
        (held,) = node.hub._namespaces[node.app.id].users["ada"]
        assert held is staying.session
        held.end(EndReason.DRAINING)
        staying.hang_up()
        node.assert_nothing_is_kept()
