"""pusher-js, as browsers run it, against the running server."""

import json
import signal
from functools import partial

import httpx
import pytest
import requests
from pusher import Pusher

from e2e.support.api import HEADERS, with_headers
from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.pusher_js import connect, node_sdk, publish, subscribe
from e2e.support.server import APP_ID, KEY, OTHER_KEY, SECRET, NewServer, Server


async def test_every_way_of_publishing_reaches_a_subscriber(javascript: JavaScript, server: Server) -> None:
    await connect(javascript, server, "a")
    await subscribe(javascript, "a", "ways")
    url = f"{server.url}/apps/{APP_ID}/events"

    def body(way: str) -> dict[str, str]:
        return {"name": "greeting", "channel": "ways", "data": json.dumps({"way": way})}

    assert requests.post(url, headers=HEADERS, json=body("requests"), timeout=5).text == "{}"
    assert requests.post(f"{url}?apiKey={KEY}&apiSecret={SECRET}", json=body("query"), timeout=5).text == "{}"
    sdk = Pusher(app_id=APP_ID, key=KEY, secret=SECRET, host="127.0.0.1", port=server.port, ssl=False)
    assert sdk.trigger("ways", "greeting", {"way": "python sdk"}) == {}
    assert await node_sdk(javascript, server, "trigger", "ways", "greeting", {"way": "node sdk"}) == {}

    received = [(await javascript.event("a", "ways", "greeting"))["data"] for _ in range(4)]
    assert received == [{"way": "requests"}, {"way": "query"}, {"way": "python sdk"}, {"way": "node sdk"}]


async def test_the_node_sdk_speaks_every_endpoint(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    await connect(javascript, server, "a", f"{auth_endpoint.url}?user=u-sdk")
    await subscribe(javascript, "a", "presence-sdk")
    sdk = partial(node_sdk, javascript, server)

    batch = [{"channel": "presence-sdk", "name": "one", "data": {"n": 1}}, {"channel": "x", "name": "two", "data": "2"}]
    assert await sdk("triggerBatch", batch) == {"batch": [{}, {}]}
    assert (await javascript.event("a", "presence-sdk", "one"))["data"] == {"n": 1}
    listed = await sdk(
        "get", {"path": "/channels", "params": {"filter_by_prefix": "presence-sdk", "info": "user_count"}}
    )
    assert listed == {"channels": {"presence-sdk": {"user_count": 1}}}
    assert (await sdk("get", {"path": "/channels/presence-sdk", "params": {"info": "subscription_count"}})) == {
        "occupied": True,
        "subscription_count": 1,
    }
    assert await sdk("get", {"path": "/channels/presence-sdk/users"}) == {"users": [{"id": "u-sdk"}]}
    assert await sdk("terminateUserConnections", "u-sdk") == {}
    await javascript.state("a", "disconnected")


async def test_a_publisher_can_exclude_its_own_connection(javascript: JavaScript, server: Server) -> None:
    socket_id = await connect(javascript, server, "a")
    await connect(javascript, server, "b")
    for client in "ab":
        await subscribe(javascript, client, "exclusion")
    publish(server, "exclusion", data="1", socket_id=socket_id)
    publish(server, "exclusion", data="2")
    assert [(await javascript.event("b", "exclusion", "greeting"))["data"] for _ in "12"] == [1, 2]
    assert (await javascript.event("a", "exclusion", "greeting"))["data"] == 2


async def test_an_unsubscribed_channel_is_silent_while_others_go_on(javascript: JavaScript, server: Server) -> None:
    await connect(javascript, server, "a")
    await subscribe(javascript, "a", "left")
    await subscribe(javascript, "a", "kept")
    await javascript.call("unsubscribe", client="a", channel="left")
    # The unsubscription has been handled once a later message of the same client has been answered.
    await subscribe(javascript, "a", "after")
    publish(server, "left")
    publish(server, "kept")
    await javascript.event("a", "kept", "greeting")
    assert not javascript.seen(lambda m: m.get("channel") == "left")


async def test_a_private_channel_needs_a_right_signature(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    await connect(javascript, server, "good", auth_endpoint.url)
    await subscribe(javascript, "good", "private-signed")
    publish(server, "private-signed")
    assert (await javascript.event("good", "private-signed", "greeting"))["data"] == {"n": 1}

    await connect(javascript, server, "wrong", f"{auth_endpoint.url}?wrong=1")
    await javascript.call("subscribe", client="wrong", channel="private-signed")
    error = await javascript.event("wrong", "private-signed", "pusher:subscription_error")
    assert (error["data"]["type"], error["data"]["status"]) == ("AuthError", 401)

    await connect(javascript, server, "foreign", auth_endpoint.url, key=OTHER_KEY)
    await javascript.call("subscribe", client="foreign", channel="private-signed")
    error = await javascript.event("foreign", "private-signed", "pusher:subscription_error")
    assert error["data"]["status"] == 401


async def test_members_see_each_other_come_and_go_once_a_user(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    await connect(javascript, server, "ann", f"{auth_endpoint.url}?user=ann")
    members = await subscribe(javascript, "ann", "presence-room")
    assert (members["count"], members["me"]["id"]) == (1, "ann")

    await connect(javascript, server, "bob", f"{auth_endpoint.url}?user=bob")
    members = await subscribe(javascript, "bob", "presence-room")
    assert (members["count"], sorted(members["members"])) == (2, ["ann", "bob"])
    assert members["members"]["ann"] == {"name": "User ann"}
    added = await javascript.event("ann", "presence-room", "pusher:member_added")
    assert added["data"] == {"id": "bob", "info": {"name": "User bob"}}

    await connect(javascript, server, "bob2", f"{auth_endpoint.url}?user=bob")
    assert (await subscribe(javascript, "bob2", "presence-room"))["count"] == 2
    info = with_headers(server, "GET", "/channels/presence-room", query={"info": "user_count,subscription_count"})
    assert info.json() == {"occupied": True, "user_count": 2, "subscription_count": 3}

    await javascript.call("disconnect", client="bob2")
    await javascript.call("unsubscribe", client="bob", channel="presence-room")
    removed = await javascript.event("ann", "presence-room", "pusher:member_removed")
    assert removed["data"]["id"] == "bob"
    assert (await javascript.call("members", client="ann", channel="presence-room"))["count"] == 1
    assert not javascript.seen(lambda m: m.get("event") in {"pusher:member_added", "pusher:member_removed"})
    users = with_headers(server, "GET", "/channels/presence-room/users")
    assert users.json() == {"users": [{"id": "ann"}]}


async def test_client_events_reach_the_others_with_the_senders_name(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    for user in ("ann", "bob"):
        await connect(javascript, server, user, f"{auth_endpoint.url}?user={user}")
        await subscribe(javascript, user, "presence-chat")
        await subscribe(javascript, user, "private-chat")
    await javascript.call("trigger", client="ann", channel="presence-chat", event="client-signed", data={"on": True})
    assert (await javascript.event("bob", "presence-chat", "client-signed"))["data"] == {"on": True}
    assert (await javascript.message(lambda m: m["kind"] == "metadata"))["metadata"] == {"user_id": "ann"}
    await javascript.call("trigger", client="bob", channel="private-chat", event="client-typing", data="text")
    assert (await javascript.event("ann", "private-chat", "client-typing"))["data"] == "text"
    assert not javascript.seen(lambda m: m.get("event") in {"client-typing", "client-signed"})


async def test_client_events_are_refused_on_public_channels(javascript: JavaScript, server: Server) -> None:
    await connect(javascript, server, "a")
    await subscribe(javascript, "a", "public-chat")
    await javascript.call("trigger", client="a", channel="public-chat", event="client-typing", data={})
    error = await javascript.message(lambda m: m["kind"] == "error")
    assert "private and presence" in error["error"]["data"]["message"]


async def test_client_events_over_the_rate_are_dropped_with_4301(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    for client in "ab":
        await connect(javascript, server, client, auth_endpoint.url)
        await subscribe(javascript, client, "private-rate")
    for number in range(30):
        await javascript.call("trigger", client="a", channel="private-rate", event="client-n", data=number)
    error = await javascript.message(lambda m: m["kind"] == "error")
    assert error["error"]["data"]["code"] == 4301
    assert [(await javascript.event("b", "private-rate", "client-n"))["data"] for _ in range(10)] == list(range(10))


async def test_a_terminated_user_stays_out_and_others_stay_in(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    for user in ("eve", "eve2", "ann"):
        await connect(javascript, server, user, f"{auth_endpoint.url}?user={user.rstrip('2')}")
        await subscribe(javascript, user, "presence-door")
    assert with_headers(server, "POST", "/users/eve/terminate_connections").json() == {}
    for client in ("eve", "eve2"):
        error = await javascript.message(lambda m, c=client: m["kind"] == "error" and m["client"] == c)  # type: ignore[misc]
        assert error["error"]["data"]["code"] == 4009
        await javascript.state(client, "disconnected")
    await javascript.event("ann", "presence-door", "pusher:member_removed")
    publish(server, "presence-door")
    await javascript.event("ann", "presence-door", "greeting")
    assert await javascript.call("state", client="eve") == "disconnected"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
async def test_clients_come_back_by_themselves_after_a_restart(
    javascript: JavaScript, new_server: NewServer, ending: signal.Signals
) -> None:
    server = new_server()
    await connect(javascript, server, "a")
    await subscribe(javascript, "a", "restart")
    server.signal(ending)
    server.wait()
    await javascript.state("a", "connecting")
    server.start()
    await javascript.event("a", "restart", "pusher:subscription_succeeded")
    publish(server, "restart")
    await javascript.event("a", "restart", "greeting")


async def test_events_of_one_publisher_arrive_in_order_and_once(javascript: JavaScript, server: Server) -> None:
    await connect(javascript, server, "a")
    await subscribe(javascript, "a", "order")
    async with httpx.AsyncClient(headers=HEADERS) as client:
        for start in range(0, 200, 10):
            batch = [{"name": "n", "channel": "order", "data": str(start + i)} for i in range(10)]
            await client.post(f"{server.url}/apps/{APP_ID}/batch_events", json={"batch": batch})
    assert [(await javascript.event("a", "order", "n"))["data"] for _ in range(200)] == list(range(200))
