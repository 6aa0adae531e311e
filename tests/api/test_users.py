from urllib.parse import quote

import pytest

from skubber.core.connection import EndReason
from support.api_client import ApiClient


@pytest.mark.parametrize("user_id", ["ada", "10", "ada/lovelace", "ada lovelace", "ünï", "𝄞", "u" * 128])
async def test_terminating_a_user_ends_all_of_its_connections(client: ApiClient, user_id: str) -> None:
    tabs = [client.node.connect(client.app, f"1.{number}") for number in range(2)]
    other = client.node.connect(client.app, "1.9")
    for tab in tabs:
        await client.node.subscribe(client.app, tab, "presence-c", user_id)
    await client.node.subscribe(client.app, other, "presence-c", "somebody else")
    answer = await client.post(f"/users/{quote(user_id, safe='')}/terminate_connections")
    assert (answer.status, answer.body) == (200, {})
    assert [tab.ends for tab in tabs] == [[EndReason.TERMINATED]] * 2
    assert other.ends == []


async def test_a_user_is_known_by_its_sign_in_as_well(client: ApiClient) -> None:
    tab, other = client.node.connect(client.app, "1.1"), client.node.connect(client.app, "1.2")
    for connection, user_id in ((tab, "auth0|1"), (other, "auth0|2")):
        await client.node.hub.sign_in(client.app, connection, user_id)
    assert (await client.post("/users/auth0%7C1/terminate_connections")).body == {}
    assert (tab.ends, other.ends) == ([EndReason.TERMINATED], [])


async def test_a_users_own_events_are_published_as_any_other(client: ApiClient) -> None:
    tab, other = client.node.connect(client.app, "1.1"), client.node.connect(client.app, "1.2")
    for connection, user_id in ((tab, "ada"), (other, "bob")):
        for subscription in (await client.node.hub.sign_in(client.app, connection, user_id))[0]:
            subscription.catch_up()
    assert (await client.trigger(channel="#server-to-user-ada")).body == {}
    assert (await client.trigger(channels=["#server-to-user-ada", "#server-to-user-bob"], socket_id="1.2")).body == {}
    client.node.iteration.end()
    assert tab.received == ["#server-to-user-ada/e"] * 2
    assert other.received == []


async def test_who_watches_whom_is_no_channel_to_publish_on(client: ApiClient) -> None:
    assert (await client.trigger(channel="#watchlist-ada")).error == (400, "invalid_channel_name")


async def test_terminating_a_user_who_is_not_there_is_no_error(client: ApiClient) -> None:
    answer = await client.post("/users/nobody/terminate_connections")
    assert (answer.status, answer.body) == (200, {})


async def test_a_body_is_not_looked_at(client: ApiClient) -> None:
    for body in (b"{}", b"junk", b"\xff"):
        answer = await client.send("POST", "/apps/4711/users/ada/terminate_connections", body=body)
        assert answer.status == 200


async def test_a_user_id_longer_than_any_users_is_refused(client: ApiClient) -> None:
    assert (await client.post(f"/users/{'u' * 129}/terminate_connections")).error == (400, "invalid_user_id")
