"""One signal, or two."""

from skubber.server.stop_signals import SAME_SIGNAL_SECONDS, StopSignals


def test_only_one_that_comes_later_is_a_second() -> None:
    now = 1000.0
    signals = StopSignals(lambda: now)
    assert not signals.is_second()
    now += SAME_SIGNAL_SECONDS - 0.1
    assert not signals.is_second()
    now += 0.1
    assert signals.is_second()
    now += 1
    assert signals.is_second()
