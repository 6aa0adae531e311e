"""When a worker that has died is started again."""

from skubber.server.workers.restarts import STEADY_SECONDS, Restarts


def test_who_has_served_for_a_while_is_replaced_at_once() -> None:
    restarts = Restarts()
    assert [restarts.died(STEADY_SECONDS) for _ in range(3)] == [0, 0, 0]
    assert restarts.failed_starts == 0


def test_pauses_grow_while_none_lives_long_and_not_for_ever() -> None:
    restarts = Restarts()
    pauses = [restarts.died(each) for each in (None, 1, None, 2, None, None, None, None, None, *[0] * 2000)]
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10
    assert restarts.died(STEADY_SECONDS) == 0
    assert restarts.died(None) == 0.1


def test_only_those_who_never_served_are_failed_starts() -> None:
    restarts = Restarts()
    for number in range(1, 4):
        restarts.died(None)
        assert restarts.failed_starts == number
    restarts.died(0)
    assert restarts.failed_starts == 0
