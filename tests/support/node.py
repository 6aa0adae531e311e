"""One node of the server without its edge: a real hub above a real memory broker."""

from collections.abc import Sequence

from skubber.brokers.memory import MemoryBroker
from skubber.core.app import App
from skubber.core.hub import Admission, Hub
from skubber.core.presence import PresenceMember
from skubber.core.subscription import Subscription
from skubber.core.subscription_counts import SubscriptionCounts
from skubber.core.webhook import WebhookEvent
from support.recording import Iteration, LegibleFormat, RecordingConnection


class Node:
    """A hub whose event-loop iterations the test ends, and connections that record.

    Args:
        max_connections: the node's limit; 0 for none.
        broker: the broker, if not a plain one.
        counts: tells subscribers how many they are, in apps that want it.

    Attributes:
        announced: what back ends are told of.
    """

    def __init__(
        self,
        max_connections: int = 0,
        broker: MemoryBroker | None = None,
        counts: SubscriptionCounts | None = None,
    ) -> None:
        self.iteration = Iteration()
        self.broker = broker or MemoryBroker()
        self.announced: list[WebhookEvent] = []
        self.hub = Hub(
            self.broker,
            self.iteration,
            max_connections,
            counts=counts,
            announce=lambda _, event: self.announced.append(event),
        )
        self.wire_format = LegibleFormat()

    def connect(self, app: App, socket_id: str) -> RecordingConnection:
        """Connect a client, which must be admitted."""
        connection = RecordingConnection(socket_id, self.wire_format)
        assert self.hub.connect(app, connection) is Admission.ADMITTED
        return connection

    async def subscribe(
        self, app: App, connection: RecordingConnection, channel: str, user_id: str | None = None
    ) -> Subscription:
        """Subscribe a client, on a presence channel as a user."""
        member = None if user_id is None else PresenceMember(user_id)
        subscription, _ = await self.hub.subscribe(app, connection, channel, member)
        subscription.catch_up()
        return subscription

    async def sign_in(
        self, app: App, connection: RecordingConnection, user_id: str, watchlist: Sequence[str] = ()
    ) -> Sequence[Subscription]:
        """Sign a user in on a client."""
        subscriptions, _ = await self.hub.sign_in(app, connection, user_id, watchlist)
        for subscription in subscriptions:
            subscription.catch_up()
        return subscriptions

    def assert_nothing_is_kept(self) -> None:
        """When everybody has gone, no trace of anybody is left in the hub or the broker."""
        assert self.hub.connection_count == 0
        assert self.hub._namespaces == {}
        assert (self.broker._counts, self.broker._rosters, self.broker._signed_in) == ({}, {}, {})
