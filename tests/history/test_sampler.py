"""Samples, taken of a node."""

from skubber.core.app import App
from skubber.core.event import Event
from skubber.core.publish_watch import PublishWatch
from skubber.history.sample import SERVER, Sample
from skubber.history.sampler import Sampler
from skubber.store.apps import AppRegistry
from support.apps import make_app
from support.node import Node


class Observed:
    """A node with two apps, and a sampler of it."""

    def __init__(self) -> None:
        self.node = Node()
        self.app, self.quiet = make_app("4711"), App.with_keys("quiet", [])
        self.apps = AppRegistry([self.app, self.quiet])
        self.watch = PublishWatch(lambda: 0.0)
        self.slow_clients = 2
        self.sampler = Sampler(self.apps, self.node.hub, self.watch, lambda: self.slow_clients)


async def test_a_second_has_what_happened_in_it_and_what_is_there_in_its_end() -> None:
    observed = Observed()
    node, app = observed.node, observed.app
    connection = node.connect(app, "1.1")
    await node.subscribe(app, connection, "c")
    app.meter.published, app.meter.delivered, app.meter.delivered_bytes = 2, 3, 300
    observed.slow_clients += 1
    observed.watch.durations.observe(0.0001)
    samples = observed.sampler.take()
    assert samples.keys() == {SERVER, "4711"}
    assert samples["4711"] == Sample(1, 1, 2, 3, 300)
    assert samples[SERVER] == Sample(1, 1, 2, 3, 300, 1, durations=(1, *[0] * 13))
    app.meter.published += 1
    samples = observed.sampler.take()
    assert samples["4711"] == Sample(1, 1, 1, 0, 0)
    assert samples[SERVER] == Sample(1, 1, 1, 0, 0)


async def test_what_a_publish_does_is_counted() -> None:
    observed = Observed()
    node, app = observed.node, observed.app
    await node.subscribe(app, node.connect(app, "1.1"), "c")
    observed.sampler.take()
    await node.hub.publish(app, ("c",), Event("e", b"1"))
    node.iteration.end()
    sample = observed.sampler.take()["4711"]
    assert (sample.delivered, sample.delivered_bytes > 0) == (1, True)


async def test_channels_that_come_with_a_sign_in_do_not_count() -> None:
    observed = Observed()
    node, app = observed.node, observed.app
    connection = node.connect(app, "1.1")
    subscription = await node.subscribe(app, connection, "#server-to-user-ada")
    assert observed.sampler.take()["4711"].channels == 0
    assert node.hub.channel_count("4711") == 0
    await node.subscribe(app, connection, "c")
    await node.hub.unsubscribe(app, subscription)
    assert observed.sampler.take()["4711"].channels == 1


async def test_an_app_that_does_nothing_has_no_sample() -> None:
    observed = Observed()
    assert observed.sampler.take() == {SERVER: Sample()}


async def test_an_app_that_was_made_anew_is_counted_from_nothing() -> None:
    observed = Observed()
    observed.app.meter.published = 100
    observed.sampler.take()
    again = make_app("4711")
    again.meter.published = 7
    sampler = observed.sampler
    sampler._apps = AppRegistry([again])
    assert sampler.take()["4711"].published == 7
