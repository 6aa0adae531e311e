"""What the hub tells whoever watches an app: each thing once, and nothing to anybody else."""

from typing import Any

import pytest

from skubber.core.app import ApiKey, App
from skubber.core.event import Event, PublishedEvent
from skubber.core.observers import Occurrence
from support.node import Node

APP = App.with_keys("4711", [ApiKey("k", "s")])


class Watching:
    """Takes what happens. Implements ``Observe``."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def __call__(self, seen: Occurrence) -> None:
        self.seen.append((seen.kind.value, *seen.channels, seen.socket_id, seen.user_id))


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def watching(node: Node) -> Watching:
    watching = Watching()
    node.hub.observers.by_app[APP.id] = watching
    return watching


async def test_a_clients_life_is_told(node: Node, watching: Watching) -> None:
    client = node.connect(APP, "1.1")
    subscription = await node.subscribe(APP, client, "c")
    await node.hub.unsubscribe(APP, subscription)
    await node.hub.disconnect(APP, client, [])
    assert watching.seen == [
        ("connected", "1.1", None),
        ("subscribed", "c", "1.1", None),
        ("channel_occupied", "c", None, None),
        ("unsubscribed", "c", "1.1", None),
        ("channel_vacated", "c", None, None),
        ("disconnected", "1.1", None),
    ]


async def test_members_are_told_when_they_come_and_go(node: Node, watching: Watching) -> None:
    one, two = node.connect(APP, "1.1"), node.connect(APP, "2.2")
    held = [await node.subscribe(APP, client, "presence-c", "ada") for client in (one, two)]
    for subscription in held:
        await node.hub.unsubscribe(APP, subscription)
    members = [each for each in watching.seen if each[0].startswith("member")]
    assert members == [("member_added", "presence-c", None, "ada"), ("member_removed", "presence-c", None, "ada")]


async def test_a_sign_in_is_told_and_the_channels_that_come_with_it_are_not(node: Node, watching: Watching) -> None:
    client = node.connect(APP, "1.1")
    held = await node.sign_in(APP, client, "ada", ["grace"])
    await node.hub.disconnect(APP, client, held)
    assert watching.seen == [
        ("connected", "1.1", None),
        ("signed_in", "1.1", "ada"),
        ("disconnected", "1.1", None),
    ]


async def test_events_are_told_wherever_nobody_is_subscribed_too(node: Node, watching: Watching) -> None:
    await node.hub.publish(APP, ["a", "b"], PublishedEvent("e", b'"d"'), "1.1")
    await node.hub.publish_client_event(APP, "private-c", Event("client-e", b"{}", "ada"), "2.2")
    assert watching.seen == [("publish", "a", "b", "1.1", None), ("client_event", "private-c", "2.2", "ada")]


async def test_of_other_apps_nothing_is_told(node: Node, watching: Watching) -> None:
    other = App.with_keys("other", [ApiKey("o", "s")])
    await node.subscribe(other, node.connect(other, "1.1"), "c")
    await node.hub.publish(other, ["c"], PublishedEvent("e", b'"d"'))
    assert watching.seen == []
