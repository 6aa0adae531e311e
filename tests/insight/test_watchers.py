"""What watchers of an app are told, and that nothing is kept for those who are gone."""

from typing import Any

import pytest

from skubber.core.event import Event
from skubber.core.observers import Kind, Observers
from skubber.insight.questions import Observation, Observe
from skubber.insight.watchers import LEASE_SECONDS, MOST_CHARACTERS, MOST_KEPT, Watchers

APP = "4711"


class Scene:
    """An app that is watched, and a clock in the test's hands."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.observers = Observers()
        self.watchers = Watchers(self.observers, lambda: self.now, lambda: self.now)

    def watch(self, watcher: str = "w", **wanted: Any) -> list[Observation]:
        """What a watcher is told now."""
        return self.watchers.ask(Observe(APP, watcher, **wanted))[0]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def publish(scene: Scene, channel: str = "c", name: str = "e", data: bytes = b'"d"', app_id: str = APP) -> None:
    scene.observers.tell(app_id, Kind.PUBLISH, [channel], event=Event(name, data), socket_id="1.1")


def test_a_watcher_is_told_what_happens_after_it_has_come(scene: Scene) -> None:
    publish(scene)
    assert scene.watch() == []
    publish(scene, "orders", "shipped", b'{"id":1}')
    scene.observers.tell(APP, Kind.ERROR, ["c"], name="client-x", detail="No.", code="not_subscribed")
    assert scene.watch() == [
        Observation(1_000_000, "publish", ["orders"], "shipped", '{"id":1}', socket_id="1.1"),
        Observation(1_000_000, "error", ["c"], "client-x", detail="No.", code="not_subscribed"),
    ]
    assert scene.watch() == []


def test_each_watcher_is_told_and_only_of_its_app(scene: Scene) -> None:
    scene.watch("one")
    scene.watch("two")
    publish(scene, app_id="other")
    publish(scene)
    assert len(scene.watch("one")) == len(scene.watch("two")) == 1


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({}, ["publish", "publish", "connected"]),
        ({"kinds": ["connected"]}, ["connected"]),
        ({"channel": "orders-1"}, ["publish"]),
        ({"channel": "orders-*"}, ["publish", "publish"]),
        ({"channel": "orders-"}, []),
        ({"event": "ship*"}, ["publish"]),
        ({"event": "ship"}, []),
        ({"socket_id": "2.2"}, ["connected"]),
    ],
)
def test_a_watcher_is_told_only_what_it_wants(scene: Scene, wanted: dict[str, Any], told: list[str]) -> None:
    scene.watch(**wanted)
    publish(scene, "orders-1", "shipped")
    publish(scene, "orders-2", "paid")
    scene.observers.tell(APP, Kind.CONNECTED, socket_id="2.2")
    assert [each.kind for each in scene.watch(**wanted)] == told


def test_a_watcher_that_wants_something_else_begins_anew(scene: Scene) -> None:
    scene.watch()
    publish(scene)
    assert scene.watch(channel="c") == []
    publish(scene)
    assert len(scene.watch(channel="c")) == 1


def test_more_than_is_kept_is_only_counted(scene: Scene) -> None:
    question = Observe(APP, "w")
    scene.watchers.ask(question)
    for _ in range(MOST_KEPT + 7):
        publish(scene)
    observations, skipped = scene.watchers.ask(question)
    assert (len(observations), skipped) == (MOST_KEPT, 7)
    assert scene.watchers.ask(question) == ([], 0)


def test_long_data_is_cut(scene: Scene) -> None:
    scene.watch()
    publish(scene, data=b'"' + b"x" * (MOST_CHARACTERS + 1) + b'"')
    (observation,) = scene.watch()
    assert (len(observation.data or ""), observation.is_cut) == (MOST_CHARACTERS, True)


def test_who_does_not_ask_any_more_is_forgotten_when_something_happens(scene: Scene) -> None:
    scene.watch()
    scene.now += LEASE_SECONDS
    publish(scene)
    assert scene.observers.by_app
    scene.now += 0.1
    publish(scene)
    assert scene.observers.by_app == {}
    assert scene.watch() == []


def test_who_still_asks_misses_nothing_when_another_is_gone(scene: Scene) -> None:
    scene.watch("gone")
    scene.watch("here")
    scene.now += LEASE_SECONDS
    scene.watch("here")
    scene.now += 0.1
    publish(scene)
    assert len(scene.watch("here")) == 1


def test_a_webhook_is_found_by_any_of_the_events_it_tells_of(scene: Scene) -> None:
    scene.watch(event="member_added")
    scene.observers.tell(APP, Kind.WEBHOOK, ["c"], name="channel_occupied, member_added")
    scene.observers.tell(APP, Kind.WEBHOOK, ["c"], name="channel_vacated")
    assert [each.event for each in scene.watch(event="member_added")] == ["channel_occupied, member_added"]


def test_who_does_not_ask_any_more_is_forgotten_when_another_asks(scene: Scene) -> None:
    scene.watchers.ask(Observe("other", "gone"))
    scene.now += LEASE_SECONDS + 1
    scene.watch()
    assert list(scene.observers.by_app) == [APP]
