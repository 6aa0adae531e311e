"""The broker that the settings name."""

import time

from skubber.brokers.memory import MemoryBroker
from skubber.brokers.redis.broker import RedisBroker
from skubber.core.broker import Broker
from skubber.settings import Settings, SettingsError


def open_broker(settings: Settings) -> Broker:
    """Make the broker, without starting it.

    Raises:
        SettingsError: its URL is none.
    """
    if not settings.broker:
        return MemoryBroker(time.monotonic)
    try:
        return RedisBroker(settings.broker, settings.broker_lease, publishes_alone=settings.broker_publish_alone)
    except (TypeError, ValueError) as error:
        # The URL may hold a password: neither it nor the error it comes from is repeated.
        raise SettingsError(f"Setting `broker`: {error}.") from None
