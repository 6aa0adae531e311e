"""A webhook's request, as Pusher's are.

Source: Pusher Channels documentation, "Webhooks": body format and security.
"""

from collections.abc import Iterable, Sequence

from skubber import __version__
from skubber.codecs.signing import sign
from skubber.core.app import ApiKey

_Header = tuple[bytes, bytes]

_OURS = frozenset(
    {
        "connection",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "user-agent",
        "x-pusher-key",
        "x-pusher-signature",
    }
)
"""What an endpoint's own header fields may not be."""


def webhook_body(time_ms: int, events: Iterable[str]) -> bytes:
    """The body of a request.

    Args:
        time_ms: the time of sending, milliseconds since the epoch: Pusher's SDK for Python refuses what is five minutes
            old, and a retried event may well be.
        events: each event's JSON.
    """
    return f'{{"time_ms":{time_ms},"events":[{",".join(events)}]}}'.encode()


def webhook_headers(key: ApiKey, body: bytes, own: Sequence[tuple[str, str]] = ()) -> list[_Header]:
    """The header fields of a request.

    Args:
        key: the key whose secret signs the body.
        body: the body.
        own: the endpoint's fields; those that every request has anyway are left out.
    """
    return [
        (b"Content-Type", b"application/json"),
        (b"X-Pusher-Key", key.key.encode()),
        (b"X-Pusher-Signature", sign(key.secret, body).encode()),
        (b"User-Agent", f"Skubber/{__version__}".encode()),
        *((name.encode(), value.strip().encode()) for name, value in own if name.lower() not in _OURS),
    ]
