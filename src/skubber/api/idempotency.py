"""Publishing once, however often a request is sent: ``Idempotency-Key``.

Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
from collections.abc import Awaitable, Callable

import msgspec

from skubber.api.call import Call
from skubber.api.message import ApiRequest
from skubber.core.errors import ConflictError, InvalidRequestError

MAX_KEY_LENGTH = 255


async def once(call: Call, field: str | None, publish: Callable[[], Awaitable[None]]) -> None:
    """Publish, unless a request with the same key has done so already.

    Args:
        call: the call; its ``Idempotency-Key`` header wins over the field.
        field: the body's ``idempotency_key``.
        publish: does it.

    Raises:
        InvalidRequestError: ``invalid_idempotency_key``.
        ConflictError: ``idempotency_key_reused``: for another request.
    """
    key = _key(call, field)
    if key is None:
        await publish()
        return
    broker = call.hub.broker
    fingerprint = _fingerprint(call.request)
    earlier = await broker.claim_request(call.app.id, key, fingerprint)
    if earlier is not None:
        if earlier != fingerprint:
            raise ConflictError("idempotency_key_reused", "This idempotency key belongs to another request.")
        return
    try:
        await publish()
    except BaseException:
        await broker.release_request(call.app.id, key)
        raise


def _fingerprint(request: ApiRequest) -> bytes:
    """Tells requests apart, by all but their credentials: a signature made anew has another timestamp."""
    said = [pair for pair in request.parameters() if not pair[0].startswith(("auth_", "api", "body_md5"))]
    return hashlib.sha256(msgspec.json.encode((request.path, said, request.body))).digest()


def _key(call: Call, field: str | None) -> str | None:
    header = next((value for name, value in call.request.headers if name == b"idempotency-key"), None)
    key = field if header is None else header.decode("latin-1")
    if key is not None and not (1 <= len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise InvalidRequestError(
            "invalid_idempotency_key", f"An idempotency key has 1 to {MAX_KEY_LENGTH} printable ASCII characters."
        )
    return key
