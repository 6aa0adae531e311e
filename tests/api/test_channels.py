"""Reading channels."""

import pytest

from skubber.brokers.memory import MemoryBroker
from support.api_client import ApiClient
from support.apps import other_app
from support.slow_broker import SlowBroker


@pytest.fixture
async def client() -> ApiClient:
    """The API with some channels occupied: ``presence-room`` by ada (twice) and bob, ``hall`` by one connection."""
    client = ApiClient()
    for number, user in enumerate(["ada", "ada", "bob"]):
        connection = client.node.connect(client.app, f"1.{number}")
        await client.node.subscribe(client.app, connection, "presence-room", user)
    await client.node.subscribe(client.app, client.node.connect(client.app, "1.9"), "hall")
    theirs = client.node.connect(other_app(), "2.1")
    await client.node.subscribe(other_app(), theirs, "presence-theirs", "eve")
    return client


class TestList:
    async def test_it_names_the_apps_occupied_channels(self, client: ApiClient) -> None:
        answer = await client.get("/channels")
        assert (answer.status, answer.body) == (200, {"channels": {"presence-room": {}, "hall": {}}})

    async def test_a_channel_everybody_has_left_is_not_among_them(self, client: ApiClient) -> None:
        connection = client.node.connect(client.app, "1.10")
        subscription = await client.node.subscribe(client.app, connection, "left")
        assert "left" in (await client.get("/channels")).body["channels"]
        await client.node.hub.unsubscribe(client.app, subscription)
        assert "left" not in (await client.get("/channels")).body["channels"]

    async def test_what_comes_with_a_sign_in_is_not_among_them(self, client: ApiClient) -> None:
        await client.node.hub.sign_in(client.app, client.node.connect(client.app, "1.10"), "ada", ["bob"])
        for prefix in ("", "#"):
            answer = await client.get("/channels", filter_by_prefix=prefix)
            assert not any(name.startswith("#") for name in answer.body["channels"])

    async def test_without_any_it_is_empty(self) -> None:
        assert (await ApiClient().get("/channels")).body == {"channels": {}}

    @pytest.mark.parametrize(
        ("prefix", "names"),
        [
            ("presence-", {"presence-room"}),
            ("presence-room", {"presence-room"}),
            ("h", {"hall"}),
            ("", {"presence-room", "hall"}),
            ("presence-rooms", set()),
            ("H", set()),
            ("*", set()),
            ("no such name /é\0", set()),
        ],
    )
    async def test_a_prefix_narrows_it(self, client: ApiClient, prefix: str, names: set[str]) -> None:
        assert (await client.get("/channels", filter_by_prefix=prefix)).body["channels"].keys() == names

    async def test_the_attributes_asked_for_come_with_each(self, client: ApiClient) -> None:
        answer = await client.get("/channels", info="subscription_count")
        assert answer.body["channels"] == {
            "presence-room": {"subscription_count": 3},
            "hall": {"subscription_count": 1},
        }
        for info, attributes in [
            ("user_count", {"user_count": 2}),
            ("user_count,subscription_count", {"user_count": 2, "subscription_count": 3}),
        ]:
            answer = await client.get("/channels", filter_by_prefix="presence-", info=info)
            assert answer.body["channels"] == {"presence-room": attributes}

    @pytest.mark.parametrize("prefix", [None, "", "hall", "presence", "private-", "Presence-"])
    async def test_users_are_counted_on_presence_channels_only(self, client: ApiClient, prefix: str | None) -> None:
        parameters = {} if prefix is None else {"filter_by_prefix": prefix}
        answer = await client.get("/channels", info="user_count", **parameters)
        assert answer.error == (400, "invalid_info")
        assert "presence-" in answer.body["error"]

    async def test_with_both_attributes_each_channel_has_those_it_can_have(self, client: ApiClient) -> None:
        answer = await client.get("/channels", info="user_count,subscription_count")
        assert answer.body["channels"] == {
            "presence-room": {"user_count": 2, "subscription_count": 3},
            "hall": {"subscription_count": 1},
        }

    async def test_an_attribute_that_does_not_exist_is_refused(self, client: ApiClient) -> None:
        assert (await client.get("/channels", info="cash")).error == (400, "invalid_info")


class TestShow:
    @pytest.mark.parametrize(("channel", "occupied"), [("hall", True), ("presence-room", True), ("empty", False)])
    async def test_it_tells_whether_a_channel_is_occupied(
        self, client: ApiClient, channel: str, occupied: bool
    ) -> None:
        assert (await client.get(f"/channels/{channel}")).body == {"occupied": occupied}

    async def test_it_tells_what_is_asked_for(self, client: ApiClient) -> None:
        answer = await client.get("/channels/presence-room", info="user_count,subscription_count")
        assert answer.body == {"occupied": True, "user_count": 2, "subscription_count": 3}
        answer = await client.get("/channels/hall", info="subscription_count")
        assert answer.body == {"occupied": True, "subscription_count": 1}

    async def test_an_empty_channel_has_zero_of_everything(self, client: ApiClient) -> None:
        answer = await client.get("/channels/presence-empty", info="user_count,subscription_count")
        assert answer.body == {"occupied": False, "user_count": 0, "subscription_count": 0}

    async def test_another_apps_channel_is_empty(self, client: ApiClient) -> None:
        answer = await client.get("/channels/presence-theirs", info="user_count")
        assert answer.body == {"occupied": False, "user_count": 0}

    @pytest.mark.parametrize("channel", ["hall", "private-c", "cache-c"])
    async def test_users_are_counted_on_presence_channels_only(self, client: ApiClient, channel: str) -> None:
        assert (await client.get(f"/channels/{channel}", info="user_count")).error == (400, "invalid_info")
        answer = await client.get(f"/channels/{channel}", info="user_count,subscription_count")
        assert answer.error == (400, "invalid_info")

    @pytest.mark.parametrize("channel", ["hall", "private-c", "presence-room"])
    async def test_only_cache_channels_have_a_cache(self, client: ApiClient, channel: str) -> None:
        assert (await client.get(f"/channels/{channel}", info="cache")).error == (400, "invalid_info")

    @pytest.mark.parametrize("channel", ["cache-c", "private-cache-c", "private-encrypted-cache-c", "presence-cache-c"])
    async def test_it_tells_what_a_cache_channel_keeps_and_for_how_long(self, channel: str) -> None:
        now = 100.0
        client = ApiClient(broker=MemoryBroker(lambda: now))
        answer = await client.get(f"/channels/{channel}", info="cache")
        assert answer.body == {"occupied": False, "cache": None}
        await client.trigger(channel=channel, data='{"n": "ä"}')
        now += 29.5
        answer = await client.get(f"/channels/{channel}", info="cache,subscription_count")
        assert answer.body == {
            "occupied": False,
            "subscription_count": 0,
            "cache": {"data": '{"n": "ä"}', "ttl": 1771},
        }
        now += 1770.5
        assert (await client.get(f"/channels/{channel}", info="cache")).body["cache"] is None

    async def test_a_cache_is_an_attribute_of_one_channel_only(self, client: ApiClient) -> None:
        assert (await client.get("/channels", info="cache", filter_by_prefix="cache-")).error == (400, "invalid_info")
        assert (await client.trigger(channel="cache-c", info="cache")).error == (400, "invalid_info")

    async def test_an_attribute_that_does_not_exist_is_refused(self, client: ApiClient) -> None:
        assert (await client.get("/channels/hall", info="cash")).error == (400, "invalid_info")

    @pytest.mark.parametrize("name", ["no%20spaces", "c" * 201, "%C3%BC", "a:b"])
    async def test_a_name_no_channel_may_have_is_refused(self, client: ApiClient, name: str) -> None:
        assert (await client.get(f"/channels/{name}")).error == (400, "invalid_channel_name")

    async def test_a_users_own_channel_has_a_hash_that_is_percent_encoded(self, client: ApiClient) -> None:
        assert (await client.get("/channels/%23server-to-user-ada")).body == {"occupied": False}


class TestUsers:
    async def test_each_user_is_listed_once(self, client: ApiClient) -> None:
        answer = await client.get("/channels/presence-room/users")
        assert (answer.status, answer.body) == (200, {"users": [{"id": "ada"}, {"id": "bob"}]})

    async def test_an_empty_channel_has_none(self, client: ApiClient) -> None:
        assert (await client.get("/channels/presence-empty/users")).body == {"users": []}
        assert (await client.get("/channels/presence-theirs/users")).body == {"users": []}

    @pytest.mark.parametrize("channel", ["hall", "private-c", "empty", "%23server-to-user-ada"])
    async def test_other_channels_have_no_users(self, client: ApiClient, channel: str) -> None:
        assert (await client.get(f"/channels/{channel}/users")).error == (400, "not_a_presence_channel")

    async def test_a_name_no_channel_may_have_is_refused(self, client: ApiClient) -> None:
        assert (await client.get("/channels/presence-no%20spaces/users")).error == (400, "invalid_channel_name")


@pytest.mark.parametrize("path", ["/channels", "/channels/hall", "/channels/presence-c/users"])
async def test_a_broker_that_cannot_be_reached_is_answered_503(path: str) -> None:
    broker = SlowBroker()
    broker.fail("channels", "occupancy", "members")
    assert (await ApiClient(broker=broker).get(path)).error == (503, "broker_unavailable")
