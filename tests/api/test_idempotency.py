"""Requests that are sent again. Source: draft-ietf-httpapi-idempotency-key-header."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from skubber.brokers.memory import MemoryBroker
from skubber.core.broker import REQUEST_LIFETIME
from support.api_client import NOW, Answer, ApiClient, Headers, key_headers, signed_query
from support.apps import SECOND_KEY, SECOND_SECRET
from support.recording import RecordingConnection
from support.slow_broker import SlowBroker

EVENTS, BATCH = "/apps/4711/events", "/apps/4711/batch_events"
EVENT = {"name": "e", "channel": "c", "data": "d"}


@pytest.fixture
def broker() -> SlowBroker:
    """A broker that is quick until told to be slow."""
    return SlowBroker()


@pytest.fixture
def client(broker: SlowBroker) -> ApiClient:
    """The API above that broker."""
    return ApiClient(broker=broker)


@pytest.fixture
async def listener(client: ApiClient) -> RecordingConnection:
    """A client subscribed to ``c``."""
    connection = client.node.connect(client.app, "1.1")
    await client.node.subscribe(client.app, connection, "c")
    return connection


def heard(client: ApiClient, listener: RecordingConnection) -> int:
    """How many events have come."""
    client.node.iteration.end()
    return len(listener.received)


def with_key(key: str | bytes, headers: Headers | None = None) -> Headers:
    value = key.encode("latin-1") if isinstance(key, str) else key
    return [*(key_headers() if headers is None else headers), (b"idempotency-key", value)]


async def post(client: ApiClient, key: str | bytes | None, body: Any = None, path: str = EVENTS) -> Answer:
    """Publish with a key in the header."""
    text = json.dumps(EVENT if body is None else body).encode()
    return await client.send("POST", path, headers=None if key is None else with_key(key), body=text)


class TestTheSameRequest:
    async def test_it_publishes_once_and_is_answered_each_time(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        for _ in range(3):
            answer = await post(client, "k")
            assert (answer.status, answer.body) == (200, {})
        assert heard(client, listener) == 1

    async def test_without_a_key_or_with_another_it_publishes_again(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        for key in ("one", "two", None, None):
            assert (await post(client, key)).status == 200
        assert heard(client, listener) == 4

    async def test_the_key_may_be_a_field(self, client: ApiClient, listener: RecordingConnection) -> None:
        for _ in range(2):
            assert (await client.trigger(idempotency_key="k")).status == 200
        assert heard(client, listener) == 1

    async def test_the_header_wins_over_the_field(self, client: ApiClient, listener: RecordingConnection) -> None:
        for key in ("one", "two"):
            assert (await post(client, key, {**EVENT, "idempotency_key": "field"})).status == 200
        assert heard(client, listener) == 2
        assert (await client.trigger(idempotency_key="one")).error == (409, "idempotency_key_reused")

    async def test_it_may_be_made_of_query_parameters(self, client: ApiClient, listener: RecordingConnection) -> None:
        query = urlencode({**EVENT, "idempotency_key": "k"}).encode()
        for _ in range(2):
            assert (await client.send("POST", EVENTS, query)).status == 200
        assert heard(client, listener) == 1
        another = urlencode({**EVENT, "data": "another", "idempotency_key": "k"}).encode()
        assert (await client.send("POST", EVENTS, another)).error == (409, "idempotency_key_reused")

    async def test_a_batch_is_one(self, client: ApiClient, listener: RecordingConnection) -> None:
        batch = {"batch": [EVENT, {**EVENT, "name": "f", "info": "subscription_count"}]}
        for _ in range(2):
            answer = await post(client, "k", batch, BATCH)
            assert (answer.status, answer.body) == (200, {"batch": [{}, {"subscription_count": 1}]})
        for _ in range(2):
            assert (await client.post("/batch_events", {**batch, "idempotency_key": "l"})).status == 200
        assert heard(client, listener) == 4

    async def test_the_answer_says_what_was_asked_for(self, client: ApiClient, listener: RecordingConnection) -> None:
        for _ in range(2):
            answer = await client.trigger(info="subscription_count", idempotency_key="k")
            assert answer.body == {"channels": {"c": {"subscription_count": 1}}}

    async def test_a_retry_that_is_signed_anew_is_the_same(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        body = json.dumps(EVENT).encode()
        for seconds in (0, 7):
            query = signed_query("POST", EVENTS, body, timestamp=NOW + seconds)
            assert (await client.send("POST", EVENTS, query, with_key("k", []), body)).status == 200
        query = signed_query("POST", EVENTS, body, key=SECOND_KEY, secret=SECOND_SECRET)
        assert (await client.send("POST", EVENTS, query, with_key("k", []), body)).status == 200
        assert (await post(client, "k")).status == 200
        assert heard(client, listener) == 1

    async def test_a_signed_retry_made_of_query_parameters_is_the_same(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        parameters = [*EVENT.items(), ("idempotency_key", "k")]
        for seconds in (0, 7):
            query = signed_query("POST", EVENTS, parameters=parameters, timestamp=NOW + seconds)
            assert (await client.send("POST", EVENTS, query, [])).status == 200
        assert heard(client, listener) == 1

    async def test_apps_have_their_own_keys(self, client: ApiClient, listener: RecordingConnection) -> None:
        assert await client.node.broker.claim_request("other", "k", b"theirs") is None
        assert (await post(client, "k")).status == 200
        assert heard(client, listener) == 1


class TestAnotherRequest:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            (EVENTS, {**EVENT, "data": "another"}),
            (EVENTS, {**EVENT, "channel": "d"}),
            (EVENTS, {**EVENT, "socket_id": "1.2"}),
            (BATCH, {"batch": [EVENT]}),
        ],
    )
    async def test_it_is_refused_and_publishes_nothing(
        self, client: ApiClient, listener: RecordingConnection, path: str, body: Any
    ) -> None:
        await post(client, "k")
        assert (await post(client, "k", body, path)).error == (409, "idempotency_key_reused")
        assert heard(client, listener) == 1

    async def test_after_ten_minutes_the_key_is_new(self) -> None:
        now = 0.0
        client = ApiClient(broker=MemoryBroker(lambda: now))
        await post(client, "k")
        now = REQUEST_LIFETIME - 1
        assert (await post(client, "k", {**EVENT, "data": "another"})).status == 409
        now = REQUEST_LIFETIME
        assert (await post(client, "k", {**EVENT, "data": "another"})).status == 200


class TestKeys:
    @pytest.mark.parametrize("key", ["k", "k" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a b ~!"])
    async def test_any_printable_ascii_is_one(self, client: ApiClient, key: str) -> None:
        assert (await post(client, key)).status == 200
        assert (await client.trigger(idempotency_key=key)).error == (409, "idempotency_key_reused")

    @pytest.mark.parametrize("key", ["", "k" * 256, "ä", b"\xff", "a\tb", "\x7f"])
    async def test_anything_else_is_refused_and_publishes_nothing(
        self, client: ApiClient, listener: RecordingConnection, key: str | bytes
    ) -> None:
        assert (await post(client, key)).error == (400, "invalid_idempotency_key")
        if isinstance(key, str):
            assert (await client.trigger(idempotency_key=key)).error == (400, "invalid_idempotency_key")
        assert heard(client, listener) == 0

    async def test_a_field_that_is_no_text_is_refused(self, client: ApiClient) -> None:
        assert (await client.trigger(idempotency_key=7)).error == (400, "invalid_body")


class TestFailures:
    async def test_a_request_that_was_wrong_does_not_use_up_its_key(
        self, client: ApiClient, listener: RecordingConnection
    ) -> None:
        assert (await post(client, "k", {**EVENT, "name": ""})).status == 400
        assert (await post(client, "k")).status == 200
        assert heard(client, listener) == 1

    @pytest.mark.parametrize("path", [EVENTS, BATCH])
    async def test_one_that_could_not_be_published_may_be_tried_again(
        self, client: ApiClient, broker: SlowBroker, listener: RecordingConnection, path: str
    ) -> None:
        body = EVENT if path == EVENTS else {"batch": [EVENT]}
        broker.fail("publish")
        assert (await post(client, "k", body, path)).error == (503, "broker_unavailable")
        broker.recover()
        assert (await post(client, "k", body, path)).status == 200
        assert heard(client, listener) == 1

    async def test_a_bug_does_not_use_up_the_key_either(self, client: ApiClient, broker: SlowBroker) -> None:
        broker.fail("publish", error=RuntimeError("bug"))
        assert (await post(client, "k")).error == (500, "internal_error")
        broker.recover()
        assert (await post(client, "k")).status == 200

    async def test_where_keys_cannot_be_looked_up_nothing_is_published(
        self, client: ApiClient, broker: SlowBroker, listener: RecordingConnection
    ) -> None:
        broker.fail("claim_request")
        assert (await post(client, "k")).error == (503, "broker_unavailable")
        assert heard(client, listener) == 0

    async def test_the_publisher_hears_why_its_publish_failed(self, client: ApiClient, broker: SlowBroker) -> None:
        broker.fail("publish", "release_request")
        assert (await post(client, "k")).error == (503, "broker_unavailable")

    async def test_what_is_published_is_published(self, client: ApiClient, broker: SlowBroker) -> None:
        broker.fail("finish_request")
        assert (await post(client, "k")).status == 200


class TestAtTheSameTime:
    async def test_while_the_first_is_being_done_its_outcome_is_not_known(
        self, client: ApiClient, broker: SlowBroker, listener: RecordingConnection
    ) -> None:
        hold = broker.hold("publish")
        first = asyncio.create_task(post(client, "k"))
        await hold.reached()
        assert (await post(client, "k")).error == (409, "idempotency_key_in_use")
        assert (await post(client, "k", {**EVENT, "data": "another"})).error == (409, "idempotency_key_reused")
        hold.release()
        assert (await first).status == 200
        assert (await post(client, "k")).status == 200
        assert heard(client, listener) == 1

    async def test_of_many_at_once_one_publishes(
        self, client: ApiClient, broker: SlowBroker, listener: RecordingConnection
    ) -> None:
        hold = broker.hold_reply("claim_request")
        requests = [asyncio.create_task(post(client, "k")) for _ in range(10)]
        await hold.reached()
        hold.release()
        statuses = [(await each).status for each in requests]
        assert statuses.count(200) >= 1
        assert set(statuses) <= {200, 409}
        assert heard(client, listener) == 1
