"""The brokers: every test of the contract runs with each of them."""

import pytest

from brokers.clock import Clock
from skubber.brokers.memory import MemoryBroker
from skubber.core.broker import Broker


@pytest.fixture
def clock() -> Clock:
    """The broker's clock."""
    return Clock()


@pytest.fixture(params=[MemoryBroker], ids=["memory"])
def broker(request: pytest.FixtureRequest, clock: Clock) -> Broker:
    """A broker that nothing is attached to yet."""
    new_broker: Broker = request.param(clock)
    return new_broker
