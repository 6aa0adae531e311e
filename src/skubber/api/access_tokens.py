"""``POST /api/auth/signalr-token``: a back end fetches a token for one of its SignalR clients.

Source: the product's API contract, "Client connections".
"""

import math
import re
import secrets
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from skubber.api.authentication import check_scope
from skubber.api.message import ApiRequest, ApiResponse, error_response
from skubber.codecs import access_token, signing
from skubber.codecs.access_token import NO_USER_INFO, Grants, Permission
from skubber.codecs.json_text import is_portable_json
from skubber.core.app import ApiKey, App, Scope
from skubber.core.errors import (
    ForbiddenError,
    InvalidRequestError,
    RateLimitedError,
    SkubberError,
    UnauthorizedError,
)
from skubber.core.limits import Limits
from skubber.core.token_bucket import TokenBuckets
from skubber.store.apps import AppStore

MAX_GRANTS = 100

DEFAULT_LIFETIME = 3600
"""Longest validity of a token, seconds, unless the settings say otherwise; shorter ones may be asked for."""

# Wrong guesses that one address may make at once about one key, about any keys, and how fast it may make more.
_GUESSES_PER_KEY, _GUESSES_PER_ADDRESS, _GUESSES_PER_SECOND = 10, 50, 0.2

_GRANT = re.compile(r"[A-Za-z0-9_\-=@,.;*]+")


class TokenRequest(msgspec.Struct, rename="camel"):
    """What a token is asked for with: an API key, and what the holder shall be allowed."""

    api_key: Annotated[str, Meta(description="An API key of the app.", extra_json_schema={"minLength": 1})]
    api_secret: Annotated[
        str,
        Meta(
            description="Its secret. It is not in the token, and must not go to a browser.",
            extra_json_schema={"minLength": 1},
        ),
    ]
    user_id: Annotated[
        str | None,
        Meta(
            description="The user the token is for: nobody else can use it.",
            examples=["user123"],
            extra_json_schema={"minLength": 1, "maxLength": 128},
        ),
    ] = None
    user_info: Annotated[
        Raw | UnsetType, Meta(description="What other presence members are told of the user: any JSON, at most 1 KB.")
    ] = UNSET
    channels: Annotated[
        tuple[str, ...],
        Meta(
            description="Private and presence channels the holder may join, `*` for any text; at most 100.",
            extra_json_schema={
                "maxItems": MAX_GRANTS,
                "items": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[A-Za-z0-9_=@,.;*-]+$"},
            },
        ),
    ] = ()
    permissions: Annotated[
        tuple[Permission, ...], Meta(description="What the holder may do: `subscribe`, `trigger`; both unless given.")
    ] = tuple(Permission)
    expires_in: Annotated[
        float | None,  # JSON knows one kind of number: 900.0 is an integer
        Meta(
            description=f"Validity in seconds. The longest that the server's settings allow, {DEFAULT_LIFETIME} unless "
            "they say otherwise, is the default.",
            examples=[DEFAULT_LIFETIME],
            extra_json_schema={"multipleOf": 1, "minimum": 1, "maximum": DEFAULT_LIFETIME},
        ),
    ] = None


class TokenResponse(msgspec.Struct):
    """The token, for ``access_token`` in the hub's URL."""

    token: str


_decode = msgspec.json.Decoder(TokenRequest).decode


class AccessTokens:
    """Issues access tokens.

    Args:
        apps: where apps are looked up.
        clock: seconds since the epoch.
        max_lifetime: longest validity of a token, seconds.
    """

    def __init__(self, apps: AppStore, clock: Callable[[], float], max_lifetime: int = DEFAULT_LIFETIME) -> None:
        self._max_lifetime = max_lifetime
        self._apps = apps
        self._clock = clock
        self._guesses_by_key = TokenBuckets(_GUESSES_PER_KEY, _GUESSES_PER_SECOND)
        self._guesses_by_address = TokenBuckets(_GUESSES_PER_ADDRESS, _GUESSES_PER_SECOND)

    def answer(self, request: ApiRequest, address: str) -> ApiResponse:
        """Answer a request from a network address; never raises."""
        try:
            token = self._issue(_read(request.body), address)
        except SkubberError as error:
            return error_response(error)
        return ApiResponse(200, msgspec.json.encode(TokenResponse(token)), ((b"cache-control", b"no-store"),))

    def _issue(self, request: TokenRequest, address: str) -> str:
        now = self._clock()
        app, key = self._authenticate(request, address, now)
        if not app.enabled:
            raise ForbiddenError("app_disabled", "This app is disabled.")
        check_scope(key, Scope.CONNECT)
        self._apps.used_keys[key.key] = now
        lifetime = _lifetime(request, self._max_lifetime)
        grants = _grants(request, app.limits)
        return access_token.issue(app, key, grants, now, lifetime, secrets.token_urlsafe(16))

    def _authenticate(self, request: TokenRequest, address: str, now: float) -> tuple[App, ApiKey]:
        guess = (address, hash(request.api_key))  # what is guessed may be long, and many guesses are kept
        wait = max(self._guesses_by_key.wait(guess, now), self._guesses_by_address.wait(address, now))
        if wait > 0:
            raise RateLimitedError(
                "too_many_attempts",
                f"Too many wrong secrets came from here: try again in {math.ceil(wait)} s.",
                math.ceil(wait),
            )
        app = self._apps.find_by_key(request.api_key)
        if app is not None and signing.is_secret_of(app.keys[request.api_key], request.api_secret):
            return app, app.keys[request.api_key]
        self._guesses_by_key.take(guess, now)
        self._guesses_by_address.take(address, now)
        raise UnauthorizedError("invalid_credentials", "The key and secret do not belong together.")


def _read(body: bytes) -> TokenRequest:
    try:
        request = _decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise InvalidRequestError(
            "invalid_body", f'Send JSON like {{"apiKey": "...", "apiSecret": "..."}}: {error}.'
        ) from None
    if not request.api_key or not request.api_secret:
        raise InvalidRequestError("invalid_body", "apiKey and apiSecret must not be empty.")
    return request


def _lifetime(request: TokenRequest, longest: int) -> int:
    if request.expires_in is None:
        return longest
    if not 1 <= request.expires_in <= longest or request.expires_in % 1:
        raise InvalidRequestError("invalid_expires_in", f"expiresIn is 1 to {longest} whole seconds.")
    return int(request.expires_in)


def _grants(request: TokenRequest, limits: Limits) -> Grants:
    if request.user_id is not None and not 1 <= len(request.user_id) <= limits.presence_user_id_length:
        raise InvalidRequestError("invalid_user_id", f"userId has 1 to {limits.presence_user_id_length} characters.")
    if len(request.channels) > MAX_GRANTS or not all(_is_grant(name, limits) for name in request.channels):
        raise InvalidRequestError(
            "invalid_channels", f"channels holds at most {MAX_GRANTS} channel names, in which * stands for any text."
        )
    user_info = NO_USER_INFO if request.user_info is UNSET else bytes(request.user_info)
    if len(user_info) > limits.presence_user_info_bytes or not is_portable_json(user_info):
        raise InvalidRequestError(
            "invalid_user_info", f"userInfo is JSON of at most {limits.presence_user_info_bytes} bytes."
        )
    return Grants(request.user_id, user_info, request.channels, frozenset(request.permissions))


def _is_grant(name: str, limits: Limits) -> bool:
    return len(name) <= limits.channel_name_length and _GRANT.fullmatch(name) is not None
