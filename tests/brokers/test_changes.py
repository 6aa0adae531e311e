"""What a node that enters again what it has tells of it."""

from skubber.brokers.redis.changes import Changes
from skubber.core.broker import Upheaval

APP = "4711"


def test_a_count_that_is_what_it_was_is_not_told() -> None:
    changes = Changes()
    changes.had(APP, "c", 2)
    changes.note(APP, Upheaval(counts={"c": 4}))
    changes.note(APP, Upheaval(counts={"c": 2}))
    assert changes.outcome() == [(APP, Upheaval())]


def test_of_several_counts_the_last_is_told() -> None:
    changes = Changes()
    changes.had(APP, "c", 2)
    changes.note(APP, Upheaval(counts={"c": 4, "d": 1}))
    changes.note(APP, Upheaval(counts={"c": 3, "d": 0}))
    assert changes.outcome() == [(APP, Upheaval(counts={"c": 3, "d": 0}))]


def test_who_left_while_being_entered_again_has_never_been_back() -> None:
    changes = Changes()
    changes.had(APP, "presence-c", 0)
    changes.note(
        APP,
        Upheaval(
            counts={"presence-c": 1},
            occupied=["presence-c"],
            arrived=[("presence-c", "ada"), ("presence-d", "bob")],
        ),
    )
    changes.note(APP, Upheaval(counts={"presence-c": 0}, departed=[("presence-c", "ada"), ("presence-d", "eve")]))
    expected = Upheaval(arrived=[("presence-d", "bob")], departed=[("presence-d", "eve")])
    assert changes.outcome() == [(APP, expected)]


def test_apps_are_told_apart() -> None:
    changes = Changes()
    changes.had("one", "c", 1)
    changes.note("one", Upheaval(counts={"c": 1}))
    changes.note("two", Upheaval(counts={"c": 1}))
    assert changes.outcome() == [("one", Upheaval()), ("two", Upheaval(counts={"c": 1}))]
