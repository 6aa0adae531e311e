"""A channel on this node: its local subscribers and the fan-out to them."""

from collections.abc import Iterable

from skubber.core.channel_name import ChannelKind
from skubber.core.connection import Connection
from skubber.core.event import Event, WireFormat
from skubber.core.meter import Meter


class Channel:
    """The local side of one channel.

    Subscribers are grouped by wire format, so that the fan-out loop does nothing per subscriber but hand finished
    bytes to a socket. Frames of one loop iteration wait in an outbox and leave joined: a burst of twenty events costs
    one write per subscriber, not twenty.

    Args:
        name: its name.
        meter: counts what is delivered.
    """

    __slots__ = ("_meter", "_outbox", "_subscribers", "kind", "name")

    def __init__(self, name: str, meter: Meter) -> None:
        self.name = name
        self._meter = meter
        self.kind = ChannelKind.of(name)
        self._subscribers: dict[WireFormat, dict[str, Connection]] = {}
        self._outbox: dict[WireFormat, list[bytes]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._subscribers.values()))

    def __contains__(self, connection: Connection) -> bool:
        return connection.socket_id in self._subscribers.get(connection.wire_format, ())

    def add(self, connection: Connection) -> None:
        """Subscribe a connection. It receives what is fanned out from now on, nothing from before."""
        self.flush()
        self._subscribers.setdefault(connection.wire_format, {})[connection.socket_id] = connection

    def remove(self, connection: Connection) -> None:
        """Unsubscribe a connection. It has been handed everything fanned out until now."""
        self.flush()
        group = self._subscribers.get(connection.wire_format)
        if group is None:
            return
        group.pop(connection.socket_id, None)
        if not group:
            del self._subscribers[connection.wire_format]

    def fan_out(self, event: Event, excluded: str | None) -> bool:
        """Give an event to every subscriber but the one with the socket id ``excluded``.

        Returns:
            True when the outbox was empty and is not any more: the caller must arrange for ``flush``.
        """
        if excluded is not None and any(excluded in group for group in self._subscribers.values()):
            self._fan_out_to_others(event, excluded)
            return False
        was_empty = not self._outbox
        for wire_format in self._subscribers:
            frame = wire_format.encode(event, self.name)
            pending = self._outbox.get(wire_format)
            if pending is None:
                self._outbox[wire_format] = [frame]
            else:
                pending.append(frame)
        return was_empty and bool(self._outbox)

    def flush(self) -> None:
        """Write what the outbox holds, in the order it was fanned out."""
        if not self._outbox:
            return
        outbox, self._outbox = self._outbox, {}
        for wire_format, frames in outbox.items():
            joined = frames[0] if len(frames) == 1 else b"".join(frames)
            group = self._subscribers[wire_format]
            self._meter.delivered += len(group) * len(frames)
            self._meter.delivered_bytes += len(group) * len(joined)
            _send(group.values(), joined)

    def _fan_out_to_others(self, event: Event, excluded: str) -> None:
        self.flush()
        for wire_format, group in self._subscribers.items():
            frame = wire_format.encode(event, self.name)
            receivers = len(group) - (excluded in group)
            self._meter.delivered += receivers
            self._meter.delivered_bytes += receivers * len(frame)
            _send((connection for socket_id, connection in group.items() if socket_id != excluded), frame)


def _send(connections: Iterable[Connection], frames: bytes) -> None:
    """The loop that fan-out is made of."""
    size = len(frames)
    for connection in connections:
        try:
            sent = connection.send_now(frames)
        except OSError:  # there is no room, or the connection is broken: the transport sees to it
            sent = 0
        if sent != size:
            connection.write(frames[sent:])
