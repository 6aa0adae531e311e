"""The sizes of the load generator's events."""

from benchmarks.harness.load import Kind

_FRAME_HEADER = 4
"""Bytes before the payload of a frame of 126 to 65,535 bytes. Source: RFC 6455 section 5.2."""

_PREFIXES: dict[Kind, str] = {"unsubscribed": "", "public": "", "private": "private-", "presence": "presence-"}


def data_size(frame_bytes: int, kind: Kind = "public", event: str = "bench") -> int:
    """How much data an event has whose WebSocket frame, as a subscriber receives it, is so many bytes in all.

    Args:
        frame_bytes: from 130 bytes on.
        kind: the kind of the channel, whose name is part of the frame.
        event: the event's name, which is part of it too.
    """
    around = f'{{"event":"{event}","channel":"{_PREFIXES[kind]}bench-00000","data":""}}'
    return frame_bytes - _FRAME_HEADER - len(around)
