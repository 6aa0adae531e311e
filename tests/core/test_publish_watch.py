"""How long publishes take."""

from skubber.core.event import Event
from skubber.core.hub import Hub
from skubber.core.publish_watch import SAMPLE_EVERY, PublishWatch
from support.apps import make_app
from support.recording import Iteration, LegibleFormat, RecordingConnection
from support.slow_broker import SlowBroker


class Clock:
    """Shows what it is set to, and counts who looks."""

    def __init__(self) -> None:
        self.now = 10.0
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return self.now


async def test_a_publish_takes_until_its_frames_are_written() -> None:
    clock, iteration, app = Clock(), Iteration(), make_app()
    watch = PublishWatch(clock)
    hub = Hub(SlowBroker(), iteration, watch=watch)
    connection = RecordingConnection("1.1", LegibleFormat())
    hub.connect(app, connection)
    await hub.subscribe(app, connection, "c")
    await hub.publish(app, ("c",), Event("e", b"1"))
    assert watch.durations.cumulative()[-1] == 0
    clock.now += 2
    iteration.end()
    assert connection.received == ["c/e"]
    assert (watch.durations.cumulative()[-1], watch.durations.total) == (1, 2)
    iteration.end()
    assert watch.durations.cumulative()[-1] == 1


async def test_where_nobody_listens_it_is_over_with_the_brokers_answer_and_one_in_sixteen_is_measured() -> None:
    clock, app = Clock(), make_app()
    watch = PublishWatch(clock)
    hub = Hub(SlowBroker(), Iteration(), watch=watch)
    for _ in range(2 * SAMPLE_EVERY):
        await hub.publish(app, ("c",), Event("e", b"1"))
    assert watch.durations.cumulative()[-1] == 2
    assert clock.looks == 4
