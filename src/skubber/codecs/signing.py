"""Pusher's HMAC-SHA256 signatures.

Source: Pusher Channels documentation, "Library auth reference": REST requests, private and presence channels.
"""

import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache
from operator import itemgetter

from skubber.core.app import ApiKey

_BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_NEW_MD5 = hashlib.md5(usedforsecurity=False)


def sign(secret: str, text: bytes) -> str:
    """HMAC-SHA256 of ``text`` under ``secret``, as lower-case hex (RFC 2104)."""
    inner, outer = (state.copy() for state in _keyed(secret))
    inner.update(text)
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=4096)
def _keyed(secret: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    """The inner and outer hash, with the key taken in already.

    Every signed publish needs them, always under one of a few secrets: from here it takes 1.0 us to sign a request's
    text, where ``hmac.digest`` sets OpenSSL's whole machinery up and takes 5.5 us.
    """
    key = secret.encode()
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    key = key.ljust(_BLOCK_BYTES, b"\0")
    return hashlib.sha256(key.translate(_INNER_PAD)), hashlib.sha256(key.translate(_OUTER_PAD))


def matches(expected: str, given: str) -> bool:
    """Compare two secrets or signatures in constant time; any strings."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def is_secret_of(key: ApiKey | None, given: str) -> bool:
    """Whether a secret is one that is good for a key. The time it takes does not tell whether there is such a key."""
    if key is None:
        matches("", given)
        return False
    if matches(key.secret, given):
        return True
    return key.previous_secret is not None and matches(key.previous_secret, given)


def is_signed(key: ApiKey, text: bytes, signature: str) -> bool:
    """Whether a signature of ``text`` was made with one of the secrets that are good for a key."""
    if matches(sign(key.secret, text), signature):
        return True
    return key.previous_secret is not None and matches(sign(key.previous_secret, text), signature)


def body_md5(body: bytes) -> str:
    """The ``body_md5`` of a request body, as lower-case hex. It guards integrity together with the signature."""
    digest = _NEW_MD5.copy()  # making one anew takes longer than the digest of a small body
    digest.update(body)
    return digest.hexdigest()


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
