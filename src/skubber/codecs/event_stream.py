"""Writing Server-Sent Events. Source: HTML Living Standard, "Server-sent events"."""

import re

_LINE_END = re.compile(rb"\r\n|\r|\n")


def encode_event(data: bytes) -> bytes:
    """Encode one event with nothing but data (UTF-8); the reader joins its lines with newlines again."""
    if b"\n" not in data and b"\r" not in data:
        return b"data: %b\r\n\r\n" % data
    return b"".join(b"data: %b\r\n" % line for line in _LINE_END.split(data)) + b"\r\n"
