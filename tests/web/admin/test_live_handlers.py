"""Looking into an app over the admin API, and what an operator may do there."""

from typing import Any
from urllib.parse import quote

import pytest

from skubber.codecs import signing
from skubber.codecs.channel_auth import SignedInUser
from skubber.core.connection import EndReason
from skubber.core.event import PublishedEvent
from skubber.insight.insight import ADDRESS
from support.insight import Client
from web.admin.conftest import AdminSite
from web.admin.test_routes import error

APP = "/apps/live"


def connect(admin: AdminSite, socket_id: str) -> Client:
    """A client of the app."""
    return Client(admin.node, admin.live, socket_id)


async def enter(client: Client, channel: str, channel_data: str) -> None:
    """Subscribe a client to a presence channel, as its back end signs it."""
    key = client.key
    signature = signing.sign(key.secret, f"{client.socket_id}:{channel}:{channel_data}".encode())
    await client.subscribe(channel, f"{key.key}:{signature}", channel_data)


async def get(admin: AdminSite, path: str, **query: Any) -> dict[str, Any]:
    answer = await admin.reader.get(APP + path, params=query)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def pages(admin: AdminSite, path: str, **query: Any) -> list[dict[str, Any]]:
    """All pages, of two entries each."""
    page = await get(admin, path, limit=2, **query)
    found = [page]
    while page["next"] is not None:
        page = await get(admin, path, limit=2, after=page["next"], **query)
        found.append(page)
    return found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/channels"),
        ("GET", "/channels/c"),
        ("GET", "/connections"),
        ("GET", "/connections/1.1"),
        ("DELETE", "/connections/1.1"),
        ("GET", "/users"),
        ("POST", "/users/ada/terminate"),
    ],
)
async def test_an_app_that_nobody_knows_is_said_so(admin: AdminSite, method: str, path: str) -> None:
    assert error(await admin.owner.request(method, "/apps/nobody" + path)) == (404, "no_such_app")


async def test_publishing_in_an_app_that_nobody_knows_is_refused(admin: AdminSite) -> None:
    answer = await admin.owner.post("/apps/nobody/events", json={"channels": ["c"], "name": "e", "data": "d"})
    assert error(answer) == (404, "no_such_app")


async def test_channels_are_paged_by_name_and_those_of_users_left_out(admin: AdminSite) -> None:
    client = connect(admin, "1.1")
    await client.sign_in_as(SignedInUser("ada", ("bob",)))
    for name in ("d", "b", "a", "e", "c"):
        await client.subscribe(name, None, None)
    found = await pages(admin, "/channels")
    names = [[channel["name"] for channel in page["channels"]] for page in found]
    assert names == [["a", "b"], ["c", "d"], ["e"]]
    assert [page["total"] for page in found] == [5, 5, 5]
    assert found[0]["channels"][0] == {"name": "a", "kind": "public", "subscriptionCount": 1, "userCount": None}
    assert [channel["name"] for channel in (await get(admin, "/channels", prefix="e"))["channels"]] == ["e"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("c", "public"),
        ("private-c", "private"),
        ("presence-c", "presence"),
        ("private-encrypted-c", "private-encrypted"),
        ("cache-c", "cache"),
        ("private-cache-c", "private-cache"),
        ("presence-cache-c", "presence-cache"),
        ("private-encrypted-cache-c", "private-encrypted-cache"),
    ],
)
async def test_a_channels_name_tells_its_kind(admin: AdminSite, name: str, kind: str) -> None:
    channel = await get(admin, f"/channels/{name}")
    assert (channel["name"], channel["kind"], channel["subscriptionCount"]) == (name, kind, 0)
    assert (channel["members"], channel["keptEvent"]) == ([], None)
    assert channel["userCount"] == (0 if kind.startswith("presence") else None)


async def test_a_channel_that_there_can_be_none_of_is_refused(admin: AdminSite) -> None:
    assert error(await admin.reader.get(f"{APP}/channels/a b")) == (400, "invalid_channel_name")


async def test_members_are_shown_once_each_with_what_is_said_of_them(admin: AdminSite) -> None:
    await enter(connect(admin, "1.1"), "presence-c", '{"user_id":"bob"}')
    await enter(connect(admin, "1.2"), "presence-c", '{"user_id":"ada","user_info":{"name":"Ada"}}')
    await enter(connect(admin, "1.3"), "presence-c", '{"user_id":"ada","user_info":{"name":"Ada"}}')
    channel = await get(admin, "/channels/presence-c")
    assert (channel["subscriptionCount"], channel["userCount"]) == (3, 2)
    assert channel["members"] == [{"userId": "ada", "userInfo": {"name": "Ada"}}, {"userId": "bob", "userInfo": None}]


async def test_the_event_that_a_cache_channel_keeps_is_shown(admin: AdminSite) -> None:
    await admin.node.hub.publish(admin.live, ("cache-c",), PublishedEvent("e", b'"{\\"a\\":1}"'), None)
    kept = (await get(admin, "/channels/cache-c"))["keptEvent"]
    assert (kept["name"], kept["data"]) == ("e", '{"a":1}')
    assert 0 < kept["expiresInSeconds"] <= 1800


async def test_connections_are_paged_by_socket_id(admin: AdminSite) -> None:
    for socket_id in ("1.4", "1.2", "1.5", "1.1", "1.3"):
        await connect(admin, socket_id).subscribe("c", None, None)
    found = await pages(admin, "/connections")
    socket_ids = [[connection["socketId"] for connection in page["connections"]] for page in found]
    assert socket_ids == [["1.1", "1.2"], ["1.3", "1.4"], ["1.5"]]
    assert [page["total"] for page in found] == [5, 5, 5]
    first = found[0]["connections"][0]
    assert first.keys() == {
        *("socketId", "node", "host", "protocol", "transport", "openedAt", "userId", "key", "channelCount")
    }
    assert (first["node"], first["key"], first["userId"], first["channelCount"]) == (
        *(admin.insight.node.id, "live-key", None, 1),
    )


async def test_connections_of_a_channel_and_of_a_user_are_found(admin: AdminSite) -> None:
    await connect(admin, "1.1").subscribe("c", None, None)
    await connect(admin, "1.2").sign_in_as(SignedInUser("ada"))
    await enter(connect(admin, "1.3"), "presence-c", '{"user_id":"ada"}')
    for query, expected in (
        ({"channel": "c"}, ["1.1"]),
        ({"userId": "ada"}, ["1.2", "1.3"]),
        ({"userId": "ada", "channel": "presence-c"}, ["1.3"]),
        ({"userId": "ada", "channel": "c"}, []),
    ):
        page = await get(admin, "/connections", **query)
        assert [connection["socketId"] for connection in page["connections"]] == expected
        assert page["total"] == len(expected)


async def test_all_about_a_connection_is_told_as_far_as_it_is_known(admin: AdminSite) -> None:
    client = connect(admin, "1.1")
    await client.subscribe("c", None, None)
    await enter(client, "presence-c", '{"user_id":"ada"}')
    shown = await get(admin, "/connections/1.1")
    assert shown["channels"] == [{"name": "c", "userId": None}, {"name": "presence-c", "userId": "ada"}]
    assert (shown["userId"], shown["channelCount"]) == ("ada", 2)
    unknown = ("address", "bytesSent", "bytesReceived", "roundTripMs")
    assert [shown[name] for name in unknown] == [None] * len(unknown)
    assert shown["bufferedBytes"] == 0
    assert error(await admin.reader.get(f"{APP}/connections/9.9")) == (404, "no_such_connection")


async def test_another_apps_connection_is_not_found_and_not_ended(admin: AdminSite) -> None:
    client = connect(admin, "1.1")
    await admin.owner.post("/apps", json={"id": "4711"})
    await admin.serve()
    assert error(await admin.owner.get("/apps/4711/connections/1.1")) == (404, "no_such_connection")
    assert error(await admin.owner.delete("/apps/4711/connections/1.1")) == (404, "no_such_connection")
    assert client.ended == []


async def test_ending_a_connection_ends_that_one_and_is_on_the_record(admin: AdminSite) -> None:
    one, other = connect(admin, "1.1"), connect(admin, "1.2")
    assert (await admin.owner.delete(f"{APP}/connections/1.1")).json() == {}
    assert (one.ended, other.ended) == ([EndReason.TERMINATED], [])
    (entry,) = (await admin.office.record())[:1]
    assert (entry.action, entry.subject, entry.details) == ("connection.terminate", "1.1", {"app": "live"})


async def test_a_connection_that_is_not_there_is_not_on_the_record(admin: AdminSite) -> None:
    before = len(await admin.office.record())
    assert error(await admin.owner.delete(f"{APP}/connections/9.9")) == (404, "no_such_connection")
    assert len(await admin.office.record()) == before


async def test_what_a_node_that_says_nothing_may_have_is_not_said_to_be_nowhere(admin: AdminSite) -> None:
    async def fail(_: bytes) -> bytes:
        raise RuntimeError("This node cannot answer.")

    await admin.node.broker.post.listen(ADDRESS, fail)
    answer = await admin.owner.get(f"{APP}/connections/1.1")
    assert error(answer) == (503, "nodes_silent")
    assert answer.headers["retry-after"] == "2"
    assert (await admin.reader.get("/nodes")).json() == {"nodes": [], "silent": 1}


async def test_users_are_paged_by_id_with_their_connections(admin: AdminSite) -> None:
    for number, user_id in enumerate(("cy", "ada", "bob", "ada")):
        await connect(admin, f"1.{number}").sign_in_as(SignedInUser(user_id))
    found = await pages(admin, "/users")
    users = [[(user["userId"], user["connectionCount"]) for user in page["users"]] for page in found]
    assert users == [[("ada", 2), ("bob", 1)], [("cy", 1)]]
    assert (await get(admin, "/users", prefix="b"))["users"] == [{"userId": "bob", "connectionCount": 1}]


# A NUL comes in no id of a user of Pusher's, and PostgreSQL cannot keep one.
@pytest.mark.parametrize("user_id", ["ada", "team/ada", "ada lovelace", "Zoë", "?", "a\0b"])
async def test_terminating_a_user_ends_its_connections_whatever_it_is_called(admin: AdminSite, user_id: str) -> None:
    clients = [connect(admin, socket_id) for socket_id in ("1.1", "1.2", "1.3")]
    for client in clients[:2]:
        await client.sign_in_as(SignedInUser(user_id))
    answer = await admin.owner.post(f"{APP}/users/{quote(user_id, safe='')}/terminate", json={})
    assert (answer.status_code, answer.json()) == (200, {})
    assert [client.ended for client in clients] == [[EndReason.TERMINATED], [EndReason.TERMINATED], []]
    (entry,) = (await admin.office.record())[:1]
    assert (entry.action, entry.subject) == ("user.terminate", user_id.replace("\0", "\N{REPLACEMENT CHARACTER}"))


async def test_a_user_id_that_no_user_has_is_refused_as_the_channels_api_does(admin: AdminSite) -> None:
    answer = await admin.owner.post(f"{APP}/users/{'u' * 129}/terminate")
    assert error(answer) == (400, "invalid_user_id")


EVENT = {"channels": ["a", "b", "a"], "name": "e", "data": "confidential"}


async def test_an_operators_event_goes_to_all_but_the_connection_left_out(admin: AdminSite) -> None:
    here, there = admin.node.connect(admin.live, "1.1"), admin.node.connect(admin.live, "1.2")
    for connection in (here, there):
        await admin.node.subscribe(admin.live, connection, "a")
    answer = await admin.owner.post(f"{APP}/events", json=EVENT | {"socketId": "1.2"})
    assert answer.json() == {"channels": [{"name": "a", "subscriptionCount": 2}, {"name": "b", "subscriptionCount": 0}]}
    admin.node.iteration.end()
    assert len(here.received) == 1
    assert there.received == []


async def test_what_was_published_is_on_the_record_without_what_it_held(admin: AdminSite) -> None:
    assert (await admin.owner.post(f"{APP}/events", json=EVENT | {"name": "e\0"})).status_code == 200
    (entry,) = (await admin.office.record())[:1]
    assert (entry.action, entry.subject) == ("event.publish", "e\N{REPLACEMENT CHARACTER}")
    assert entry.details == {"app": "live", "channels": ["a", "b"]}


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"channels": []}, 400, "invalid_channels"),
        ({"channels": ["c"] * 101}, 400, "invalid_channels"),
        ({"channels": ["private-encrypted-a", "b"]}, 400, "invalid_channels"),
        ({"channels": ["a b"]}, 400, "invalid_channel_name"),
        ({"name": ""}, 400, "invalid_event_name"),
        ({"name": "pusher:e"}, 400, "invalid_event_name"),
        ({"socketId": "x"}, 400, "invalid_socket_id"),
        ({"data": "d" * 10_241}, 413, "event_data_too_large"),
    ],
)
async def test_an_operators_event_keeps_the_rules_of_the_channels_api(
    admin: AdminSite, wrong: dict[str, Any], status: int, code: str
) -> None:
    before = len(await admin.office.record())
    assert error(await admin.owner.post(f"{APP}/events", json=EVENT | wrong)) == (status, code)
    assert len(await admin.office.record()) == before


async def test_in_a_disabled_app_nothing_is_published(admin: AdminSite) -> None:
    await admin.owner.post("/apps", json={"id": "4711"})
    await admin.owner.patch("/apps/4711", json={"enabled": False})
    await admin.serve()
    assert error(await admin.owner.post("/apps/4711/events", json=EVENT)) == (403, "app_disabled")


async def test_nothing_of_it_makes_servers_load_their_apps_again(admin: AdminSite) -> None:
    connect(admin, "1.1")
    before = await admin.office.revision()
    for answer in (
        await admin.owner.post(f"{APP}/events", json=EVENT),
        await admin.owner.post(f"{APP}/users/ada/terminate"),
        await admin.owner.delete(f"{APP}/connections/1.1"),
    ):
        assert answer.status_code == 200
    assert len(await admin.office.record()) >= 3
    assert await admin.office.revision() == before
