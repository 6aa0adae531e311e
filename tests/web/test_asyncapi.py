"""The AsyncAPI document: valid, complete, and true of what clients and server say to each other."""

import ast
import json
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator  # type: ignore[import-untyped]

import skubber
from skubber.codecs import pusher
from skubber.codecs.channel_auth import check_channel_signature, check_user_signature
from skubber.codecs.pusher import CLIENT_EVENT_RATE, WATCHLIST_TOO_LONG, CloseCode
from skubber.codecs.signalr import RECORD_SEPARATOR, MessageType
from skubber.codecs.signalr_events import RESERVED_TARGETS
from skubber.codecs.signalr_json import JSON
from skubber.core.app import ApiKey
from skubber.core.event import SubscriptionCount
from skubber.sessions.signalr.hub_methods import SIGN_IN, STREAM_EVENTS, SUBSCRIBE, TRIGGER, UNSUBSCRIBE
from skubber.sessions.signalr.session import SignalRSession
from skubber.web.asyncapi import SIDES, asyncapi_document
from skubber.web.asyncapi_parts import SOCKET_ID, Message, Side
from skubber.web.asyncapi_pusher import PUSHER
from skubber.web.asyncapi_signalr import SIGNALR
from support.apps import make_app
from support.pusher_client import PusherNode, sign_in
from support.signalr_client import SignalRNode

SPECIFICATIONS = Path(__file__).parents[1] / "clients/node_modules/@asyncapi/specs/schemas"
SOURCES = Path(skubber.__file__).parent

DOCUMENT: dict[str, Any] = json.loads(json.dumps(asyncapi_document()))
METHODS = {method.name: method for method in (SUBSCRIBE, STREAM_EVENTS, UNSUBSCRIBE, TRIGGER, SIGN_IN)}


def closed(schema: Any) -> Any:
    """The schema, under which an object may have no further members."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(value) for name, value in schema.items()}
    return (
        {"additionalProperties": False, **inner} if schema.get("type") == "object" and "properties" in schema else inner
    )


def problems(value: Any, schema: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a value; text that holds JSON is looked into."""
    validator = Draft7Validator(closed(schema))
    yield from (error.message for error in validator.iter_errors(value))
    for name, member in schema.get("properties", {}).items():
        if isinstance(value, dict) and name in value:
            yield from problems(value[name], member)
    if isinstance(value, str) and "contentSchema" in schema:
        yield from problems(json.loads(value), schema["contentSchema"])


def described(messages: Iterable[Message], value: Any) -> str:
    """The id of the one message that a value is."""
    (found,) = (message.id for message in messages if not list(problems(value, message.payload)))
    return found


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(value: Any) -> Iterator[str]:
    """Everything the document refers to."""
    if isinstance(value, list):
        for each in value:
            yield from references(each)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)


def test_the_document_is_valid(node: None) -> None:
    specification = json.loads((SPECIFICATIONS / "3.0.0.json").read_text("utf-8"))
    assert [error.message for error in Draft7Validator(specification).iter_errors(DOCUMENT)] == []


async def test_it_is_served(site: httpx.AsyncClient) -> None:
    response = await site.get("/docs/asyncapi.json")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == DOCUMENT


def test_whatever_it_refers_to_is_there() -> None:
    for reference in references(DOCUMENT):
        assert resolved(reference), reference


def test_each_message_has_an_operation_in_each_direction_it_goes() -> None:
    operations = DOCUMENT["operations"].values()
    for side in SIDES:
        for action, messages in (("receive", side.to_server), ("send", side.to_client)):
            covered = [
                each["messages"][0]["$ref"]
                for each in operations
                if (each["action"], each["channel"]["$ref"]) == (action, f"#/channels/{side.id}")
            ]
            assert covered == [f"#/channels/{side.id}/messages/{message.id}" for message in messages]


def test_what_answers_a_message_is_sent_by_the_server() -> None:
    for side in SIDES:
        sent = {message.id for message in side.to_client}
        for message in side.to_server:
            assert sent.issuperset(message.replies), message.id


def messages(*sides: Side) -> list[Any]:
    return [pytest.param(message, id=f"{side.id}-{message.id}") for side in sides for message in side.messages]


@pytest.mark.parametrize("message", messages(PUSHER, SIGNALR))
def test_each_example_is_what_it_is_an_example_of(message: Message) -> None:
    assert message.examples
    for example in message.examples:
        assert list(problems(json.loads(json.dumps(example.payload)), message.payload)) == []


def test_pusher_clients_may_say_what_the_examples_say() -> None:
    for message in PUSHER.to_server:
        for example in message.examples:
            said = pusher.decode_message(json.dumps(example.payload).encode())
            match message.id:
                case "subscribe" | "unsubscribe":
                    request = pusher.decode_subscribe(said.data)
                    if request.auth is not None:
                        check_channel_signature(
                            request.auth,
                            ApiKey("YOUR_KEY", "YOUR_SECRET"),
                            SOCKET_ID,
                            request.channel,
                            request.channel_data,
                        )
                case "signin":
                    sign_in = pusher.decode_signin(said.data)
                    check_user_signature(sign_in.auth, ApiKey("YOUR_KEY", "YOUR_SECRET"), SOCKET_ID, sign_in.user_data)


def test_signalr_clients_may_say_what_the_examples_say() -> None:
    for message in SIGNALR.to_server[1:]:
        for example in message.examples:
            (said,) = JSON.reader(1000).feed(json.dumps(example.payload).encode() + RECORD_SEPARATOR)
            if said.target is None:
                continue
            arguments = METHODS[said.target].bind(said.arguments or ())
            if said.target == "Subscribe" and arguments[1] is not None:
                check_channel_signature(arguments[1], ApiKey("YOUR_KEY", "YOUR_SECRET"), SOCKET_ID, arguments[0], None)
            if said.target == "SignIn":
                check_user_signature(arguments[0], ApiKey("YOUR_KEY", "YOUR_SECRET"), SOCKET_ID, arguments[1])


def test_every_hub_method_is_described() -> None:
    targets = {
        message.payload["properties"]["target"]["const"].lower(): message.payload["properties"]["type"]["const"]
        for message in SIGNALR.to_server
        if "target" in message.payload.get("properties", {})
    }
    calls = dict.fromkeys(SignalRSession._METHODS, MessageType.INVOCATION)
    assert targets == {**calls, STREAM_EVENTS.name.lower(): MessageType.STREAM_INVOCATION}


def test_the_servers_own_calls_are_those_that_events_are_not_named_like() -> None:
    by_name = next(message for message in SIGNALR.to_client if message.id == "eventByName")
    targets = by_name.payload["properties"]["target"]["not"]["enum"]
    assert {target.lower() for target in targets} == RESERVED_TARGETS


async def test_a_pusher_client_is_told_nothing_else() -> None:
    node = PusherNode()
    told: list[Any] = []
    ada, bob = node.open(f"/app/{'k' * 4}"), node.connect_client()
    told += ada.received()
    await bob.send({"event": "pusher:ping"})
    await bob.send({"event": "pusher:subscribe", "data": {"channel": "private-x"}})
    await bob.send({"event": "pusher:subscribe", "data": {"channel": "orders"}})
    await bob.send({"event": "pusher:subscribe", "data": {"channel": "orders"}})
    await bob.send({"event": "pusher:subscribe", "data": bob.signed("presence-room", '{"user_id":"bob"}')})
    ada = node.connect_client()
    await ada.join("presence-room", "ada", {"name": "Ada"})
    await ada.send({"event": "client-hello", "channel": "presence-room", "data": [1]})
    await ada.leave()
    told += bob.received()
    node.pass_time(120)
    told += bob.received()
    assert [described(PUSHER.to_client, each) for each in told] == [
        "error",
        "pong",
        "subscriptionError",
        "subscriptionSucceeded",
        "error",
        "subscriptionSucceeded",
        "memberAdded",
        "event",
        "memberRemoved",
        "ping",
    ]


async def test_a_signalr_client_is_told_nothing_else() -> None:
    node = SignalRNode()
    told: list[Any] = []
    refused = node.open()
    refused.send_bytes(b'{"protocol":"smoke","version":1}\x1e')
    told.append(refused.handshake_answer())
    refused.hang_up()
    ada, bob = (node.connect_client(node.token(name, "presence-*"), dispatch="name") for name in ("ada", "bob"))
    bob.invoke("Subscribe", "orders")
    bob.invoke("Subscribe", "private-orders")
    bob.send({"type": 1, "target": "Trigger", "arguments": ["orders", "client-x", 1]})
    bob.invoke("Subscribe", "presence-room")
    ada.call("Subscribe", "presence-room")
    ada.call("Trigger", "presence-room", "client-hello", [1])
    ada.call("Trigger", "presence-room", "client-event", [1])
    stream = bob.stream("presence-hall")
    ada.call("Subscribe", "presence-hall")
    ada.call("Trigger", "presence-hall", "client-hello", {})
    bob.send({"type": 5, "invocationId": stream})
    ada.hang_up()
    told += bob.received()
    node.pass_time(15)
    told += bob.received()
    kinds = [described(SIGNALR.to_client, each) for each in told]
    assert kinds[:9] == [
        "handshakeAnswer",
        "subscriptionSucceeded",
        "completion",
        "subscriptionError",
        "completion",
        "error",
        "subscriptionSucceeded",
        "completion",
        "memberAdded",
    ]
    assert kinds[9:] == [
        "eventByName",
        "eventByName",
        "memberAdded",
        "streamItem",
        "completion",
        "memberRemoved",
        "ping",
    ]


async def test_what_users_counts_and_cache_channels_bring_is_described_too() -> None:
    node = PusherNode(make_app(subscription_counts=True))
    ada, bob = node.connect_client(), node.connect_client()
    await bob.sign_in("bob")
    told: list[Any] = await ada.sign_in("ada", ["bob"])
    await ada.send({"event": "pusher:subscribe", "data": {"channel": "cache-prices"}})
    await bob.leave()
    told += ada.received()
    assert [described(PUSHER.to_client, each) for each in told] == [
        "watchlistEvents",
        "subscriptionSucceeded",
        "cacheMiss",
        "subscriptionCount",
        "watchlistEvents",
    ]


async def test_to_signalr_clients_likewise() -> None:
    node = SignalRNode()
    ada, bob = node.connect_client(node.token("ada")), node.connect_client(node.token("bob"))
    user_data = json.dumps({"id": "ada", "watchlist": ["bob"]})
    ada.invoke("SignIn", sign_in(ada.connection_id, user_data)["auth"], user_data)
    ada.invoke("Subscribe", "cache-prices")
    bob.hang_up()
    await node.hub.publish(node.app, ("cache-prices",), SubscriptionCount(1))
    assert [described(SIGNALR.to_client, each) for each in ada.received()] == [
        "watchlistEvents",
        "completion",
        "subscriptionSucceeded",
        "cacheMiss",
        "completion",
        "watchlistEvents",
        "subscriptionCount",
    ]


def test_every_close_code_is_explained() -> None:
    assert {error.code for error in PUSHER.errors} == {*map(int, CloseCode), CLIENT_EVENT_RATE, WATCHLIST_TOO_LONG}


def raised_codes(*files: str) -> set[str]:
    """The codes of the errors that modules make."""
    return {
        str(call.args[0].value)
        for file in files
        for call in ast.walk(ast.parse((SOURCES / file).read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.endswith("Error")
        if call.args and isinstance(call.args[0], ast.Constant) and str(call.args[0].value).isidentifier()
    }


def test_every_code_that_a_call_can_end_with_is_explained() -> None:
    codes = raised_codes(
        "sessions/client_session.py",
        "sessions/signalr/session.py",
        "sessions/signalr/hub_methods.py",
        "codecs/channel_auth.py",
        "core/channel_name.py",
        "core/hub.py",
    )
    assert {error.code for error in SIGNALR.errors} == codes | {"message_rate", "message_quota"}


class Anchors(HTMLParser):
    """A page's ids, what its links within the page lead to, its text and its code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.targets: set[str] = set()
        self.text = ""
        self.codes: list[str] = []
        self._is_code = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self._is_code = True
            self.codes.append("")
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href" and value is not None and value.startswith("#"):
                self.targets.add(value[1:])

    def handle_endtag(self, tag: str) -> None:
        self._is_code = self._is_code and tag != "pre"

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._is_code:
            self.codes[-1] += data


async def test_the_page_shows_every_message_and_links_to_nothing_that_is_not_there(site: httpx.AsyncClient) -> None:
    response = await site.get("/docs/realtime")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    page = Anchors(response.text)
    assert len(set(page.ids)) == len(page.ids)
    assert page.targets <= set(page.ids)
    for side in SIDES:
        for action, sent in (("receive", side.to_server), ("send", side.to_client)):
            assert page.targets >= {f"{side.id}-{action}-{message.id}" for message in sent}
        for message in side.messages:
            assert message.title in page.text
        for error in side.errors:
            assert error.meaning in page.text


async def test_the_page_shows_the_examples_as_json(site: httpx.AsyncClient) -> None:
    page = Anchors((await site.get("/docs/realtime")).text)
    payloads = [
        example.payload
        for side in SIDES
        for message in (*side.to_server, *side.to_client)
        for example in message.examples
    ]
    assert [json.loads(code) for code in page.codes] == payloads
