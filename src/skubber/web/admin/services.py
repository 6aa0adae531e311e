"""What the admin API asks of the server that it runs in, beside the database."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from skubber.core.hub import Hub
from skubber.history.history import Grain, History
from skubber.history.live import LiveSample
from skubber.insight.insight import Insight
from skubber.store.apps import AppStore
from skubber.web.admin.stats import TakeStats
from skubber.webhooks.trial import Trial

TestWebhook = Callable[[str, str], Awaitable[Trial | None]]
"""Sends a webhook of an app, both by id, a request to try it out; None: this server does not know it."""

ReadHistory = Callable[[Grain, str], Awaitable[History]]
"""Reads the history of an app, by id, or of the whole server: see ``HistoryReader``."""

TakeLive = Callable[[str], Awaitable[LiveSample]]
"""Asks all nodes for their last second: see ``ask_for_live``."""


@dataclass(frozen=True, slots=True)
class AdminServices:
    """What a server does for the admin API.

    Attributes:
        take_stats: looks at all apps.
        test_webhook: tries a webhook.
        read_history: tells how the server has fared.
        take_live: tells how it fares.
        apps: the apps served.
        hub: their hub.
        insight: looks into all nodes.
        clock: seconds since the epoch.
    """

    take_stats: TakeStats
    test_webhook: TestWebhook
    read_history: ReadHistory
    take_live: TakeLive
    apps: AppStore
    hub: Hub
    insight: Insight
    clock: Callable[[], float]
