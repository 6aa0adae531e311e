"""Forged access tokens, at every door they could open: each request of the hub, over sockets.

What can be wrong with a token is tested in ``codecs/test_access_token.py``; here nothing comes past that.
"""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

from e2e.support.server import APP_ID, KEY, OTHER_ID, OTHER_KEY, OTHER_SECRET, SECRET, Server
from e2e.support.signalr import access_token
from e2e.test_signalr_access import REQUESTS, status
from skubber.codecs.access_token import AUDIENCE

Claims = dict[str, Any]


def today() -> int:
    return int(time.time()) // 86_400


def claims(**changed: Any) -> Claims:
    """The claims of a good token, but for what is changed."""
    now = int(time.time())
    good = {"aud": AUDIENCE, "sub": APP_ID, "iat": now, "exp": now + 60, "jti": "1"}
    return {**good, "channels": ["*"], "permissions": ["subscribe"], **changed}


def signing_key(app_id: str = APP_ID, key: str = KEY, secret: str = SECRET, day: int | None = None) -> bytes:
    """The key that signs an app's tokens on a day, today unless given."""
    label = ["skubber signalr access token", app_id, key, today() if day is None else day]
    return hmac.digest(secret.encode(), json.dumps(label, separators=(",", ":")).encode(), "sha512")


def key_id(key: str = KEY, day: int | None = None) -> str:
    return f"{key}/{today() if day is None else day}"


def encoded(value: Any) -> str:
    """A part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key: bytes, said: Claims | None = None, digest: str = "sha256", **header: Any) -> str:
    """A token signed with any key; the header says HS256 and names the app's key, unless told otherwise."""
    head = {"alg": "HS256", "typ": "JWT", "kid": key_id(), **header}
    text = f"{encoded(head)}.{encoded(claims() if said is None else said)}"
    return f"{text}.{encoded(hmac.digest(key, text.encode(), digest))}"


def unsigned(algorithm: str) -> str:
    return signed(b"", alg=algorithm).rpartition(".")[0] + "."


OTHERS = (OTHER_ID, OTHER_KEY, OTHER_SECRET)
NOWHERE = "../../../../dev/null"

FORGERIES: dict[str, Callable[[], str]] = {
    "no algorithm": lambda: unsigned("none"),
    "no algorithm, in capitals": lambda: unsigned("NONE"),
    "no algorithm, yet a signature": lambda: signed(signing_key(), alg="none"),
    "another algorithm": lambda: signed(signing_key(), digest="sha512", alg="HS512"),
    "an algorithm with a public key": lambda: signed(KEY.encode(), alg="RS256"),
    "signed with the app's key, which is public": lambda: signed(KEY.encode()),
    "signed with the key id, which is public": lambda: signed(key_id().encode()),
    "signed with the app's secret as it is": lambda: signed(SECRET.encode()),
    "signed with nothing": lambda: signed(b""),
    "a key id that is a path": lambda: signed(b"", kid=NOWHERE),
    "a key id that is a path, and a day": lambda: signed(b"", kid=f"{NOWHERE}/{today()}"),
    "an unknown key id": lambda: signed(signing_key(), kid=key_id("mps_nobody")),
    "a key id that is no text": lambda: signed(signing_key(), kid=[KEY, today()]),
    "a key brought along": lambda: signed(b"x", jwk={"kty": "oct", "k": encoded(b"x")}),
    "another app's key id": lambda: signed(signing_key(), kid=key_id(OTHER_KEY)),
    "another app's signature": lambda: signed(signing_key(*OTHERS)),
    "another app's signature and key id": lambda: signed(signing_key(*OTHERS), kid=key_id(OTHER_KEY)),
    "another app's subject": lambda: signed(signing_key(), claims(sub=OTHER_ID)),
    "another audience": lambda: signed(signing_key(), claims(aud="somebody else")),
    "expired": lambda: signed(signing_key(), claims(exp=int(time.time()) - 1)),
    "for ever": lambda: signed(signing_key(), claims(exp=10**12)),
    "from the future": lambda: signed(signing_key(), claims(iat=int(time.time()) + 3600)),
    "signed last week": lambda: signed(signing_key(day=today() - 7), kid=key_id(day=today() - 7)),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_opens_nothing(server: Server, forgery: str) -> None:
    for request_kind in REQUESTS:
        token = FORGERIES[forgery]()
        assert await status(server, request_kind, token, {}, id="x") == 401
        assert await status(server, request_kind, None, {"authorization": f"Bearer {token}"}, id="x") == 401


async def test_a_forger_who_has_the_key_forges_good_tokens(server: Server) -> None:
    assert await status(server, "negotiate", signed(signing_key()), {}) == 200
    assert await status(server, "websocket", signed(signing_key()), {}) == 101


async def test_a_good_token_in_the_query_does_not_stand_in_for_a_bad_one_in_the_header(server: Server) -> None:
    headers = {"authorization": f"Bearer {unsigned('none')}"}
    for request_kind in REQUESTS:
        assert await status(server, request_kind, access_token(server), headers, id="x") == 401
