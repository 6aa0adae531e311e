"""Users do not care which protocol a client speaks: sign-ins, watchlists, terminations and cache channels span both."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pusher.signature import sign

from skubber.codecs.access_token import AccessToken, Grants
from skubber.codecs.websocket_frames import Opcode
from skubber.core.event import Event, PublishedEvent
from skubber.server.eager import run_detached
from skubber.sessions.signalr.principal import Principal
from skubber.sessions.signalr.session import SignalRContext, SignalRSession
from skubber.sessions.signalr.transports import Transport
from support.apps import KEY, SECRET, make_app
from support.pusher_client import PusherNode
from support.signalr_messages import json_record

Call = tuple[str, Any]

USER_DATA = {"id": "ada", "watchlist": ["bob", "carl"]}


class SignalRClient:
    """A SignalR client whose messages go as they are, as with long polling. Implements ``Peer``."""

    def __init__(self, node: PusherNode, connection_id: str, user_id: str | None, **options: int) -> None:
        self.has_ended = False
        self._node = node
        self._read: list[bytes] = []
        self.write: Callable[[bytes], None] = self._read.append
        token = AccessToken(node.app, node.app.keys[KEY], Grants(user_id), 10_000)
        context = SignalRContext(node.hub, node.wheel, lambda: node.clock, lambda: "", run_detached, **options)
        self.session = SignalRSession(
            context,
            Principal(token, user_id),
            connection_id,
            Transport.LONG_POLLING,
            self,
            by_name=False,
            can_resume=False,
            on_end=lambda: None,
        )
        self.session.opened()

    def close(self, code: int, reason: str) -> None:
        self.has_ended = True

    async def connect(self) -> list[Call]:
        """Shake hands; returns what comes after the answer."""
        await self._send({"protocol": "json", "version": 1})
        answer, *calls = self.received()
        assert answer == {}
        return [_call(each) for each in calls]

    async def invoke(self, target: str, *arguments: Any) -> None:
        """Call a method without waiting for an answer: none is wanted."""
        await self._send({"type": 1, "target": target, "arguments": list(arguments)})

    async def sign_in(self, user_data: dict[str, Any]) -> list[Call]:
        """Sign in; returns what comes."""
        text = json.dumps(user_data)
        auth = f"{KEY}:{sign(SECRET, f'{self.session.socket_id}::user::{text}')}"
        await self.invoke("SignIn", auth, text)
        return self.calls()

    async def leave(self) -> None:
        """Lose the connection."""
        await self.session.closed()

    def calls(self) -> list[Call]:
        """What has come since the last call: each target with its only argument."""
        return [_call(each) for each in self.received()]

    def received(self) -> list[Any]:
        """All messages since the last call, up to the end of this event-loop iteration."""
        self._node.iteration.end()
        *records, rest = b"".join(self._read).split(b"\x1e")
        assert not rest
        self._read.clear()
        return [json.loads(record) for record in records]

    async def _send(self, message: Any) -> None:
        await self.session.receive(Opcode.TEXT, json_record(message))


def _call(message: Any) -> Call:
    (argument,) = message["arguments"]
    return message["target"], argument


def watchlist(name: str, *user_ids: str) -> Call:
    return "WatchlistEvents", {"events": [{"name": name, "userIds": list(user_ids)}]}


@pytest.fixture
async def signalr(node: PusherNode) -> SignalRClient:
    """A SignalR client on which nobody is signed in."""
    client = SignalRClient(node, "8.1", None)
    assert await client.connect() == []
    return client


async def test_a_signalr_client_hears_of_users_who_come_and_go_with_pusher(
    node: PusherNode, signalr: SignalRClient
) -> None:
    bob, carl = node.connect_client(), node.connect_client()
    await bob.sign_in("bob")
    assert await signalr.sign_in(USER_DATA) == [watchlist("online", "bob")]
    await carl.sign_in("carl")
    await bob.leave()
    assert signalr.calls() == [watchlist("online", "carl"), watchlist("offline", "bob")]


async def test_a_pusher_client_hears_of_users_who_come_and_go_with_signalr(
    node: PusherNode, signalr: SignalRClient
) -> None:
    watcher = node.connect_client()
    assert await watcher.sign_in("bob", ["ada"]) == []
    await signalr.sign_in({"id": "ada"})
    await signalr.leave()
    said = [json.loads(each["data"])["events"] for each in watcher.received()]
    assert said == [[{"name": name, "user_ids": ["ada"]}] for name in ("online", "offline")]


async def test_a_user_with_a_connection_of_either_protocol_left_is_still_online(
    node: PusherNode, signalr: SignalRClient
) -> None:
    watcher, tab = node.connect_client(), node.connect_client()
    await watcher.sign_in("bob", ["ada"])
    await tab.sign_in("ada")
    await signalr.sign_in({"id": "ada"})
    assert watcher.events() == ["pusher_internal:watchlist_events"]
    await tab.leave()
    assert watcher.received() == []
    await signalr.leave()
    assert watcher.events() == ["pusher_internal:watchlist_events"]


async def test_whose_token_names_the_user_is_signed_in_from_the_start_and_may_add_a_watchlist(
    node: PusherNode,
) -> None:
    watcher = node.connect_client()
    await watcher.sign_in("bob", ["ada"])
    client = SignalRClient(node, "8.2", "ada")
    assert await client.connect() == []
    assert watcher.events() == ["pusher_internal:watchlist_events"]
    assert await client.sign_in(USER_DATA) == [watchlist("online", "bob")]
    await watcher.leave()
    assert client.calls() == [watchlist("offline", "bob")]


async def test_whose_token_names_nobody_is_not_signed_in_by_what_the_url_says(node: PusherNode) -> None:
    watcher = node.connect_client()
    await watcher.sign_in("bob", ["ada"])
    client = SignalRClient(node, "8.3", None)
    client.session._principal = replace(client.session._principal, user_id="ada")
    await client.connect()
    assert watcher.received() == []
    await node.hub.publish(node.app, ("#server-to-user-ada",), Event("e", b'"d"'))
    assert client.calls() == []


async def test_a_watchlist_that_is_too_long_is_cut(node: PusherNode, signalr: SignalRClient) -> None:
    ((target, error),) = await signalr.sign_in({"id": "ada", "watchlist": list(range(101))})
    assert target == "Error"
    assert error == {"code": "watchlist_too_long", "error": "Only the first 100 users are watched."}


async def test_an_event_to_a_user_and_its_termination_reach_both(node: PusherNode, signalr: SignalRClient) -> None:
    tab = node.connect_client()
    await tab.sign_in("ada")
    await signalr.sign_in({"id": "ada"})
    await node.hub.publish(node.app, ("#server-to-user-ada",), Event("e", b'"d"'))
    assert tab.events() == ["e"]
    assert signalr.calls() == [("Event", {"event": "e", "channel": "#server-to-user-ada", "data": "d"})]
    await node.broker.terminate_user(node.app.id, "ada")
    assert tab.close_code() == 4009
    (close,) = signalr.received()
    assert (close["type"], close.get("allowReconnect", False), signalr.has_ended) == (7, False, True)


async def test_a_cache_channel_is_one_on_both(node: PusherNode, signalr: SignalRClient) -> None:
    await signalr.invoke("Subscribe", "cache-c")
    assert [target for target, _ in signalr.calls()] == ["SubscriptionSucceeded", "CacheMiss"]
    await node.hub.publish(node.app, ("cache-c",), PublishedEvent("e", b'"d"'))
    await signalr.invoke("Unsubscribe", "cache-c")
    signalr.received()
    await signalr.invoke("Subscribe", "cache-c")
    assert signalr.calls() == [
        ("SubscriptionSucceeded", {"channel": "cache-c"}),
        ("Event", {"event": "e", "channel": "cache-c", "data": "d"}),
    ]


class TestTheDeadline:
    """In an app that requires it, a user has to sign in within 30 seconds."""

    @pytest.fixture
    def node(self) -> PusherNode:
        return PusherNode(make_app(requires_sign_in=True))

    @pytest.mark.parametrize("keep_alive", [1, 15, 29, 30, 31, 120])
    async def test_who_does_not_is_closed_for_good(self, node: PusherNode, keep_alive: int) -> None:
        client = SignalRClient(node, "8.1", None, keep_alive=keep_alive)
        await client.connect()
        node.pass_time(29)
        assert not client.has_ended
        node.pass_time(1)
        close = client.received()[-1]
        assert (close["type"], close["error"]) == (7, "A user must sign in within 30 seconds.")
        assert not close.get("allowReconnect", False)
        assert client.has_ended

    async def test_who_does_stays(self, node: PusherNode, signalr: SignalRClient) -> None:
        node.pass_time(29)
        await signalr.sign_in({"id": "ada"})
        node.pass_time(60)
        assert not signalr.has_ended

    async def test_whose_token_names_the_user_does(self, node: PusherNode) -> None:
        client = SignalRClient(node, "8.1", "ada")
        await client.connect()
        node.pass_time(60)
        assert not client.has_ended
