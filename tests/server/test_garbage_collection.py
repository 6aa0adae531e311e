"""When the garbage collector runs."""

import gc
from collections.abc import Iterator

import pytest

from skubber.server.garbage import GarbageCollection


class Cycle:
    """Something that reference counts do not free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


def cycles() -> int:
    return sum(isinstance(each, Cycle) for each in gc.get_objects())


@pytest.fixture
def collection() -> GarbageCollection:
    collection = GarbageCollection()
    collection.start()
    return collection


def pass_time(collection: GarbageCollection, seconds: int) -> None:
    for _ in range(seconds):
        collection.tick()


def test_what_was_there_at_the_start_is_not_looked_through(collection: GarbageCollection) -> None:
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < 10_000


def test_what_is_garbage_after_a_minute_is_freed_and_the_others_are_out_of_sight(
    collection: GarbageCollection,
) -> None:
    kept = [Cycle() for _ in range(10)]
    for _ in range(10):
        Cycle()
    assert cycles() == 20
    frozen = gc.get_freeze_count()
    pass_time(collection, 60)
    assert gc.get_freeze_count() >= frozen + 10
    assert cycles() == 0
    gc.unfreeze()
    assert cycles() == len(kept)


def test_what_became_garbage_out_of_sight_is_freed_within_the_hour(collection: GarbageCollection) -> None:
    kept = [Cycle() for _ in range(10)]
    pass_time(collection, 60)
    kept.clear()
    pass_time(collection, 3600 - 60)
    gc.unfreeze()
    assert cycles() == 0
