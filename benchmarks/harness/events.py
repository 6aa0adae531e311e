"""The sizes of the load generator's events."""

import msgspec
from benchmarks.harness.load import Kind

_FRAME_HEADER = 4
"""Bytes before the payload of a frame of 126 to 65,535 bytes. Source: RFC 6455 section 5.2."""

_CHANNEL = "bench-00000"
_PREFIXES: dict[Kind, str] = {"private": "private-", "presence": "presence-"}


def data_size(frame_bytes: int, kind: Kind = "public", event: str = "bench") -> int:
    """How much data an event has whose WebSocket frame, as a subscriber receives it, is so many bytes in all.

    Args:
        frame_bytes: from 130 bytes on, and with SignalR from 150; at most 300 with MessagePack.
        kind: the kind of the channel, whose name is part of the frame, and of the client.
        event: the event's name, which is part of it too.
    """
    channel = _PREFIXES.get(kind, "") + _CHANNEL
    return frame_bytes - _FRAME_HEADER - _bytes_around_data(kind, event, channel)


def _bytes_around_data(kind: Kind, event: str, channel: str) -> int:
    delivery = {"event": event, "channel": channel, "data": ""}
    match kind:
        case "signalr-json":
            record = msgspec.json.encode({"type": 1, "target": "Event", "arguments": [delivery]})
            return len(record) + 1
        case "signalr-messagepack":
            # Two bytes of length before the message; and one more before a string that is not as short as none.
            return 2 + len(msgspec.msgpack.encode([1, {}, None, "Event", [delivery], []])) + 1
    return len(msgspec.json.encode(delivery))
