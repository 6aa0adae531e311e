"""The brokers: every test of the contract runs with each of them."""

import pytest

from skubber.brokers.memory import MemoryBroker
from skubber.core.broker import Broker


@pytest.fixture(params=[MemoryBroker], ids=["memory"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """A broker that nothing is attached to yet."""
    new_broker: Broker = request.param()
    return new_broker
