"""Publishing once, however often a request is sent: ``Idempotency-Key``.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from skubber.api.call import Call
from skubber.api.message import ApiRequest
from skubber.core.broker import EarlierRequest
from skubber.core.errors import ConflictError, InvalidRequestError, UnavailableError

MAX_KEY_LENGTH = 255

_CREDENTIALS = frozenset(
    {"apiKey", "apiSecret", "auth_key", "auth_timestamp", "auth_version", "auth_signature", "body_md5"}
)


def idempotency_key(call: Call, field: str | None) -> str | None:
    """The key of a request, if it has one.

    Args:
        call: the call; its ``Idempotency-Key`` header wins over the field.
        field: the body's ``idempotency_key``.

    Raises:
        InvalidRequestError: ``invalid_idempotency_key``.
    """
    key = field
    for name, value in call.request.headers:
        if name == b"idempotency-key":
            key = value.decode("latin-1")
            break
    if key is not None and not (1 <= len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidRequestError(
            "invalid_idempotency_key", f"An idempotency key has 1 to {MAX_KEY_LENGTH} printable ASCII characters."
        )
    return key


async def once(call: Call, key: str, publish: Callable[[], Awaitable[None]]) -> None:
    """Publish, unless a request with the same key has done so already.

    Args:
        call: the call.
        key: its key.
        publish: does it. When it fails, it may be tried again with the same key.

    Raises:
        ConflictError: ``idempotency_key_reused`` when it was another request, ``idempotency_key_in_use`` while that
            request is being done: whether it succeeds is not known yet.
    """
    broker = call.hub.broker
    fingerprint = _fingerprint(call.request)
    earlier = await broker.claim_request(call.app.id, key, fingerprint)
    if earlier is not None:
        _check_same(earlier, fingerprint)
        return
    try:
        await publish()
    except BaseException:
        with suppress(UnavailableError):  # what made the publish fail is what the caller has to hear
            await broker.release_request(call.app.id, key)
        raise
    with suppress(UnavailableError):  # published is published
        await broker.finish_request(call.app.id, key)


def _check_same(earlier: EarlierRequest, fingerprint: bytes) -> None:
    if earlier.fingerprint != fingerprint:
        raise ConflictError("idempotency_key_reused", "This idempotency key belongs to another request.")
    if not earlier.is_done:
        raise ConflictError("idempotency_key_in_use", "The same request is being answered: try again in a moment.")


def _fingerprint(request: ApiRequest) -> bytes:
    """Tells requests apart, by all but their credentials: a signature made anew has another timestamp."""
    said = [pair for pair in request.parameters() if pair[0] not in _CREDENTIALS]
    return hashlib.sha256(msgspec.json.encode((request.path, said, request.body))).digest()
