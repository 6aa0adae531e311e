"""A channel as a stream: ``StreamEvents(channel)``."""

from collections.abc import Callable
from weakref import WeakValueDictionary

from skubber.codecs.signalr_events import SignalRWireFormat, StreamWireFormat
from skubber.core.connection import Connection, EndReason

_formats: WeakValueDictionary[tuple[SignalRWireFormat, str], StreamWireFormat] = WeakValueDictionary()


def _stream_format(calls: SignalRWireFormat, invocation_id: str) -> StreamWireFormat:
    """The one format for a connection format and an invocation id, for as long as a stream uses it."""
    stream_format = _formats.get((calls, invocation_id))
    if stream_format is None:
        stream_format = _formats[calls, invocation_id] = StreamWireFormat(calls, invocation_id)
    return stream_format


class EventStream:
    """Subscribes to a channel in a connection's stead. Implements ``Connection``.

    Args:
        connection: the connection.
        calls: its wire format.
        invocation_id: the stream's id.
        channel: the channel's name.
    """

    __slots__ = ("_connection", "channel", "socket_id", "wire_format")

    def __init__(self, connection: Connection, calls: SignalRWireFormat, invocation_id: str, channel: str) -> None:
        self._connection = connection
        self.channel = channel
        self.socket_id = connection.socket_id
        self.wire_format = _stream_format(calls, invocation_id)

    @property
    def write(self) -> Callable[[bytes], None]:
        """The connection's own, which changes when it closes or resumes."""
        return self._connection.write

    @property
    def send_now(self) -> Callable[[bytes], int]:
        """Likewise."""
        return self._connection.send_now

    def end(self, reason: EndReason) -> None:
        """Ends the connection, not just the stream."""
        self._connection.end(reason)
