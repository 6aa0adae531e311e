"""Servers that are killed, or stand still for so long that the others take them for lost."""

import signal
from collections.abc import Callable
from pathlib import Path

from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.raw_client import RawClient
from e2e.support.signalr import SignalR
from e2e.support.webhook_config import webhook_config
from faults.cluster import (
    count_on,
    join,
    join_with_signalr,
    news_of,
    publish,
    signalr_news_of,
    until_count_is,
    until_ready_answers,
    until_users_are,
)
from faults.conftest import NewNode
from faults.proxy import Proxy
from support.webhook_receiver import Receiver

ROOM, ONLY_THERE = "presence-room", "only-there"


async def test_what_a_killed_node_had_is_gone_and_its_clients_move_to_another(
    new_node: NewNode,
    new_proxy: Callable[..., Proxy],
    receiver: Receiver,
    tmp_path: Path,
    auth_endpoint: AuthEndpoint,
    javascript: JavaScript,
    signalr: SignalR,
) -> None:
    config = webhook_config(tmp_path, {"url": receiver.url(), "events": ["member_removed", "channel_vacated"]})
    staying, other, dying = (new_node("--config", config, is_demo=True) for _ in range(3))
    balancer = new_proxy(dying.port, other.port)
    await join(javascript, auth_endpoint, "ada", staying, ROOM)
    await join(javascript, auth_endpoint, "bob", balancer, ROOM)
    await join_with_signalr(signalr, "eve", staying, balancer, ROOM)
    async with RawClient.connected(dying) as dan:
        await dan.subscribe_presence(ROOM, "dan")
        await dan.subscribe(ONLY_THERE)
        assert await count_on(staying, ROOM) == 4
        dying.signal(signal.SIGKILL)
        await until_users_are(["ada", "bob", "eve"], ROOM, staying, other)
        await signalr.told("eve", "reconnected", 30)
        await javascript.state("bob", "connected")
        await until_count_is(3, ROOM, staying, other)
        await until_count_is(0, ONLY_THERE, staying, other)
        # What comes on one channel comes in order: after the event nothing more of before can come.
        assert (await publish(other, ROOM)).status_code == 200
        for client in ("ada", "bob"):
            await javascript.event(client, ROOM, "e")
        await signalr.called("eve", "Event")
    news = news_of(javascript, "ada", ROOM)
    assert [what for what, who in news if who == "dan"] == ["added", "removed"]
    for moved in ("bob", "eve"):
        # Who is back before the lease is over has not been away.
        assert [what for what, who in news if who == moved] in (["added"], ["added", "removed", "added"])
    await receiver.wait_for_events(2)
    for server in (staying, other):
        server.stop()
    webhooks = [(event["name"], event["channel"], event.get("user_id")) for event in receiver.events()]
    assert webhooks.count(("member_removed", ROOM, "dan")) == 1
    assert webhooks.count(("channel_vacated", ONLY_THERE, None)) == 1


async def test_a_node_that_stood_still_for_longer_than_its_lease_finds_its_way_back(
    new_node: NewNode, auth_endpoint: AuthEndpoint, javascript: JavaScript, signalr: SignalR
) -> None:
    staying, sleeping = new_node(), new_node()
    await join(javascript, auth_endpoint, "ada", staying, ROOM)
    await join(javascript, auth_endpoint, "bob", sleeping, ROOM)
    await join_with_signalr(signalr, "eve", sleeping, sleeping, ROOM)
    sleeping.signal(signal.SIGSTOP)
    try:
        await until_users_are(["ada"], ROOM, staying)
    finally:
        sleeping.signal(signal.SIGCONT)
    await until_users_are(["ada", "bob", "eve"], ROOM, staying)
    await until_ready_answers(200, sleeping)
    await until_count_is(3, ROOM, staying, sleeping)
    assert (await publish(staying, ROOM)).status_code == 200
    for client in ("ada", "bob"):
        await javascript.event(client, ROOM, "e")
    await signalr.called("eve", "Event")
    for who in ("bob", "eve"):
        told = [what for what, whom in news_of(javascript, "ada", ROOM) if whom == who]
        assert told == ["added", "removed", "added"]
    # The connections never broke, and to each client the other one was there all the time or came back.
    assert ("removed", "ada") not in news_of(javascript, "bob", ROOM) + signalr_news_of(signalr, "eve")
