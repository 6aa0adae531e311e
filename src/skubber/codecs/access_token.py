"""Access tokens of SignalR clients: JSON Web Tokens, signed with keys that are derived from an API key's secret.

Source: RFC 7519 (JWT), RFC 7515 (JWS, HS256).

Nothing about a token is stored. The signing key follows from the app, the API key that minted the token and the day,
so every node can check what any other has issued, a restart cuts nobody off, the key changes every day while
yesterday's tokens live on, and removing an API key ends the tokens it minted.
"""

import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt
import msgspec

from skubber.core.app import ApiKey, App

ALGORITHM = "HS256"
AUDIENCE = "skubber:signalr"
MAX_LIFETIME = 86_400
"""Longest validity, seconds: a key signs for a day, and yesterday's is still known."""

_EPOCH = 86_400
_CLOCK_SKEW = 60


class Permission(StrEnum):
    """What the holder of a token may do on channels it is allowed on."""

    SUBSCRIBE = "subscribe"
    TRIGGER = "trigger"


ALL_PERMISSIONS = frozenset(Permission)
NO_USER_INFO = b"null"
"""What is said of a user of whom nothing is said."""


class AccessTokenError(Exception):
    """The token is not one of ours, not for this server, or expired. The message says which, and nothing secret."""


@dataclass(frozen=True, slots=True)
class Grants:
    """What a token says of its holder.

    Attributes:
        user_id: the user it was issued to; None when the back end named none.
        user_info: what other presence members are told about the user, as JSON text.
        channels: private and presence channels it may subscribe to; ``*`` in a name stands for any text.
        permissions: what it may do.
    """

    user_id: str | None = None
    user_info: bytes = NO_USER_INFO
    channels: tuple[str, ...] = ()
    permissions: frozenset[Permission] = ALL_PERMISSIONS


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A checked token.

    Attributes:
        app: the app it is for.
        key: the API key that minted it.
        grants: what it allows.
        expires_at: seconds since the epoch.
    """

    app: App
    key: ApiKey
    grants: Grants
    expires_at: int


class _Claims(msgspec.Struct, rename="camel"):
    """The claims that are read once the others are checked."""

    iat: int
    exp: int
    channels: list[str]
    permissions: list[Permission]
    user_id: str | None = None
    user_info: str | None = None


def issue(app: App, key: ApiKey, grants: Grants, now: float, lifetime: int, token_id: str) -> str:
    """Make a token.

    Args:
        app: the app.
        key: the API key that asks for it.
        grants: what it allows.
        now: seconds since the epoch.
        lifetime: seconds, at most ``MAX_LIFETIME``.
        token_id: unique among all tokens.
    """
    epoch = int(now) // _EPOCH
    claims: dict[str, Any] = {
        "aud": AUDIENCE,
        "sub": app.id,
        "iat": int(now),
        "exp": int(now) + lifetime,
        "jti": token_id,
        "channels": list(grants.channels),
        "permissions": sorted(grants.permissions),
    }
    if grants.user_id is not None:
        claims["userId"] = grants.user_id
        if grants.user_info != NO_USER_INFO:
            claims["userInfo"] = grants.user_info.decode()
    return jwt.encode(claims, _signing_key(app, key.key, key.secret, epoch), ALGORITHM, {"kid": f"{key.key}/{epoch}"})


def read(token: str, find_app: Callable[[str], App | None], now: float, grace: int = 0) -> AccessToken:
    """Check a token.

    Args:
        token: as the client sent it.
        find_app: finds the app that owns an API key.
        now: seconds since the epoch.
        grace: seconds for which it is still good once it has expired.

    Raises:
        AccessTokenError: the token is not to be trusted.
    """
    try:
        key_id, epoch = _key_id(jwt.get_unverified_header(token))
        app = find_app(key_id)
        if app is None or abs(epoch - int(now) // _EPOCH) > 1:
            raise AccessTokenError("The access token was signed with a key that is not valid any more.")
        key = app.keys[key_id]
        claims = msgspec.convert(_payload(token, app, key, epoch), _Claims)
        _check_times(claims, now, grace)
        return AccessToken(app, key, _grants(claims), claims.exp)
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, RecursionError):
        raise AccessTokenError("The access token is not valid.") from None


def _payload(token: str, app: App, key: ApiKey, epoch: int) -> dict[str, Any]:
    """The claims of a token that was signed with a secret of a key, the current one or the one before it."""
    *others, last = (_signing_key(app, key.key, secret, epoch) for secret in key.secrets)
    for signing_key in others:
        with suppress(jwt.InvalidSignatureError):
            return _decode(token, signing_key, app.id)
    return _decode(token, last, app.id)


def _decode(token: str, signing_key: bytes, app_id: str) -> dict[str, Any]:
    return jwt.decode(
        token,
        signing_key,
        [ALGORITHM],
        {"require": ["aud", "sub", "iat", "exp", "jti"], "verify_exp": False, "verify_iat": False},
        audience=AUDIENCE,
        subject=app_id,
    )


def _signing_key(app: App, key: str, secret: str, epoch: int) -> bytes:
    # SHA-512 keeps this apart from every signature that anybody can obtain under the same secret: those are SHA-256.
    label = msgspec.json.encode(["skubber signalr access token", app.id, key, epoch])
    return hmac.digest(secret.encode(), label, "sha512")


def _key_id(header: Mapping[str, Any]) -> tuple[str, int]:
    key_id, _, epoch = str(header["kid"]).rpartition("/")
    return key_id, int(epoch)


def _check_times(claims: _Claims, now: float, grace: int) -> None:
    if claims.exp + grace <= now:
        raise AccessTokenError("The access token has expired: ask the back end for a new one.")
    if claims.iat > now + _CLOCK_SKEW or claims.exp - claims.iat > MAX_LIFETIME:
        raise AccessTokenError("The access token is not valid.")


def _grants(claims: _Claims) -> Grants:
    # Every connection keeps its own: what most have in common is there once.
    permissions = frozenset(claims.permissions)
    return Grants(
        claims.user_id,
        NO_USER_INFO if claims.user_info is None else claims.user_info.encode(),
        tuple(claims.channels),
        ALL_PERMISSIONS if permissions == ALL_PERMISSIONS else permissions,
    )
