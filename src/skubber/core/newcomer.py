"""A subscriber that is not told anything yet."""

from skubber.core.connection import Connection, EndReason, take_nothing
from skubber.core.event import WireFormat


class Newcomer:
    """Holds a connection's place on a channel until the client has been told what comes first: who is there, say.

    An event of that time must neither get lost nor reach the client before the roster does: a member who arrives just
    then may be missing in it. Implements ``Connection``.

    Attributes:
        missed: what the connection is owed once it has been told, in order: frames, some of them joined.
    """

    __slots__ = ("_connection", "missed", "send_now", "socket_id", "write")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.missed: list[bytes] = []
        self.socket_id = connection.socket_id
        self.write = self.missed.append
        self.send_now = take_nothing

    @property
    def wire_format(self) -> WireFormat:
        """The connection's."""
        return self._connection.wire_format

    def end(self, reason: EndReason) -> None:
        """End the connection."""
        self._connection.end(reason)
