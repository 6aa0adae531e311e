"""The old way to publish: the path names the channel, the query the event, and the body is the data."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest

from skubber.brokers.memory import MemoryBroker
from support.api_client import Answer, ApiClient, key_headers, signed_query
from support.pusher_client import PusherClient, PusherNode

DATA = '{"orderId": 42, "who": "Äda"}'


class Publisher:
    """Publishes the old way, over a node with a Pusher client subscribed to ``c``."""

    def __init__(self) -> None:
        broker = MemoryBroker()
        self.client = ApiClient(broker=broker)
        self.node = PusherNode(self.client.app, broker=broker)  # the node that the broker delivers to
        self.listener: PusherClient = self.node.connect_client()

    async def post(
        self, channel: str = "c", body: bytes = DATA.encode(), *, signed: bool = False, **parameters: str
    ) -> Answer:
        path = f"/apps/4711/channels/{quote(channel, safe='')}/events"
        query = {"name": "e", **parameters}
        if not signed:
            return await self.client.send("POST", path, urlencode(query).encode(), body=body)
        return await self.client.send("POST", path, signed_query("POST", path, body, query.items()), [], body)


@pytest.fixture
async def publisher() -> Publisher:
    """A publisher, and a client that listens."""
    publisher = Publisher()
    await publisher.listener.subscribe("c")
    return publisher


@pytest.mark.parametrize("signed", [False, True])
async def test_the_body_is_the_data_as_it_is(publisher: Publisher, signed: bool) -> None:
    answer = await publisher.post(signed=signed)
    assert (answer.status, answer.body) == (202, {})
    assert publisher.listener.received() == [{"event": "e", "channel": "c", "data": DATA}]


@pytest.mark.parametrize("body", [b"", b"plain text", b'"a string"', "Ä\0\n".encode()])
async def test_it_need_not_be_json(publisher: Publisher, body: bytes) -> None:
    assert (await publisher.post(body=body)).status == 202
    assert publisher.listener.received_one()["data"] == body.decode()


async def test_a_signature_covers_the_body_and_the_name(publisher: Publisher) -> None:
    path = "/apps/4711/channels/c/events"
    query = signed_query("POST", path, b"data", [("name", "e")])
    assert (await publisher.client.send("POST", path, query, [], b"other")).error == (401, "body_mismatch")
    answer = await publisher.client.send("POST", path, query.replace(b"name=e", b"name=f"), [], b"data")
    assert answer.error == (401, "invalid_signature")
    assert publisher.listener.received() == []


@pytest.mark.parametrize("socket_id", ["7.1", ""])
async def test_it_may_exclude_a_connection(publisher: Publisher, socket_id: str) -> None:
    assert publisher.listener.socket_id == "7.1"
    assert (await publisher.post(socket_id=socket_id)).status == 202
    assert publisher.listener.events() == ([] if socket_id else ["e"])


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"name": ""}, (400, "invalid_event_name")),
        ({"name": "n" * 201}, (400, "invalid_event_name")),
        ({"name": "pusher:e"}, (400, "invalid_event_name")),
        ({"socket_id": "nonsense"}, (400, "invalid_socket_id")),
        ({"channel": "no spaces"}, (400, "invalid_channel_name")),
        ({"body": b"\xff"}, (400, "invalid_body")),
        ({"body": b"d" * 10_241}, (413, "event_data_too_large")),
        ({"idempotency_key": "ä"}, (400, "invalid_idempotency_key")),
    ],
)
async def test_the_rules_are_those_of_every_publish(
    publisher: Publisher, parameters: dict[str, Any], error: tuple[int, str]
) -> None:
    assert (await publisher.post(**parameters)).error == error
    assert publisher.listener.received() == []


async def test_a_name_is_needed(publisher: Publisher) -> None:
    answer = await publisher.client.send("POST", "/apps/4711/channels/c/events", body=b"d")
    assert answer.error == (400, "invalid_event_name")


async def test_the_largest_data_is_taken(publisher: Publisher) -> None:
    assert (await publisher.post(body=b"d" * 10_240)).status == 202


async def test_a_repeated_request_publishes_once(publisher: Publisher) -> None:
    for _ in range(2):
        assert (await publisher.post(idempotency_key="k")).status == 202
    headers = [*key_headers(), (b"idempotency-key", b"header")]
    for _ in range(2):
        answer = await publisher.client.send("POST", "/apps/4711/channels/c/events", b"name=e", headers, b"d")
        assert answer.status == 202
    assert publisher.listener.events() == ["e", "e"]


async def test_a_cache_channel_keeps_it(publisher: Publisher) -> None:
    await publisher.post("cache-c", b"last")
    answer = await publisher.client.get("/channels/cache-c", info="cache")
    assert answer.body["cache"]["data"] == "last"
