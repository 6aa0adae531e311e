"""Pusher's HMAC-SHA256 signatures.

Source: Pusher Channels documentation, "Library auth reference": REST requests, private and presence channels.
"""

import hashlib
import hmac
from collections.abc import Iterable
from operator import itemgetter


def sign(secret: str, text: bytes) -> str:
    """HMAC-SHA256 of ``text`` under ``secret``, as lower-case hex."""
    return hmac.digest(secret.encode(), text, "sha256").hex()


def matches(expected: str, given: str) -> bool:
    """Compare two secrets or signatures in constant time; any strings."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def body_md5(body: bytes) -> str:
    """The ``body_md5`` of a request body, as lower-case hex. It guards integrity together with the signature."""
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def request_text(method: str, path: str, parameters: Iterable[tuple[str, str]]) -> bytes:
    """The text a REST request's ``auth_signature`` signs.

    Args:
        method: upper case.
        path: as sent, not decoded.
        parameters: the query's parameters, decoded, as sent; ``auth_signature`` itself is left out.
    """
    pairs = [(key.lower(), value) for key, value in parameters if key != "auth_signature"]
    pairs.sort(key=itemgetter(0))  # by key alone: the values of an array keep the order they were sent in
    query = "&".join(f"{key}={value}" for key, value in pairs)
    return f"{method}\n{path}\n{query}".encode("utf-8", "surrogatepass")


def user_text(socket_id: str, user_data: str) -> bytes:
    """The text a sign-in signs; ``user_data`` exactly as the client sent it."""
    return f"{socket_id}::user::{user_data}".encode("utf-8", "surrogatepass")


def channel_text(socket_id: str, channel: str, channel_data: str | None = None) -> bytes:
    """The text a channel authorization signs; ``channel_data`` exactly as the client sent it."""
    text = f"{socket_id}:{channel}" if channel_data is None else f"{socket_id}:{channel}:{channel_data}"
    return text.encode("utf-8", "surrogatepass")
