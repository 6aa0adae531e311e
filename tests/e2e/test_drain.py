"""A server that is stopped while another one goes on: its clients move there by themselves."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.failover import Failover
from e2e.support.javascript import JavaScript
from e2e.support.pusher_js import client_options, publish
from e2e.support.raw_client import RawClient
from e2e.support.server import KEY, NewServer, Server
from e2e.support.signalr import LONG_POLLING, TRANSPORTS, SignalR, access_token, hub_url
from e2e.support.signalr import publish as publish_to_signalr
from support.redis import RedisServer

ROOM = "presence-room"

AT_ONCE = [0, *([100] * 100)]
"""Delays between attempts to reconnect, milliseconds."""

Pair = tuple[Server, Server]


@pytest.fixture
def pair(redis_server: RedisServer, new_server: Callable[..., Server]) -> Pair:
    """Two servers; the clients of one move to the other within a second."""
    flags = ("--set", f"broker={redis_server.url}", "--set", "drain_seconds=1", "--set", "database=")
    return new_server(*flags), new_server(*flags)


async def changes_until_the_end(observer: RawClient) -> list[tuple[str, str]]:
    """The members who come and go until an event called ``end``, as the observer is told of them."""
    changes = []
    while (message := await observer.receive())["event"] != "end":
        if message["event"] != "greeting":
            user_id = json.loads(message["data"])["user_id"]
            changes.append((message["event"].removeprefix("pusher_internal:member_"), user_id))
    return changes


def check_each_moved_once(changes: list[tuple[str, str]], users: list[str]) -> None:
    for user in users:
        assert [change for change, user_id in changes if user_id == user] == ["removed", "added"]
    assert len(changes) == 2 * len(users)


async def test_pusher_clients_move_and_miss_nothing_from_then_on(
    javascript: JavaScript, pair: Pair, auth_endpoint: AuthEndpoint
) -> None:
    one, two = pair
    users = [f"u{number}" for number in range(6)]
    async with Failover.before(one, two) as balancer, RawClient.connected(two) as observer:
        for user in users:
            options = {**client_options(one, f"{auth_endpoint.url}?user={user}"), "wsPort": balancer.port}
            await javascript.call("connect", client=user, key=KEY, options=options)
            await javascript.state(user, "connected")
            await javascript.call("subscribe", client=user, channel=ROOM)
            await javascript.event(user, ROOM, "pusher:subscription_succeeded")
        await observer.subscribe_presence(ROOM, "observer")

        one.signal(signal.SIGTERM)
        for user in users:
            await javascript.event(user, ROOM, "pusher:subscription_succeeded")
            publish(two, ROOM, data=json.dumps({"after": user}))
            # All who are there by now get it, and this one is.
            while (await javascript.event(user, ROOM, "greeting"))["data"] != {"after": user}:
                pass
        one.wait()
        publish(two, ROOM, "end")
        for user in users:
            await javascript.event(user, ROOM, "end")
        check_each_moved_once(await changes_until_the_end(observer), users)
        # A failure would say so: what pusher-js has to say of 4200 is no more than that it connects again.
        states = javascript.seen(lambda message: message["kind"] == "state")
        assert {message["state"] for message in states} <= {"connecting", "connected"}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_signalr_clients_move_and_miss_nothing_from_then_on(signalr: SignalR, pair: Pair, transport: str) -> None:
    one, two = pair
    users = [f"u{number}" for number in range(6)]
    async with Failover.before(one, two) as balancer, RawClient.connected(two) as observer:
        for user in users:
            token = access_token(one, userId=user, channels=["*"], userInfo={"name": user})
            url = balancer.instead_of(one, hub_url(one, token))
            await signalr.connect(one, user, (transport, "json"), url, reconnect=AT_ONCE, resubscribe=[ROOM])
            await signalr.subscribe(user, ROOM)
        await observer.subscribe_presence(ROOM, "observer")

        one.signal(signal.SIGTERM)
        for user in users:
            error = (await signalr.told(user, "reconnecting"))["error"]
            # A client between two polls may find out from the other server that its connection is not there.
            assert transport == LONG_POLLING or error.endswith("please reconnect.")
            await signalr.told(user, "reconnected")
            publish_to_signalr(two, ROOM, data=user)
            while (await signalr.called(user, "Event"))[0]["data"] != user:
                pass
        one.wait()
        publish_to_signalr(two, ROOM, "end")
        for user in users:
            while (await signalr.called(user, "Event"))[0]["event"] != "end":
                pass
        changes = await changes_until_the_end(observer)
        if transport == LONG_POLLING:  # such a one comes back before it has gone: there is nothing to be told of it
            users = [user for user in users if any(user_id == user for _, user_id in changes)]
        check_each_moved_once(changes, users)


async def test_who_is_not_told_yet_is_served_and_who_goes_by_itself_is_not_waited_for(
    pair: Pair, redis_server: RedisServer, new_server: NewServer
) -> None:
    _, other = pair
    server = new_server("--set", f"broker={redis_server.url}", "--set", "drain_seconds=3600", "--set", "database=")
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(RawClient.connected(server)) for _ in range(3)]
        for client in clients:
            await client.subscribe("c")
        server.signal(signal.SIGTERM)
        assert await clients[0].close_code() == 4200
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port))
        publish(other, "c")
        for client in clients[1:]:
            assert (await client.receive())["event"] == "greeting"
            await client.connection.close()
        assert await asyncio.to_thread(server.exit_status) == -signal.SIGTERM


async def test_clients_are_told_one_after_another(new_server: NewServer) -> None:
    server = new_server("--set", "drain_seconds=2", "--set", "database=")
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(RawClient.connected(server)) for _ in range(4)]
        stopped = time.monotonic()
        server.signal(signal.SIGTERM)
        for number, client in enumerate(clients):
            assert await client.close_code() == 4200
            assert time.monotonic() - stopped >= number * 2 / 4


async def test_a_second_signal_ends_it_at_once(new_server: NewServer) -> None:
    server = new_server("--set", "drain_seconds=3600", "--set", "database=")
    async with RawClient.connected(server), RawClient.connected(server):
        async with asyncio.timeout(20):
            while server.is_running:
                os.kill(server.pid, signal.SIGTERM)
                await asyncio.sleep(0.02)
        assert server.exit_status() == -signal.SIGTERM
