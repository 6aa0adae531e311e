"""Publishing: ``events`` and ``batch_events``."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from skubber.core.limits import Limits
from support.api_client import ApiClient, signed_query
from support.apps import make_app, other_app
from support.recording import RecordingConnection
from support.slow_broker import SlowBroker

INFO = "user_count,subscription_count"


@pytest.fixture
async def listener(client: ApiClient) -> RecordingConnection:
    """A client subscribed to ``c``, ``d`` and, as a user, to ``presence-c``."""
    connection = client.node.connect(client.app, "1.1")
    await client.node.subscribe(client.app, connection, "c")
    await client.node.subscribe(client.app, connection, "d")
    await client.node.subscribe(client.app, connection, "presence-c", "ada")
    return connection


def received(client: ApiClient, connection: RecordingConnection) -> list[str]:
    client.node.iteration.end()
    return connection.received


class TestTrigger:
    async def test_an_event_goes_out_and_the_answer_is_an_empty_object(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        answer = await client.trigger()
        assert (answer.status, answer.body) == (200, {})
        assert received(client, listener) == ["c/e"]

    async def test_an_event_goes_to_each_of_its_channels_once(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        assert (await client.trigger(channels=["d", "c", "d", "nobody-there"])).body == {}
        assert received(client, listener) == ["d/e", "c/e"]

    async def test_a_channel_with_nobody_on_it_is_no_error(self, client: ApiClient) -> None:
        assert (await client.trigger(channel="nobody-there")).body == {}

    async def test_the_excluded_connection_receives_it_on_none_of_the_channels(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        other = client.node.connect(client.app, "1.2")
        await client.node.subscribe(client.app, other, "c")
        assert (await client.trigger(channels=["c", "d"], socket_id="1.1")).body == {}
        assert (received(client, listener), received(client, other)) == ([], ["c/e"])

    async def test_it_does_not_leave_its_app(self, client: ApiClient) -> None:
        theirs = client.node.connect(other_app(), "1.9")
        await client.node.subscribe(other_app(), theirs, "c")
        await client.trigger()
        assert received(client, theirs) == []

    @pytest.mark.parametrize("data", ["", "\0", '"', "\u2028é😀", '{"a": 1}', "x" * 10_240, "é" * 5_120, "😀" * 2_560])
    async def test_data_is_any_string_within_the_limit(self, client: ApiClient, data: str) -> None:
        assert (await client.trigger(data=data)).status == 200

    @pytest.mark.parametrize("data", ["x" * 10_241, "é" * 5_120 + "x", "😀" * 2_561])
    async def test_data_over_the_limit_is_too_large(
        self, client: ApiClient, listener: RecordingConnection, data: str
    ) -> None:
        assert (await client.trigger(data=data)).error == (413, "event_data_too_large")
        assert received(client, listener) == []

    @pytest.mark.parametrize("data", [{"an": "object"}, ["an", "array"], 7, 1.5, True])
    async def test_data_that_is_no_string_is_refused_with_the_advice_to_encode_it(
        self, client: ApiClient, data: Any
    ) -> None:
        answer = await client.trigger(data=data)
        assert answer.error == (400, "invalid_body")
        assert answer.body["error"].endswith("The data of an event is a string: encode an object as JSON first.")
        batched = await client.post("/batch_events", {"batch": [{"name": "e", "channel": "c", "data": data}]})
        assert batched.body["error"].endswith("encode an object as JSON first.")

    async def test_the_advice_is_given_where_it_fits_only(self, client: ApiClient) -> None:
        assert "encode an object" not in (await client.trigger(name=7)).body["error"]
        assert "data" in (await client.trigger(data=None)).body["error"]

    @pytest.mark.parametrize("name", ["e", "é\0 /?", "client-x", "pusher", "Pusher:x", "x" * 200, "😀" * 200])
    async def test_a_name_is_any_string_of_up_to_two_hundred_characters(self, client: ApiClient, name: str) -> None:
        assert (await client.trigger(name=name)).status == 200

    @pytest.mark.parametrize("name", ["", "x" * 201, "😀" * 201, "pusher:x", "pusher:", "pusher_internal:member_added"])
    async def test_other_names_are_refused(self, client: ApiClient, listener: RecordingConnection, name: str) -> None:
        assert (await client.trigger(name=name)).error == (400, "invalid_event_name")
        assert received(client, listener) == []

    @pytest.mark.parametrize(
        "fields",
        [
            {"channel": None},
            {"channel": None, "channels": None},
            {"channel": "c", "channels": ["c"]},
            {"channels": []},
            {"channels": [f"c{number}" for number in range(101)]},
            {"channels": ["c"] * 101},
            {"channels": ["private-encrypted-a", "private-encrypted-b"]},
            {"channels": ["c", "private-encrypted-cache-b"]},
        ],
    )
    async def test_it_takes_one_channel_or_one_to_a_hundred(
        self, client: ApiClient, listener: RecordingConnection, fields: Any
    ) -> None:
        assert (await client.trigger(**fields)).error == (400, "invalid_channels")
        assert received(client, listener) == []

    @pytest.mark.parametrize(
        "fields",
        [
            {"channels": [f"c{number}" for number in range(100)]},
            {"channels": ["private-encrypted-a"]},
            {"channel": "private-encrypted-a"},
            {"channel": "#server-to-user-ada"},
            {"channel": "c" * 200},
            {"channel": "c", "channels": None},
            {"channel": "c", "socket_id": None, "info": None},
            {"channel": "c", "more": {"a": 1}},
        ],
    )
    async def test_what_keeps_to_the_rules_is_taken(self, client: ApiClient, fields: Any) -> None:
        body = {"name": "e", "data": "d", **fields}
        assert (await client.post("/events", body)).status == 200

    @pytest.mark.parametrize("channel", ["", "no spaces", "c" * 201, "ü", "a/b", "c\n", "\0", "#server-to-user-", "*"])
    async def test_one_bad_channel_name_stops_the_whole_event(
        self, client: ApiClient, listener: RecordingConnection, channel: str
    ) -> None:
        assert (await client.trigger(channel=channel)).error == (400, "invalid_channel_name")
        assert (await client.trigger(channels=["c", channel])).error == (400, "invalid_channel_name")
        assert received(client, listener) == []

    @pytest.mark.parametrize(
        "socket_id", ["", "1", "1.", ".1", "1.2.3", "a.b", "1.2\n", " 1.2", "-1.2", "\u0661.\u0662", "1,2"]
    )
    async def test_a_socket_id_is_digits_and_digits(self, client: ApiClient, socket_id: str) -> None:
        assert (await client.trigger(socket_id=socket_id)).error == (400, "invalid_socket_id")

    @pytest.mark.parametrize("socket_id", ["1.1", "0.0", "1" * 50 + "." + "2" * 50])
    async def test_a_socket_id_need_not_be_anybodys(self, client: ApiClient, socket_id: str) -> None:
        assert (await client.trigger(socket_id=socket_id)).status == 200

    async def test_the_limits_are_the_apps_own(self) -> None:
        client = ApiClient(make_app(limits=Limits(event_name_length=2, event_data_bytes=2, channels_per_event=1)))
        assert (await client.trigger(name="xxx")).error == (400, "invalid_event_name")
        assert (await client.trigger(data="xxx")).error == (413, "event_data_too_large")
        assert (await client.trigger(channels=["c", "d"])).error == (400, "invalid_channels")
        assert (await client.trigger(name="xx", data="xx", channels=["c"])).status == 200


class TestInfo:
    async def test_the_attributes_asked_for_come_once_for_each_channel(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        tab = client.node.connect(client.app, "1.2")
        await client.node.subscribe(client.app, tab, "presence-c", "ada")
        channels = ["presence-c", "c", "empty", "presence-empty", "c"]
        answer = await client.trigger(channels=channels, info=INFO)
        assert answer.body == {
            "channels": {
                "presence-c": {"user_count": 1, "subscription_count": 2},
                "c": {"subscription_count": 1},
                "empty": {"subscription_count": 0},
                "presence-empty": {"user_count": 0, "subscription_count": 0},
            }
        }

    @pytest.mark.parametrize(
        ("info", "attributes"),
        [
            ("user_count", {"user_count": 1}),
            ("subscription_count", {"subscription_count": 1}),
            (" subscription_count , user_count ", {"user_count": 1, "subscription_count": 1}),
            ("user_count,user_count", {"user_count": 1}),
        ],
    )
    async def test_it_is_a_list_separated_by_commas(
        self, client: ApiClient, listener: RecordingConnection, info: str, attributes: Any
    ) -> None:
        assert (await client.trigger(channel="presence-c", info=info)).body == {"channels": {"presence-c": attributes}}

    async def test_the_users_of_a_channel_that_has_none_are_left_out(self, client: ApiClient) -> None:
        assert (await client.trigger(channel="c", info="user_count")).body == {"channels": {"c": {}}}

    async def test_nothing_asked_for_is_nothing_told(self, client: ApiClient) -> None:
        assert (await client.trigger(info="")).body == {}

    @pytest.mark.parametrize(
        "info", ["secrets", "user_count,", ",", " ", "User_Count", "user_count subscription_count", "é\0"]
    )
    async def test_an_attribute_that_does_not_exist_stops_the_event(
        self, client: ApiClient, listener: RecordingConnection, info: str
    ) -> None:
        assert (await client.trigger(info=info)).error == (400, "invalid_info")
        assert received(client, listener) == []


class TestParametersInTheQuery:
    async def test_they_stand_for_a_body_that_is_not_there(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        query = urlencode({"name": "e", "channel": "c", "data": '{"a": "é"}', "info": "subscription_count"}).encode()
        answer = await client.send("POST", "/apps/4711/events", query)
        assert answer.body == {"channels": {"c": {"subscription_count": 1}}}
        assert received(client, listener) == ["c/e"]

    @pytest.mark.parametrize("name", ["channels[]", "channels%5B%5D"])
    async def test_channels_are_an_array_by_their_brackets(
        self, client: ApiClient, listener: RecordingConnection, name: str
    ) -> None:
        query = f"name=e&data=d&{name}=c&{name}=d".encode()
        assert (await client.send("POST", "/apps/4711/events", query)).body == {}
        assert received(client, listener) == ["c/e", "d/e"]
        assert (await client.send("POST", "/apps/4711/events", f"name=e&data=d&{name}=c".encode())).status == 200

    @pytest.mark.parametrize("value", ["null", "true", "7", "1.5", '{"a":1}'])
    async def test_a_value_is_text_whatever_it_looks_like(self, client: ApiClient, value: str) -> None:
        encoded = quote(value)
        query = f"name={encoded}&data={encoded}&channel=c&info=subscription_count".encode()
        assert (await client.send("POST", "/apps/4711/events", query)).body["channels"].keys() == {"c"}

    @pytest.mark.parametrize("channel", ["null", "true", "7"])
    async def test_so_is_a_channels_name(self, client: ApiClient, channel: str) -> None:
        query = f"name=e&data=d&channel={channel}&info=subscription_count".encode()
        answer = await client.send("POST", "/apps/4711/events", query)
        assert answer.body == {"channels": {channel: {"subscription_count": 0}}}

    async def test_they_may_be_signed(self, client: ApiClient, listener: RecordingConnection) -> None:
        path = "/apps/4711/events"
        parameters = [("name", "e"), ("channels[]", "d"), ("channels[]", "c"), ("data", "é & ü")]
        assert (await client.send("POST", path, signed_query("POST", path, parameters=parameters), [])).body == {}
        assert received(client, listener) == ["d/e", "c/e"]

    async def test_of_a_parameter_given_twice_the_first_counts(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        assert (await client.send("POST", "/apps/4711/events", b"name=e&data=d&channel=c&channel=d&name=f")).body == {}
        assert received(client, listener) == ["c/e"]

    async def test_a_body_weighs_more(self, client: ApiClient, listener: RecordingConnection) -> None:
        body = json.dumps({"name": "e", "data": "d", "channel": "d"}).encode()
        query = b"name=other&data=d&channel=c&info=user_count"
        assert (await client.send("POST", "/apps/4711/events", query, body=body)).body == {}
        assert received(client, listener) == ["d/e"]

    @pytest.mark.parametrize(
        ("query", "error"),
        [
            (b"", "name"),
            (b"name=e&data=d", "channel"),
            (b"name=e&channel=c", "data"),
            (b"name=e&data=d&channels=c", "channels"),
            (b"name=e&data[]=d&channel=c", "data"),
            (b"name[]=e&data=d&channel=c", "name"),
        ],
    )
    async def test_what_is_missing_or_wrong_is_named(self, client: ApiClient, query: bytes, error: str) -> None:
        answer = await client.send("POST", "/apps/4711/events", query)
        assert answer.status == 400
        assert error in answer.body["error"]

    async def test_a_batch_cannot_be_written_so(self, client: ApiClient) -> None:
        answer = await client.send("POST", "/apps/4711/batch_events", b"batch[]=x")
        assert answer.error == (400, "invalid_body")


@pytest.mark.parametrize("path", ["/events", "/batch_events"])
@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'"x"', b"7", b"{}", b"\xef\xbb\xbf{}", b"name=e&data=d&channel=c", b"[" * 100_000, b" "],
)
async def test_a_body_that_is_not_the_json_it_takes_is_refused(client: ApiClient, path: str, body: bytes) -> None:
    assert (await client.send("POST", f"/apps/4711{path}", body=body)).error == (400, "invalid_body")


class TestBatch:
    async def test_every_event_goes_out_in_order_and_has_its_place_in_the_answer(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        batch = [
            {"name": "1", "channel": "c", "data": "d"},
            {"name": "2", "channel": "presence-c", "data": "d", "info": INFO},
            {"name": "3", "channel": "c", "data": "d", "socket_id": "1.1"},
            {"name": "4", "channel": "c", "data": "d", "info": "subscription_count", "socket_id": "9.9"},
        ]
        answer = await client.post("/batch_events", {"batch": batch})
        assert answer.body == {"batch": [{}, {"user_count": 1, "subscription_count": 1}, {}, {"subscription_count": 1}]}
        assert [each for each in received(client, listener) if each.startswith("c/")] == ["c/1", "c/4"]
        assert "presence-c/2" in listener.received

    async def test_it_answers_so_even_when_nothing_was_asked_for(self, client: ApiClient) -> None:
        batch = [{"name": "e", "channel": "c", "data": "d"}] * 10
        assert (await client.post("/batch_events", {"batch": batch})).body == {"batch": [{}] * 10}

    @pytest.mark.parametrize("count", [0, 11, 1000])
    async def test_it_holds_one_to_ten_events(
        self, client: ApiClient, listener: RecordingConnection, count: int
    ) -> None:
        batch = [{"name": "e", "channel": "c", "data": "d"}] * count
        assert (await client.post("/batch_events", {"batch": batch})).error == (400, "invalid_batch")
        assert received(client, listener) == []

    @pytest.mark.parametrize(
        ("bad", "error"),
        [
            ({"name": ""}, (400, "invalid_event_name")),
            ({"name": "pusher:x"}, (400, "invalid_event_name")),
            ({"channel": "no spaces"}, (400, "invalid_channel_name")),
            ({"data": "x" * 10_241}, (413, "event_data_too_large")),
            ({"socket_id": "1"}, (400, "invalid_socket_id")),
            ({"info": "secrets"}, (400, "invalid_info")),
            ({"data": {}}, (400, "invalid_body")),
            ({"channel": None}, (400, "invalid_body")),
            ({"channel": ["c"]}, (400, "invalid_body")),
        ],
    )
    async def test_one_bad_event_stops_all_of_them(
        self, client: ApiClient, listener: RecordingConnection, bad: Any, error: tuple[int, str]
    ) -> None:
        good = {"name": "e", "channel": "c", "data": "d"}
        for batch in ([good, {**good, **bad}], [{**good, **bad}, good]):
            assert (await client.post("/batch_events", {"batch": batch})).error == error
        assert received(client, listener) == []

    async def test_the_limit_is_the_apps_own(self) -> None:
        client = ApiClient(make_app(limits=Limits(events_per_batch=2)))
        batch = [{"name": "e", "channel": "c", "data": "d"}] * 3
        assert (await client.post("/batch_events", {"batch": batch})).error == (400, "invalid_batch")
        assert (await client.post("/batch_events", {"batch": batch[1:]})).status == 200


async def test_a_broker_that_cannot_be_reached_is_answered_503_and_a_later_try_works() -> None:
    broker = SlowBroker()
    client = ApiClient(broker=broker)
    broker.fail("publish", "occupancy")
    assert (await client.trigger()).error == (503, "broker_unavailable")
    batch = {"batch": [{"name": "e", "channel": "c", "data": "d"}]}
    assert (await client.post("/batch_events", batch)).error == (503, "broker_unavailable")
    broker.recover()
    assert (await client.trigger(info="subscription_count")).status == 200
