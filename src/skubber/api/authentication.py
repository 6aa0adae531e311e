"""Who may call the HTTP API: an app's plain key and secret, or Pusher's HMAC signature.

Source: the product's API contract, "Authentication"; Pusher Channels documentation, "REST API: Authentication".
"""

from collections.abc import Mapping

from skubber.api.message import ApiRequest
from skubber.codecs import signing
from skubber.core.app import ApiKey, App
from skubber.core.errors import UnauthorizedError

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
    """
    key = secret = None
    for name, value in request.headers:
        if name == b"x-api-key":
            key = value.decode("latin-1")
        elif name == b"x-api-secret":
            secret = value.decode("latin-1")
    if key is None and secret is None:
        parameters = dict(request.parameters())
        if "auth_key" in parameters or "auth_signature" in parameters:
            return _authenticate_signature(request, parameters, app, now)
        key, secret = parameters.get("apiKey"), parameters.get("apiSecret")
    if key is None or secret is None:
        raise UnauthorizedError(
            "missing_credentials",
            "Send X-Api-Key and X-Api-Secret headers (or apiKey and apiSecret in the query), "
            "or sign the request as Pusher does.",
        )
    api_key = app.keys.get(key)
    if api_key is None or not signing.matches(api_key.secret, secret):
        raise UnauthorizedError("invalid_credentials", "The key and secret do not belong together, or not to this app.")
    return api_key


def _authenticate_signature(request: ApiRequest, parameters: Mapping[str, str], app: App, now: float) -> ApiKey:
    api_key = app.keys.get(parameters.get("auth_key", ""))
    if api_key is None:
        raise UnauthorizedError("invalid_credentials", "auth_key is not a key of this app.")
    if parameters.get("auth_version") != "1.0":
        raise UnauthorizedError("invalid_signature", "auth_version must be 1.0.")
    text = signing.request_text(request.method, request.path, request.parameters())
    if not signing.matches(signing.sign(api_key.secret, text), parameters.get("auth_signature", "")):
        raise UnauthorizedError(
            "invalid_signature",
            "Invalid signature: auth_signature must be the HMAC SHA256 hex digest of the method, the path and the "
            "sorted query parameters, joined by newlines, under the app's secret.",
        )
    _check_timestamp(parameters.get("auth_timestamp", ""), now)
    if request.body and not signing.matches(signing.body_md5(request.body), parameters.get("body_md5", "")):
        raise UnauthorizedError("body_mismatch", "body_md5 must be the hex MD5 digest of the request body.")
    return api_key


def _check_timestamp(timestamp: str, now: float) -> None:
    is_number = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not is_number or abs(now - int(timestamp)) > TIMESTAMP_WINDOW:
        raise UnauthorizedError(
            "expired_signature",
            f"auth_timestamp must be within {TIMESTAMP_WINDOW} s of the server's clock, which is at {int(now)}.",
        )
