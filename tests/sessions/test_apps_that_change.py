"""Sessions of an app that changes under their feet: new limits and secrets, revoked keys, the end of the app."""

import pytest

from skubber.core.app import ApiKey, App, Scope
from skubber.core.connection import EndReason
from skubber.core.limits import Limits
from support.apps import KEY, SECOND_KEY, SECOND_SECRET, SECRET, make_app
from support.pusher_client import PusherNode, subscription
from support.signalr_client import SignalRNode

ENDS = [
    (EndReason.KEY_REVOKED, 4009, "The API key of this connection was revoked"),
    (EndReason.APP_DISABLED, 4003, "The app was disabled"),
    (EndReason.APP_DELETED, 4001, "The app was deleted"),
]


@pytest.mark.parametrize(("reason", "code", "sentence"), ENDS)
async def test_a_pusher_client_is_told_why_and_does_not_come_back(
    node: PusherNode, reason: EndReason, code: int, sentence: str
) -> None:
    client = node.connect_client()
    node.hub.end_connections(node.app.id, reason)
    error = client.received_one()
    assert error["event"] == "pusher:error"
    assert error["data"] == {"code": code, "message": sentence}
    assert client.closed_with == (code, sentence)
    assert 4000 <= code < 4100  # pusher-js connects again after other codes


@pytest.mark.parametrize(("reason", "code", "sentence"), ENDS)
async def test_a_signalr_client_is_told_why_and_does_not_come_back(reason: EndReason, code: int, sentence: str) -> None:
    node = SignalRNode()
    client = node.connect_client()
    node.hub.end_connections(node.app.id, reason)
    assert client.close_message() == {"type": 7, "error": f"{sentence}."}


async def test_only_the_connections_of_the_keys_in_question_end(node: PusherNode) -> None:
    first, second = node.connect_client(), node.connect_client(SECOND_KEY)
    node.hub.end_connections(node.app.id, EndReason.KEY_REVOKED, {SECOND_KEY})
    assert (first.close_code(), second.close_code()) == (None, 4009)
    node.hub.end_connections("nobody", EndReason.APP_DELETED)
    assert first.close_code() is None


async def test_a_secret_that_is_new_is_good_at_once_and_the_one_before_while_it_lasts(node: PusherNode) -> None:
    client = node.connect_client()
    changed = [ApiKey(KEY, "new", SECRET), ApiKey(SECOND_KEY, SECOND_SECRET)]
    node.app.become(App.with_keys(node.app.id, changed))
    for channel, secret, event in (
        ("private-a", "new", "pusher_internal:subscription_succeeded"),
        ("private-b", SECRET, "pusher_internal:subscription_succeeded"),
        ("private-c", "older", "pusher:subscription_error"),
    ):
        data = subscription(client.socket_id, channel, secret=secret)
        assert (await client.answer({"event": "pusher:subscribe", "data": data}))["event"] == event


async def test_an_access_token_outlives_the_secret_it_was_signed_with_as_long_as_that_is_good() -> None:
    node = SignalRNode()
    token = node.token("ada")
    node.app.become(App.with_keys(node.app.id, [ApiKey(KEY, "new", SECRET), *list(make_app().keys.values())[1:]]))
    node.connect_client(token)
    node.connect_client(node.token("ada"))


async def test_new_limits_hold_for_connections_that_were_there_before(node: PusherNode) -> None:
    client = node.connect_client()
    node.app.become(make_app(node.app.id, Limits(channel_name_length=3)))
    assert (await client.subscribe("abcd"))["event"] == "pusher:subscription_error"
    assert (await client.subscribe("abc"))["event"] == "pusher_internal:subscription_succeeded"


async def test_a_key_without_the_scope_lets_no_client_in() -> None:
    scopes = frozenset(Scope) - {Scope.CONNECT}
    node = PusherNode(App.with_keys("4711", [ApiKey(KEY, SECRET, scopes=scopes)]))
    client = node.open(f"/app/{KEY}")
    assert client.close_code() == 4009


async def test_when_a_key_was_used_is_noted(node: PusherNode) -> None:
    node.clock = 1234.5
    node.connect_client()
    assert node.apps.used_keys == {KEY: 1234.5}


async def test_client_events_count_against_the_plan() -> None:
    node = PusherNode(make_app(limits=Limits(messages_per_second=2)))
    node.clock = 100.0
    client = node.connect_client()
    channel = "private-c"
    await client.answer({"event": "pusher:subscribe", "data": subscription(client.socket_id, channel)})
    message = {"event": "client-e", "channel": channel, "data": "d"}
    for _ in range(2):
        await client.send(message)
    assert client.received() == []
    error = await client.answer(message)
    assert error["data"]["code"] == 4301
    node.clock += 1
    await client.send(message)
    assert client.received() == []
    assert node.app.meter.published == 3
