from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from skubber.core.timer_wheel import TimerWheel

SLOTS = 8
THINGS = 4


class Thing:
    """Notes when it was called, and comes back after ``again`` seconds or does what ``then`` says."""

    def __init__(self, again: int = 0, then: Callable[[], object] = lambda: None) -> None:
        self.timer_slot = -1
        self.again = again
        self.then = then
        self.calls: list[int] = []

    def timer_due(self, now: int) -> int:
        self.calls.append(now)
        self.then()
        return self.again


def advance(wheel: TimerWheel, seconds: int) -> None:
    for _ in range(seconds):
        wheel.advance()


def test_time_is_counted_from_the_start() -> None:
    wheel = TimerWheel()
    assert wheel.now == 0
    advance(wheel, 1000)
    assert wheel.now == 1000


@pytest.mark.parametrize("start", [0, 1, 5, 255, 256, 1000])
@pytest.mark.parametrize("delay", [1, 2, 120, 255])
def test_a_thing_is_called_in_its_second_and_not_before(start: int, delay: int) -> None:
    wheel, thing = TimerWheel(), Thing()
    advance(wheel, start)
    wheel.schedule(thing, delay)
    advance(wheel, delay - 1)
    assert thing.calls == []
    advance(wheel, 1)
    assert thing.calls == [start + delay]
    advance(wheel, 600)
    assert thing.calls == [start + delay]


def test_things_are_called_in_the_order_they_fall_due() -> None:
    wheel = TimerWheel()
    order: list[int] = []
    for delay in (3, 1, 5, 2, 4):
        wheel.schedule(Thing(then=lambda delay=delay: order.append(delay)), delay)  # type: ignore[misc]
    advance(wheel, 5)
    assert order == [1, 2, 3, 4, 5]


def test_a_thing_comes_back_for_as_long_as_it_asks_to() -> None:
    wheel, thing = TimerWheel(), Thing(again=3)
    wheel.schedule(thing, 1)
    advance(wheel, 8)
    assert thing.calls == [1, 4, 7]
    thing.again = 0
    advance(wheel, 20)
    assert thing.calls == [1, 4, 7, 10]
    assert thing.timer_slot == -1


def test_scheduling_again_replaces_what_was_scheduled() -> None:
    wheel, thing = TimerWheel(), Thing()
    wheel.schedule(thing, 2)
    wheel.schedule(thing, 4)
    advance(wheel, 3)
    assert thing.calls == []
    advance(wheel, 10)
    assert thing.calls == [4]


def test_what_is_cancelled_is_not_called() -> None:
    wheel, thing = TimerWheel(), Thing()
    wheel.schedule(thing, 2)
    wheel.cancel(thing)
    wheel.cancel(thing)
    advance(wheel, 20)
    assert thing.calls == []


@pytest.mark.parametrize("delay", [0, -5])
def test_no_delay_is_one_second(delay: int) -> None:
    wheel, thing = TimerWheel(), Thing()
    wheel.schedule(thing, delay)
    advance(wheel, 1)
    assert thing.calls == [1]


@pytest.mark.parametrize("delay", [7, 8, 9, 3600])
def test_a_delay_longer_than_the_ring_is_cut_to_it(delay: int) -> None:
    wheel, thing = TimerWheel(slots=8), Thing()
    wheel.schedule(thing, delay)
    advance(wheel, 6)
    assert thing.calls == []
    advance(wheel, 1)
    assert thing.calls == [7]


def test_one_of_two_due_together_can_cancel_the_other() -> None:
    wheel = TimerWheel()
    one, two = Thing(), Thing()
    one.then = lambda: wheel.cancel(two)
    two.then = lambda: wheel.cancel(one)
    wheel.schedule(one, 1)
    wheel.schedule(two, 1)
    advance(wheel, 1)
    assert len(one.calls) + len(two.calls) == 1


def test_one_of_two_due_together_can_put_the_other_off() -> None:
    wheel = TimerWheel()
    one, two = Thing(), Thing()
    one.then = lambda: wheel.schedule(two, 5) if not two.calls else None
    two.then = lambda: wheel.schedule(one, 5) if not one.calls else None
    wheel.schedule(one, 1)
    wheel.schedule(two, 1)
    advance(wheel, 6)
    assert sorted(one.calls + two.calls) == [1, 6]


def test_a_thing_scheduled_while_others_are_called_waits_its_turn() -> None:
    wheel, late = TimerWheel(), Thing()
    wheel.schedule(Thing(then=lambda: wheel.schedule(late, 1)), 1)
    advance(wheel, 1)
    assert late.calls == []
    advance(wheel, 1)
    assert late.calls == [2]


def test_a_timer_that_fails_keeps_no_other_from_its_time() -> None:
    wheel = TimerWheel()
    failing, others = Thing(then=lambda: 1 // 0), [Thing() for _ in range(5)]
    for thing in (*others[:2], failing, *others[2:]):
        wheel.schedule(thing, 1)
    with pytest.raises(ExceptionGroup) as failures:
        wheel.advance()
    assert failures.group_contains(ZeroDivisionError)
    assert [thing.calls for thing in others] == [[1]] * 5


class WheelAgainstCalendar(RuleBasedStateMachine):
    """The wheel beside a plain calendar: which thing is due in which second."""

    def __init__(self) -> None:
        super().__init__()
        self.wheel = TimerWheel(SLOTS)
        self.things = [Thing() for _ in range(THINGS)]
        self.calendar: dict[int, int] = {}
        self.expected: list[list[int]] = [[] for _ in range(THINGS)]

    @rule(thing=st.integers(0, THINGS - 1), delay=st.integers(1, 2 * SLOTS), again=st.integers(0, 2 * SLOTS))
    def schedule(self, thing: int, delay: int, again: int) -> None:
        self.things[thing].again = again
        self.wheel.schedule(self.things[thing], delay)
        self.calendar[thing] = self.wheel.now + min(delay, SLOTS - 1)

    @rule(thing=st.integers(0, THINGS - 1))
    def cancel(self, thing: int) -> None:
        self.wheel.cancel(self.things[thing])
        self.calendar.pop(thing, None)

    @rule(seconds=st.integers(1, 3 * SLOTS))
    def advance(self, seconds: int) -> None:
        for _ in range(seconds):
            now = self.wheel.now + 1
            for thing in [thing for thing, due in self.calendar.items() if due == now]:
                self.expected[thing].append(now)
                del self.calendar[thing]
                if again := self.things[thing].again:
                    self.calendar[thing] = now + min(again, SLOTS - 1)
            self.wheel.advance()

    @invariant()
    def agrees(self) -> None:
        assert [thing.calls for thing in self.things] == self.expected
        assert {number for number, thing in enumerate(self.things) if thing.timer_slot >= 0} == set(self.calendar)


TestWheelAgainstCalendar = WheelAgainstCalendar.TestCase
