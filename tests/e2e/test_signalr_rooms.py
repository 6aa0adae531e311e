"""Rooms with members of both protocols: pusher-js and Microsoft's client on one channel."""

from typing import Any

import pytest

from e2e.support.api import with_headers
from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.server import KEY, Server
from e2e.support.signalr import WAYS, SignalR, Way, access_token, hub_url, publish, signature


async def join_with_pusher(pusher: JavaScript, server: Server, client: str, channel: str, auth: str) -> Any:
    """Connect a pusher-js client, subscribe it, and return who is there."""
    options: dict[str, Any] = {
        "wsHost": "127.0.0.1",
        "wsPort": server.port,
        "forceTLS": False,
        "enabledTransports": ["ws"],
        "cluster": "",
        "channelAuthorization": {"endpoint": auth, "transport": "ajax"},
    }
    await pusher.call("connect", client=client, key=KEY, options=options)
    await pusher.state(client, "connected")
    await pusher.call("subscribe", client=client, channel=channel)
    return (await pusher.event(client, channel, "pusher:subscription_succeeded"))["data"]


@pytest.mark.parametrize("way", [WAYS[0], WAYS[2], WAYS[4]], ids=" ".join)
async def test_a_room_has_one_roster_for_both_protocols(
    javascript: JavaScript, signalr: SignalR, server: Server, auth_endpoint: AuthEndpoint, way: Way
) -> None:
    channel = f"presence-mixed-{'-'.join(way)}"
    ann, bob = ({"userId": user, "userInfo": {"name": f"User {user}"}} for user in ("ann", "bob"))
    await join_with_pusher(javascript, server, "ann", channel, f"{auth_endpoint.url}?user=ann")

    await signalr.connect(server, "bob", way, _url(server, "bob"))
    assert await signalr.subscribe("bob", channel) == {"channel": channel, "members": [ann, bob], "me": bob}
    added = (await javascript.event("ann", channel, "pusher:member_added"))["data"]
    assert added == {"id": "bob", "info": {"name": "User bob"}}

    roster = await join_with_pusher(javascript, server, "cat", channel, f"{auth_endpoint.url}?user=cat")
    assert (roster["count"], sorted(roster["members"])) == (3, ["ann", "bob", "cat"])
    cat = {"channel": channel, "userId": "cat", "userInfo": {"name": "User cat"}}
    assert await signalr.called("bob", "MemberAdded") == [cat]
    await javascript.event("ann", channel, "pusher:member_added")

    # Each of the two users once more, over the other protocol: nobody new, and nobody gone when it ends.
    await signalr.connect(server, "ann", way, _url(server, "ann"))
    assert len((await signalr.subscribe("ann", channel))["members"]) == 3
    await join_with_pusher(javascript, server, "bob", channel, f"{auth_endpoint.url}?user=bob")
    state = with_headers(server, "GET", f"/channels/{channel}", query={"info": "user_count,subscription_count"})
    assert state.json() == {"occupied": True, "user_count": 3, "subscription_count": 5}
    users = with_headers(server, "GET", f"/channels/{channel}/users").json()["users"]
    assert sorted(user["id"] for user in users) == ["ann", "bob", "cat"]
    await signalr.call("stop", client="ann")
    await javascript.call("disconnect", client="bob")
    publish(server, channel)
    assert (await javascript.event("ann", channel, "greeting"))["data"] == "hello"
    assert (await signalr.called("bob", "Event"))[0]["data"] == "hello"
    assert not [m for m in signalr.unexpected("bob") if m["kind"] == "call"]
    assert not javascript.seen(lambda m: m.get("event") in {"pusher:member_added", "pusher:member_removed"})

    await javascript.call("disconnect", client="cat")
    assert await signalr.called("bob", "MemberRemoved") == [{"channel": channel, "userId": "cat"}]
    assert (await javascript.event("ann", channel, "pusher:member_removed"))["data"]["id"] == "cat"
    await signalr.call("stop", client="bob")
    assert (await javascript.event("ann", channel, "pusher:member_removed"))["data"]["id"] == "bob"


async def test_client_events_keep_their_data_on_the_way_to_the_other_protocol(
    javascript: JavaScript, signalr: SignalR, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    channel = "presence-talk"
    await join_with_pusher(javascript, server, "ann", channel, f"{auth_endpoint.url}?user=ann")
    await signalr.connect(server, "json", url=_url(server, "bob"))
    await signalr.connect(server, "packed", ("WebSockets", "messagepack"), _url(server, "bob"))
    for client in ("json", "packed"):
        await signalr.subscribe(client, channel)

    for data in ("text", {"nested": [1, 2.5, None, "é"]}, 7, None, False):
        await javascript.call("trigger", client="ann", channel=channel, event="client-from-pusher", data=data)
        for client in ("json", "packed"):
            said = {"event": "client-from-pusher", "channel": channel, "data": data, "userId": "ann"}
            assert await signalr.called(client, "Event") == [said]

        await signalr.invoke("packed", "Trigger", channel, "client-signed", data)
        assert (await javascript.event("ann", channel, "client-signed"))["data"] == data
        assert (await javascript.message(lambda m: m["kind"] == "metadata"))["metadata"] == {"user_id": "bob"}
        assert (await signalr.called("json", "Event"))[0]["data"] == data
    assert not signalr.unexpected("packed")


async def test_one_event_reaches_both_protocols_and_a_publisher_can_exclude_either(
    javascript: JavaScript, signalr: SignalR, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    await join_with_pusher(javascript, server, "a", "both", auth_endpoint.url)
    socket_id = await javascript.call("socket_id", client="a")
    connection_id = await signalr.connect(server, "b")
    await signalr.subscribe("b", "both")
    publish(server, "both", data="1")
    publish(server, "both", data="2", socket_id=connection_id)
    publish(server, "both", data="3", socket_id=socket_id)
    publish(server, "both", data="4")
    assert [(await javascript.event("a", "both", "greeting"))["data"] for _ in "124"] == [1, 2, 4]
    assert [(await signalr.called("b", "Event"))[0]["data"] for _ in "134"] == ["1", "3", "4"]


async def test_terminating_a_user_ends_its_connections_of_both_protocols(
    javascript: JavaScript, signalr: SignalR, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    channel = "presence-door-of-both"
    await join_with_pusher(javascript, server, "eve", channel, f"{auth_endpoint.url}?user=eve")
    await join_with_pusher(javascript, server, "ann", channel, f"{auth_endpoint.url}?user=ann")
    await signalr.connect(server, "issued", url=_url(server, "eve"), reconnect=[0, 0])
    # Neither the token nor the URL names the user: only the back end's signature on the channel does.
    connection_id = await signalr.connect(server, "member", url=hub_url(server, access_token(server)), reconnect=[0, 0])
    await signalr.subscribe("member", channel, *signature(connection_id, channel, {"user_id": "eve"}))
    await signalr.connect(server, "bob", url=_url(server, "bob"))
    await signalr.subscribe("bob", channel)

    assert with_headers(server, "POST", "/users/eve/terminate_connections").json() == {}
    await javascript.state("eve", "disconnected")
    for client in ("issued", "member"):
        assert "terminated by the application" in (await signalr.told(client, "closed"))["error"]
        assert await signalr.call("state", client=client) == "Disconnected"
        assert not signalr.seen(lambda m, c=client: m.get("client") == c and m["kind"] == "reconnecting")  # type: ignore[misc]
    assert await signalr.called("bob", "MemberRemoved") == [{"channel": channel, "userId": "eve"}]
    assert (await javascript.event("ann", channel, "pusher:member_removed"))["data"]["id"] == "eve"


def _url(server: Server, user: str) -> str:
    """The hub's URL for a user, described as the authorization endpoint describes it."""
    return hub_url(server, access_token(server, userId=user, channels=["*"], userInfo={"name": f"User {user}"}))
