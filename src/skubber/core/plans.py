"""Plans: named sets of limits, from free to unlimited. An operator may define others, and change these."""

from collections.abc import Mapping

from skubber.core.limits import Limits

UNLIMITED = "unlimited"
"""The plan of apps that name none: sizes are limited, numbers are not, but for the subscriptions of one connection."""

PLANS: Mapping[str, Limits] = {
    "free": Limits(
        connections=100,
        channels=1_000,
        subscriptions_per_connection=1_000,
        messages_per_day=200_000,
        messages_per_second=100,
        publishes_per_second=20,
        reads_per_second=10,
    ),
    "starter": Limits(
        connections=500,
        channels=10_000,
        subscriptions_per_connection=1_000,
        messages_per_day=1_000_000,
        messages_per_second=1_000,
        publishes_per_second=100,
        reads_per_second=50,
    ),
    "business": Limits(
        connections=10_000,
        channels=100_000,
        subscriptions_per_connection=1_000,
        messages_per_day=20_000_000,
        messages_per_second=10_000,
        publishes_per_second=1_000,
        reads_per_second=200,
    ),
    UNLIMITED: Limits(),
}
"""The plans there are without any configuration."""
