"""Users, as pusher-js and the pusher SDK know them, against the running server."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from e2e.support.api import with_headers
from e2e.support.auth_endpoint import AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.pusher_js import connect, node_sdk, publish, subscribe
from e2e.support.server import APP_ID, KEY, SECRET, NewServer, Server


async def sign_in(
    javascript: JavaScript, server: Server, auth: AuthEndpoint, client: str, user: str, *watchlist: str
) -> None:
    """Connect a pusher-js client and sign a user in on it."""
    query = urlencode([("user", user), *(("watch", each) for each in watchlist)])
    await connect(javascript, server, client, f"{auth.url}?{query}")
    assert (await javascript.call("signin", client=client))["id"] == user


async def user_event(javascript: JavaScript, client: str) -> tuple[str, object]:
    """The next event to a client's user."""
    message = await javascript.message(lambda m: m["kind"] == "user" and m["client"] == client)
    return message["event"], message["data"]


async def watchlist_event(javascript: JavaScript, client: str) -> tuple[str, list[str]]:
    """The next change that a client hears of."""
    message = await javascript.message(lambda m: m["kind"] == "watchlist" and m["client"] == client)
    return message["event"], message["users"]


async def test_events_to_a_user_reach_all_of_its_clients_and_no_others(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    for client, user in (("tab", "u-ann"), ("phone", "u-ann"), ("other", "u-bob")):
        await sign_in(javascript, server, auth_endpoint, client, user)
    assert await node_sdk(javascript, server, "sendToUser", "u-ann", "note", {"n": 1}) == {}
    publish(server, "#server-to-user-u-ann", "note", '{"n":2}')
    publish(server, "#server-to-user-u-bob", "note", '{"n":3}')
    for client in ("tab", "phone"):
        assert [await user_event(javascript, client) for _ in range(2)] == [("note", {"n": 1}), ("note", {"n": 2})]
    assert await user_event(javascript, "other") == ("note", {"n": 3})
    # pusher-js asks for a subscription of the user's channel: that is no error.
    assert not javascript.seen(lambda m: m["kind"] == "error")


async def test_those_who_watch_hear_who_comes_and_goes(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    await sign_in(javascript, server, auth_endpoint, "carl", "w-carl")
    await sign_in(javascript, server, auth_endpoint, "ann", "w-ann", "w-bob", "w-carl")
    assert await watchlist_event(javascript, "ann") == ("online", ["w-carl"])
    await sign_in(javascript, server, auth_endpoint, "bob", "w-bob")
    assert await watchlist_event(javascript, "ann") == ("online", ["w-bob"])
    await javascript.call("disconnect", client="bob")
    assert await watchlist_event(javascript, "ann") == ("offline", ["w-bob"])
    assert not javascript.seen(lambda m: m["kind"] == "watchlist")


@pytest.mark.parametrize("user", ["t-ann", "auth0|1", "user 1", "äda", "{x}", "a+b@c.d"])
async def test_the_sdk_terminates_a_users_connections_whatever_its_id(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint, user: str
) -> None:
    await sign_in(javascript, server, auth_endpoint, "a", user)
    await sign_in(javascript, server, auth_endpoint, "other", f"not {user}")
    assert await node_sdk(javascript, server, "terminateUserConnections", user) == {}
    error = await javascript.message(lambda m: m["kind"] == "error" and m["client"] == "a")
    assert error["error"]["data"]["code"] == 4009
    await javascript.state("a", "disconnected")
    assert await javascript.call("state", client="other") == "connected"


async def test_a_sign_in_that_is_signed_wrongly_ends_the_connection(
    javascript: JavaScript, server: Server, auth_endpoint: AuthEndpoint
) -> None:
    await connect(javascript, server, "a", f"{auth_endpoint.url}?wrong=1")
    await javascript.call("signin", client="a")
    error = await javascript.message(lambda m: m["kind"] == "error")
    assert error["error"]["data"]["code"] == 4009
    await javascript.state("a", "disconnected")


async def test_subscribers_are_told_how_many_they_are_where_the_app_wants_it(
    javascript: JavaScript, new_server: NewServer, tmp_path: Path
) -> None:
    server = new_server("--config", str(configuration(tmp_path, "subscription_counts = true")), is_demo=True)
    for client in ("a", "b"):
        await connect(javascript, server, client)
        await subscribe(javascript, client, "counted")
    counts = [(await javascript.event("a", "counted", "pusher:subscription_count"))["data"] for _ in range(2)]
    assert counts == [{"subscription_count": 1}, {"subscription_count": 2}]
    assert await javascript.call("count", client="a", channel="counted") == 2
    await javascript.call("disconnect", client="b")
    last = await javascript.event("a", "counted", "pusher:subscription_count")
    assert last["data"] == {"subscription_count": 1}
    assert with_headers(server, "GET", "/channels/counted", query={"info": "subscription_count"}).json() == {
        "occupied": True,
        "subscription_count": 1,
    }


def configuration(directory: Path, setting: str) -> Path:
    """A configuration file with the test app and one more setting of it."""
    file = directory / "test.toml"
    file.write_text(f'[[apps]]\nid = "{APP_ID}"\nkeys = [{{ key = "{KEY}", secret = "{SECRET}" }}]\n{setting}\n')
    return file
