"""What a key may be used for, and how much of it the app's plan allows."""

import json
from typing import Any

import pytest

from skubber.core.app import ApiKey, App, Scope
from skubber.core.limits import Limits
from skubber.core.meter import SECONDS_A_DAY
from support.api_client import NOW, Answer, ApiClient, key_headers, signed_query
from support.apps import KEY, SECRET, make_app

EVENT = b'{"name":"e","channel":"c","data":"d"}'
CALLS: dict[Scope, list[tuple[str, str, bytes]]] = {
    Scope.PUBLISH: [
        ("POST", "/events", EVENT),
        ("POST", "/batch_events", b'{"batch":[%s]}' % EVENT),
        ("POST", "/channels/c/events?name=e", b"d"),
    ],
    Scope.READ: [("GET", "/channels", b""), ("GET", "/channels/c", b""), ("GET", "/channels/presence-c/users", b"")],
    Scope.ADMIN: [("POST", "/users/ada/terminate_connections", b"")],
}


async def call(client: ApiClient, method: str, path: str, body: bytes = b"") -> Answer:
    path, _, query = path.partition("?")
    return await client.send(method, f"/apps/{client.app.id}{path}", query.encode(), body=body)


def limited(**limits: int) -> ApiClient:
    """The API with limits."""
    return ApiClient(make_app(limits=Limits(**limits)))


class TestScopes:
    @pytest.mark.parametrize("scope", CALLS)
    async def test_a_key_is_good_for_what_its_scopes_say(self, scope: Scope) -> None:
        client = ApiClient(App.with_keys("4711", [ApiKey(KEY, SECRET, scopes=frozenset({scope}))]))
        for needed, calls in CALLS.items():
            for method, path, body in calls:
                answer = await call(client, method, path, body)
                if needed is scope:
                    assert answer.status in {200, 202}
                else:
                    assert answer.error == (403, "insufficient_scope")

    async def test_a_signature_counts_as_the_key_it_is_made_with(self) -> None:
        client = ApiClient(App.with_keys("4711", [ApiKey(KEY, SECRET, scopes=frozenset({Scope.READ}))]))
        query = signed_query("POST", "/apps/4711/events", EVENT)
        answer = await client.send("POST", "/apps/4711/events", query, [], EVENT)
        assert answer.error == (403, "insufficient_scope")


class TestRotatedSecrets:
    async def test_the_secret_before_is_as_good_as_the_new_one(self) -> None:
        client = ApiClient(App.with_keys("4711", [ApiKey(KEY, "new", SECRET)]))
        for secret, status in (("new", 200), (SECRET, 200), ("older", 401)):
            answer = await client.send("GET", "/apps/4711/channels", headers=key_headers(KEY, secret))
            assert answer.status == status
            query = signed_query("POST", "/apps/4711/events", EVENT, secret=secret)
            assert (await client.send("POST", "/apps/4711/events", query, [], EVENT)).status == status

    async def test_when_a_key_was_used_is_noted(self, client: ApiClient) -> None:
        assert (await client.get("/channels")).status == 200
        assert client.api._apps.used_keys == {KEY: NOW}


class TestRequestsASecond:
    @pytest.mark.parametrize(
        ("limit", "code", "calls"),
        [
            ("publishes_per_second", "publish_rate", CALLS[Scope.PUBLISH]),
            ("reads_per_second", "read_rate", CALLS[Scope.READ] + CALLS[Scope.ADMIN]),
        ],
    )
    async def test_further_ones_are_told_to_come_back(
        self, limit: str, code: str, calls: list[tuple[str, str, bytes]]
    ) -> None:
        client = limited(**{limit: len(calls)})
        for each in calls:
            assert (await call(client, *each)).status in {200, 202}
        for each in calls:
            answer = await call(client, *each)
            assert answer.error == (429, code)
            assert answer.headers[b"retry-after"] == b"1"
        client.now += 1
        assert (await call(client, *calls[0])).status in {200, 202}

    async def test_requests_without_credentials_do_not_count(self) -> None:
        client = limited(reads_per_second=1)
        for _ in range(3):
            assert (await client.send("GET", "/apps/4711/channels", headers=[])).status == 401
        assert (await client.get("/channels")).status == 200


class TestMessages:
    async def test_each_channel_of_an_event_counts(self) -> None:
        client = limited(messages_per_second=5)
        assert (await client.trigger(channels=["a", "b", "c"])).status == 200
        assert (await client.trigger(channels=["a", "b", "c"])).error == (429, "message_rate")
        assert (await client.trigger(channels=["a", "b"])).status == 200
        assert client.app.meter.published == 5

    async def test_of_a_batch_that_is_refused_nothing_is_published(self) -> None:
        client = limited(messages_per_second=3)
        listener = client.node.connect(client.app, "1.1")
        await client.node.subscribe(client.app, listener, "c")
        await client.trigger()
        batch: Any = {"batch": [json.loads(EVENT)] * 3}
        assert (await client.post("/batch_events", batch)).error == (429, "message_rate")
        client.node.iteration.end()
        assert listener.received == ["c/e"]

    async def test_deliveries_count_against_the_day_until_midnight(self) -> None:
        client = limited(messages_per_day=10)
        for number in range(4):
            await client.node.subscribe(client.app, client.node.connect(client.app, f"1.{number}"), "c")
        for _ in range(2):  # one published and four delivered, each
            assert (await client.trigger()).status == 200
            client.node.iteration.end()
        answer = await client.trigger()
        assert answer.error == (429, "message_quota")
        assert int(answer.headers[b"retry-after"]) == SECONDS_A_DAY - NOW % SECONDS_A_DAY
        client.now += SECONDS_A_DAY
        assert (await client.trigger()).status == 200

    async def test_a_publish_that_was_refused_may_be_tried_again_with_the_same_idempotency_key(self) -> None:
        client = limited(messages_per_second=1)
        await client.trigger()
        assert (await client.trigger(idempotency_key="k")).error == (429, "message_rate")
        client.now += 1
        assert (await client.trigger(idempotency_key="k")).status == 200
        assert (await client.trigger(idempotency_key="k")).status == 200  # done already: nothing is published
        assert client.app.meter.published == 2

    async def test_what_is_invalid_does_not_count(self, client: ApiClient) -> None:
        assert (await client.trigger(name="")).status == 400
        assert client.app.meter.published == 0
