"""One node of the server without its edge: a real hub above a real memory broker."""

from skubber.brokers.memory import MemoryBroker
from skubber.core.app import App
from skubber.core.hub import Admission, Hub
from skubber.core.presence import PresenceMember
from skubber.core.subscription import Subscription
from support.recording import Iteration, LegibleFormat, RecordingConnection


class Node:
    """A hub whose event-loop iterations the test ends, and connections that record.

    Args:
        max_connections: the node's limit; 0 for none.
        broker: the broker, if not a plain one.
    """

    def __init__(self, max_connections: int = 0, broker: MemoryBroker | None = None) -> None:
        self.iteration = Iteration()
        self.broker = broker or MemoryBroker()
        self.hub = Hub(self.broker, self.iteration, max_connections)
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

    def assert_nothing_is_kept(self) -> None:
        """When everybody has gone, no trace of anybody is left in the hub or the broker."""
        assert self.hub.connection_count == 0
        assert self.hub._namespaces == {}
        assert (self.broker._counts, self.broker._rosters, self.broker._signed_in) == ({}, {}, {})
