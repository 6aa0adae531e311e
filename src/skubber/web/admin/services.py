"""What the admin API asks of the server that it runs in, beside the database."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from skubber.web.admin.stats import TakeStats
from skubber.webhooks.trial import Trial

TestWebhook = Callable[[str, str], Awaitable[Trial | None]]
"""Sends a webhook of an app, both by id, a request to try it out; None: this server does not know it."""


@dataclass(frozen=True, slots=True)
class AdminServices:
    """What a server does for the admin API.

    Attributes:
        take_stats: looks at all apps.
        test_webhook: tries a webhook.
    """

    take_stats: TakeStats
    test_webhook: TestWebhook
