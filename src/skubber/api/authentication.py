"""Who may call the HTTP API: an app's plain key and secret, or Pusher's HMAC signature.

Source: the product's API contract, "Authentication"; Pusher Channels documentation, "REST API: Authentication".
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from skubber.api.message import ApiRequest
from skubber.codecs import signing
from skubber.core.app import ApiKey, App, Scope
from skubber.core.errors import ForbiddenError, UnauthorizedError

# The parameters in the order in which they are signed, nothing to decode, the signature behind them: so the SDKs
# write it. Taking it apart with a regular expression costs a fifth of doing so parameter by parameter.
_STANDARD_QUERY = re.compile(
    r"(auth_key=([^&%+=\x80-\xff]+)&auth_timestamp=([0-9]{1,12})&auth_version=1\.0(?:&body_md5=([0-9a-f]{32}))?)"
    r"&auth_signature=([0-9a-f]{64})"
)

TIMESTAMP_WINDOW = 600
"""How far ``auth_timestamp`` may be from this server's clock, seconds, either way."""


def authenticate(request: ApiRequest, app: App, now: float) -> ApiKey:
    """Find the key the request proves it holds.

    Args:
        request: the request.
        app: the app it is about; only this app's keys count.
        now: seconds since the epoch.

    Raises:
        UnauthorizedError: ``missing_credentials``, ``invalid_credentials``, or one of the ``invalid_signature``,
            ``expired_signature`` and ``body_mismatch`` of a signed request.
        InvalidRequestError: ``invalid_query`` when the credentials are not in the headers and the query is not UTF-8.
    """
    key = secret = None
    for name, value in request.headers:
        if name == b"x-api-key":
            key = value.decode("utf-8", "surrogateescape")
        elif name == b"x-api-secret":
            secret = value.decode("utf-8", "surrogateescape")
    if key is None or secret is None:
        if standard := _STANDARD_QUERY.fullmatch(request.query.decode("latin-1")):
            return _authenticate_standard(request, standard, app, now)
        parameters = request.parameters()
        first = dict(reversed(parameters))
        # A header alone may be a gateway's own: it stands in nobody's way who signed.
        if "auth_key" in first or "auth_signature" in first:
            return _authenticate_signature(request, parameters, first, app, now)
        if key is None and secret is None:
            key, secret = first.get("apiKey"), first.get("apiSecret")
    if key is None or secret is None:
        raise UnauthorizedError(
            "missing_credentials",
            "Send X-Api-Key and X-Api-Secret headers (or apiKey and apiSecret in the query), "
            "or sign the request as Pusher does.",
        )
    api_key = app.keys.get(key)
    if not signing.is_secret_of(api_key, secret) or api_key is None:
        raise UnauthorizedError("invalid_credentials", "The key and secret do not belong together, or not to this app.")
    return api_key


def check_scope(key: ApiKey, scope: Scope) -> None:
    """See whether a key may be used for something.

    Raises:
        ForbiddenError: ``insufficient_scope``.
    """
    if scope not in key.scopes:
        raise ForbiddenError("insufficient_scope", f"This needs a key with the scope {scope}; this key has not got it.")


def _authenticate_standard(request: ApiRequest, standard: re.Match[str], app: App, now: float) -> ApiKey:
    """Check a signed request whose query is as the SDKs write it: what was signed can be cut out of it as it is."""
    query, key, timestamp, body_md5, signature = standard.groups("")
    api_key = _key_that_signs(app, key)
    text = f"{request.method}\n{request.path}\n{query}".encode("utf-8", "surrogatepass")
    if not signing.is_signed(api_key, text, signature):
        # The path may have been signed in another form: that is the long way round.
        parameters = request.parameters()
        return _authenticate_signature(request, parameters, dict(reversed(parameters)), app, now)
    _check_timestamp(timestamp, now)
    _check_body(request.body, body_md5)
    return api_key


def _key_that_signs(app: App, key: str) -> ApiKey:
    api_key = app.keys.get(key)
    if api_key is None:
        raise UnauthorizedError("invalid_credentials", "auth_key is not a key of this app.")
    return api_key


def _authenticate_signature(
    request: ApiRequest, parameters: Sequence[tuple[str, str]], first: Mapping[str, str], app: App, now: float
) -> ApiKey:
    """Check a signed request; ``first`` holds the first parameter of each name."""
    api_key = _key_that_signs(app, first.get("auth_key", ""))
    if first.get("auth_version") != "1.0":
        raise UnauthorizedError("invalid_signature", "auth_version must be 1.0.")
    text = signing.request_text(request.method, request.path, parameters)
    signature = first.get("auth_signature", "")
    is_signed = signing.is_signed(api_key, text, signature)
    if not is_signed and not _is_signed_decoded(request, parameters, api_key, signature):
        raise UnauthorizedError(
            "invalid_signature",
            "Invalid signature: auth_signature must be the HMAC SHA256 hex digest of the method, the path and the "
            "sorted query parameters, joined by newlines, under the app's secret.",
        )
    _check_timestamp(first.get("auth_timestamp", ""), now)
    _check_body(request.body, first.get("body_md5", ""))
    return api_key


def _is_signed_decoded(request: ApiRequest, parameters: Sequence[tuple[str, str]], key: ApiKey, signature: str) -> bool:
    """Whether a signature that is not one of the path as it was sent is one of the decoded path.

    SDKs sign the path that they hand to an HTTP client, which may encode it on its way: the user id ``auth0|1``
    arrives as ``auth0%7C1``.
    """
    decoded = unquote(request.path)
    # A slash that was encoded must stay within its segment: one path must not pass for another.
    if decoded == request.path or decoded.count("/") != request.path.count("/"):
        return False
    return signing.is_signed(key, signing.request_text(request.method, decoded, parameters), signature)


def _check_body(body: bytes, body_md5: str) -> None:
    # An empty body needs no body_md5; one that is there shows whether a body was taken away on the road.
    if (body or body_md5) and not signing.matches(signing.body_md5(body), body_md5):
        raise UnauthorizedError("body_mismatch", "body_md5 must be the hex MD5 digest of the request body.")


def _check_timestamp(timestamp: str, now: float) -> None:
    is_number = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not is_number or abs(now - int(timestamp)) > TIMESTAMP_WINDOW:
        raise UnauthorizedError(
            "expired_signature",
            f"auth_timestamp must be within {TIMESTAMP_WINDOW} s of the server's clock, which is at {int(now)}.",
        )
