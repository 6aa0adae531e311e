"""Where the numbers come from."""

from collections.abc import Callable
from dataclasses import dataclass

from skubber.api.router import Api
from skubber.core.connection_quota import ConnectionQuota
from skubber.core.histogram import Histogram
from skubber.core.hub import Hub
from skubber.core.publish_watch import PublishWatch
from skubber.store.apps import AppStore
from skubber.store.database import Database
from skubber.webhooks.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Sources:
    """What counts, in one server process.

    Attributes:
        hub: the hub.
        quota: holds apps to their number of connections.
        apps: the apps.
        api: the Channels HTTP API.
        watch: measures publishes.
        loop_delays: how late the event loop was, seconds, looked at once a second.
        webhooks: tells back ends what happens; None without a database.
        database: asked at each reading; None: there is none.
        is_ready: whether the server takes requests and connections.
        slow_clients: how many clients were closed for leaving too much unread.
        tcp_connections: how many TCP connections are open.
        turned_away: how many were refused for being too many.
    """

    hub: Hub
    quota: ConnectionQuota
    apps: AppStore
    api: Api
    watch: PublishWatch
    loop_delays: Histogram
    webhooks: Webhooks | None
    database: Callable[[], Database | None]
    is_ready: Callable[[], bool]
    slow_clients: Callable[[], int]
    tcp_connections: Callable[[], int]
    turned_away: Callable[[], int]
