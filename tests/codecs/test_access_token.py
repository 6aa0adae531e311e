"""Tokens, tampered with in every way that keeps them looking like tokens."""

import contextlib
import hmac
import json
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256, sha512
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs.access_token import (
    ALL_PERMISSIONS,
    AUDIENCE,
    MAX_LIFETIME,
    AccessToken,
    AccessTokenError,
    Grants,
    Permission,
    issue,
    read,
)
from skubber.core.app import ApiKey, App
from skubber.store.apps import AppRegistry
from support.apps import KEY, OTHER_KEY, OTHER_SECRET, SECOND_KEY, SECOND_SECRET, SECRET, make_app, other_app
from support.signalr_messages import IDS, TEXT, values

DAY = 86_400
MIDNIGHT = 20_000 * DAY
NOW = MIDNIGHT + 12 * 3600
EPOCH = NOW // DAY

APP = make_app()
APPS = AppRegistry([APP, other_app()])

Claims = dict[str, Any]
GOOD_CLAIMS: Claims = {
    "aud": AUDIENCE,
    "sub": "4711",
    "iat": NOW,
    "exp": NOW + 60,
    "jti": "1",
    "channels": [],
    "permissions": ["subscribe"],
}


def minted(grants: Grants | None = None, now: float = NOW, lifetime: int = MAX_LIFETIME, key: str = KEY) -> str:
    """A token as the app's back end gets it."""
    return issue(APP, APP.keys[key], grants or Grants(), now, lifetime, "id")


def checked(token: str, now: float = NOW) -> AccessToken:
    """What a token says."""
    return read(token, APPS.find_by_key, now)


def refused(token: str, now: float = NOW, find_app: Callable[[str], App | None] = APPS.find_by_key) -> str:
    """Why a token is refused."""
    with pytest.raises(AccessTokenError) as error:
        read(token, find_app, now)
    message = str(error.value)
    assert message.endswith(".")
    assert len(token) < 20 or token not in message
    return message


def signing_key(app_id: str = "4711", key: str = KEY, secret: str = SECRET, epoch: int = EPOCH) -> bytes:
    """The key of a day. Nodes of different versions must agree on it, so it is derived here once more."""
    label = json.dumps(["skubber signalr access token", app_id, key, epoch], separators=(",", ":"), ensure_ascii=False)
    return hmac.new(secret.encode(), label.encode(), sha512).digest()


def kid(key: str = KEY, epoch: int = EPOCH) -> str:
    """The id of a day's key."""
    return f"{key}/{epoch}"


def encoded(value: Any) -> str:
    """A part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(part: str) -> Any:
    """What a part of a token says."""
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def forged(claims: Any, header: Any = None, key: bytes | None = None) -> str:
    """A token signed with any key, ours unless given, whatever its header and claims."""
    head = {"alg": "HS256", "kid": kid()} if header is None else header
    text = f"{encoded(head)}.{encoded(claims)}"
    signature = hmac.new(signing_key() if key is None else key, text.encode(), sha256).digest()
    return f"{text}.{encoded(signature)}"


def test_the_forger_forges_good_tokens_when_it_has_the_key() -> None:
    assert checked(forged(GOOD_CLAIMS)).expires_at == NOW + 60


class TestReading:
    def test_a_token_says_who_its_holder_is_and_what_it_may(self) -> None:
        grants = Grants("ada", b'{"name": "Ada"}', ("private-*", "presence-room"), frozenset({Permission.SUBSCRIBE}))
        token = checked(minted(grants))
        assert token == AccessToken(APP, APP.keys[KEY], grants, NOW + MAX_LIFETIME)

    def test_what_is_not_asked_for_is_the_least_for_channels_and_the_most_for_permissions(self) -> None:
        grants = checked(minted()).grants
        assert grants == Grants(None, b"null", (), ALL_PERMISSIONS)

    def test_a_token_may_allow_nothing(self) -> None:
        assert checked(minted(Grants(permissions=frozenset()))).grants.permissions == frozenset()

    def test_each_key_of_an_app_signs_tokens_of_its_own(self) -> None:
        first, second = checked(minted()), checked(minted(key=SECOND_KEY))
        assert (first.key.key, second.key.key) == (KEY, SECOND_KEY)
        assert first.app is second.app is APP

    @given(TEXT, values().map(json.dumps).map(str.encode), st.lists(TEXT), st.sets(st.sampled_from(Permission)))
    def test_grants_come_through(
        self, user_id: str, user_info: bytes, channels: list[str], permissions: set[Permission]
    ) -> None:
        grants = Grants(user_id, user_info, tuple(channels), frozenset(permissions))
        assert checked(minted(grants)).grants == grants

    @given(IDS, IDS, IDS)
    def test_app_ids_keys_and_secrets_may_be_any_text(self, app_id: str, key: str, secret: str) -> None:
        app = App.with_keys(app_id, [ApiKey(key, secret)])
        token = issue(app, app.keys[key], Grants(), NOW, 60, "id")
        assert read(token, AppRegistry([app]).find_by_key, NOW).app is app

    @pytest.mark.parametrize("key", ["a/b", "/", "a/", "/20000", f"x/{EPOCH}", "k:1", "kéy 𝄞", "..", 'a"b\\'])
    def test_keys_may_look_like_key_ids(self, key: str) -> None:
        app = App.with_keys("app/1:ü", [ApiKey(key, SECRET)])
        token = issue(app, app.keys[key], Grants(), NOW, 60, "id")
        assert read(token, AppRegistry([app]).find_by_key, NOW).key.key == key

    def test_it_is_a_json_web_token_that_any_library_reads(self) -> None:
        token = minted(Grants("ada"))
        assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT", "kid": kid()}
        claims = jwt.decode(
            token, signing_key(), ["HS256"], {"verify_exp": False, "verify_iat": False}, audience=AUDIENCE
        )
        assert claims == {
            "aud": "skubber:signalr",
            "sub": "4711",
            "iat": NOW,
            "exp": NOW + MAX_LIFETIME,
            "jti": "id",
            "channels": [],
            "permissions": ["subscribe", "trigger"],
            "userId": "ada",
        }

    def test_it_holds_no_secret_and_nothing_that_one_could_be_guessed_from(self) -> None:
        token = minted(Grants("ada", b'{"name":"Ada"}', ("private-*",)))
        header, claims, signature = token.split(".")
        everything = [token, json.dumps(decoded(header)), json.dumps(decoded(claims)), signature]
        secret = SECRET.encode()
        tell_tales = [
            SECRET,
            secret.hex(),
            encoded(secret),
            sha256(secret).hexdigest(),
            encoded(sha256(secret).digest()),
        ]
        assert not [tell_tale for tell_tale in tell_tales for text in everything if tell_tale in text]
        assert decoded(header).keys() == {"alg", "typ", "kid"}

    def test_it_fits_into_a_url_as_it_is(self) -> None:
        assert re.fullmatch(r"[A-Za-z0-9_.\-]+", minted(Grants("ü?&=", b'"?&="')))

    def test_the_fraction_of_a_second_is_dropped(self) -> None:
        assert checked(minted(now=NOW + 0.9), NOW + 0.9).expires_at == NOW + MAX_LIFETIME


class TestTimes:
    @pytest.mark.parametrize("lifetime", [1, 60, 3600])
    def test_it_is_valid_up_to_its_end(self, lifetime: int) -> None:
        token = minted(lifetime=lifetime)
        assert checked(token, NOW + lifetime - 0.001).expires_at == NOW + lifetime
        for late in (0, 1, DAY - 1):
            assert "has expired" in refused(token, NOW + lifetime + late)

    @pytest.mark.parametrize("grace", [1, 60, 3600])
    def test_it_may_be_good_for_a_while_longer(self, grace: int) -> None:
        token, end = minted(lifetime=60), NOW + 60
        assert read(token, APPS.find_by_key, end + grace - 0.001, grace).expires_at == end
        with pytest.raises(AccessTokenError, match="has expired"):
            read(token, APPS.find_by_key, end + grace, grace)

    def test_a_grace_makes_no_token_longer_than_an_hour_good(self) -> None:
        token = minted(lifetime=MAX_LIFETIME + 1)
        with pytest.raises(AccessTokenError):
            read(token, APPS.find_by_key, NOW, 60)

    def test_a_clock_that_is_a_minute_ahead_is_forgiven(self) -> None:
        assert checked(minted(now=NOW + 60)).expires_at == NOW + 60 + MAX_LIFETIME
        refused(minted(now=NOW + 61))

    def test_no_token_is_valid_for_longer_than_an_hour(self) -> None:
        assert checked(forged({**GOOD_CLAIMS, "exp": NOW + MAX_LIFETIME}))
        refused(forged({**GOOD_CLAIMS, "exp": NOW + MAX_LIFETIME + 1}))
        refused(forged({**GOOD_CLAIMS, "iat": NOW - DAY}))
        refused(minted(lifetime=MAX_LIFETIME + 1))

    def test_a_token_lives_on_past_the_midnight_that_ends_its_key(self) -> None:
        token = minted(now=MIDNIGHT - 10)
        assert decoded(token.split(".", maxsplit=1)[0])["kid"] == kid(epoch=MIDNIGHT // DAY - 1)
        for now in (MIDNIGHT - 10, MIDNIGHT, MIDNIGHT + 1800, MIDNIGHT + MAX_LIFETIME - 11):
            assert checked(token, now).expires_at == MIDNIGHT - 10 + MAX_LIFETIME
        assert "has expired" in refused(token, MIDNIGHT + MAX_LIFETIME - 10)

    def test_a_clock_that_is_past_midnight_already_is_forgiven(self) -> None:
        assert checked(minted(now=MIDNIGHT + 10), MIDNIGHT - 10).expires_at == MIDNIGHT + 10 + MAX_LIFETIME

    @pytest.mark.parametrize(("days", "is_valid"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
    def test_only_the_keys_of_yesterday_today_and_tomorrow_are_valid(self, days: int, is_valid: bool) -> None:
        token = forged(GOOD_CLAIMS, {"alg": "HS256", "kid": kid(epoch=EPOCH + days)}, signing_key(epoch=EPOCH + days))
        if is_valid:
            assert checked(token)
        else:
            assert "key that is not valid any more" in refused(token)

    def test_each_day_has_a_key_of_its_own(self) -> None:
        for claimed in (-1, 1):
            refused(forged(GOOD_CLAIMS, {"alg": "HS256", "kid": kid(epoch=EPOCH + claimed)}))


class TestKeys:
    def test_a_token_ends_with_the_key_that_minted_it(self) -> None:
        token = minted()
        without = replace(APP, keys={SECOND_KEY: APP.keys[SECOND_KEY]})
        assert "not valid any more" in refused(token, find_app=AppRegistry([without]).find_by_key)
        assert "not valid any more" in refused(token, find_app=AppRegistry([]).find_by_key)
        assert read(minted(key=SECOND_KEY), AppRegistry([without]).find_by_key, NOW).app is without

    def test_a_token_ends_with_the_secret_that_minted_it(self) -> None:
        renewed = App.with_keys("4711", [ApiKey(KEY, "another secret")])
        refused(minted(), find_app=AppRegistry([renewed]).find_by_key)

    def test_a_store_that_finds_an_app_without_the_key_gives_it_to_nobody(self) -> None:
        refused(minted(), find_app=lambda _: other_app())

    def test_a_key_that_moves_to_another_app_takes_no_tokens_along(self) -> None:
        moved = App.with_keys("other", [ApiKey(KEY, SECRET)])
        refused(minted(), find_app=AppRegistry([moved]).find_by_key)

    @pytest.mark.parametrize(
        "key",
        [
            b"",
            b"k" * 64,
            SECRET.encode(),
            KEY.encode(),
            signing_key(secret=OTHER_SECRET),
            signing_key(key=SECOND_KEY, secret=SECOND_SECRET),
            signing_key(key=SECOND_KEY),
            signing_key(app_id="other"),
            signing_key("other", OTHER_KEY, OTHER_SECRET),
            hmac.new(SECRET.encode(), b"", sha512).digest(),
            signing_key()[:32],
        ],
        ids=lambda key: f"{len(key)}-{key[:4].hex()}",
    )
    def test_only_the_key_of_the_app_the_api_key_and_the_day_signs(self, key: bytes) -> None:
        refused(forged(GOOD_CLAIMS, key=key))

    def test_another_app_cannot_sign_for_this_one(self) -> None:
        header = {"alg": "HS256", "kid": kid(OTHER_KEY)}
        theirs = signing_key("other", OTHER_KEY, OTHER_SECRET)
        assert checked(forged({**GOOD_CLAIMS, "sub": "other"}, header, theirs)).app.id == "other"
        refused(forged(GOOD_CLAIMS, header, theirs))
        refused(forged(GOOD_CLAIMS, None, theirs))

    @pytest.mark.parametrize(
        "key_id",
        [
            None,
            5,
            True,
            "",
            "/",
            KEY,
            f"{KEY}/",
            f"/{EPOCH}",
            f"{KEY}/today",
            f"{KEY}/{EPOCH}/",
            f"{KEY}/{EPOCH}.0",
            f"{KEY}/{EPOCH}/{EPOCH}",
            f"{KEY} /{EPOCH}",
            f"{KEY.upper()}/{EPOCH}",
            f"{KEY}/{'9' * 5000}",
            f"{KEY}/-{EPOCH}",
            f"{KEY}/inf",
            "nobody/1",
            [KEY, EPOCH],
            {"key": KEY},
            "\ud800/1",
        ],
        ids=lambda key_id: str(key_id)[:20].encode("ascii", "replace").decode(),
    )
    def test_a_key_id_that_is_none_is_refused(self, key_id: Any) -> None:
        refused(forged(GOOD_CLAIMS, {"alg": "HS256", "kid": key_id}))

    def test_a_token_without_a_key_id_is_refused(self) -> None:
        refused(forged(GOOD_CLAIMS, {"alg": "HS256"}))


class TestAlgorithms:
    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 5, [], "HS384", "HS512", "hs256", "RS256"])
    def test_the_header_does_not_choose_the_algorithm(self, algorithm: Any) -> None:
        header = {"alg": algorithm, "kid": kid()}
        refused(forged(GOOD_CLAIMS, header))
        unsigned = f"{encoded(header)}.{encoded(GOOD_CLAIMS)}."
        refused(unsigned)

    def test_an_unsigned_token_of_the_library_is_refused(self) -> None:
        refused(jwt.encode(GOOD_CLAIMS, "", "none", {"kid": kid()}))

    @pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
    def test_a_stronger_algorithm_is_none_of_ours(self, algorithm: str) -> None:
        refused(jwt.encode(GOOD_CLAIMS, signing_key(), algorithm, {"kid": kid()}))

    def test_a_public_key_is_no_secret(self) -> None:
        private_key = rsa.generate_private_key(65537, 2048)
        refused(jwt.encode(GOOD_CLAIMS, private_key, "RS256", {"kid": kid()}))
        public_key = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        refused(forged(GOOD_CLAIMS, key=public_key))

    def test_a_key_in_the_header_is_not_trusted(self) -> None:
        own_key = b"x" * 32
        key = {"kty": "oct", "k": encoded(own_key)}
        for member in ({"jwk": key}, {"jku": "https://example.com/keys"}, {"x5u": "https://example.com/x5u"}):
            refused(forged(GOOD_CLAIMS, {"alg": "HS256", "kid": kid(), **member}, own_key))

    @pytest.mark.parametrize("member", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"b64": False}])
    def test_what_the_header_demands_and_we_do_not_know_is_refused(self, member: dict[str, Any]) -> None:
        refused(forged(GOOD_CLAIMS, {"alg": "HS256", "kid": kid(), **member}))


class TestClaims:
    @pytest.mark.parametrize("missing", GOOD_CLAIMS)
    def test_every_claim_must_be_there(self, missing: str) -> None:
        refused(forged({name: value for name, value in GOOD_CLAIMS.items() if name != missing}))

    @pytest.mark.parametrize(
        "claim",
        [
            {"aud": "somebody else"},
            {"aud": []},
            {"aud": None},
            {"aud": 5},
            {"sub": "other"},
            {"sub": 4711},
            {"sub": None},
            {"jti": 5},
            {"iat": "now"},
            {"exp": None},
            {"exp": "never"},
            {"exp": NOW},
            {"exp": NOW - 1},
            {"exp": -1},
            {"iat": NOW + 61},
            {"iat": NOW + 3600, "exp": NOW + 3601},
            {"permissions": ["administrate"]},
            {"permissions": None},
            {"permissions": "subscribe"},
            {"channels": None},
            {"channels": "private-*"},
            {"channels": [1]},
            {"userId": 5},
            {"userInfo": {"name": "Ada"}},
            {"exp": math.inf},
            {"iat": math.nan},
            {"exp": 10**30},
        ],
        ids=str,
    )
    def test_every_claim_must_be_right(self, claim: Claims) -> None:
        refused(forged({**GOOD_CLAIMS, **claim}))

    @pytest.mark.parametrize(
        "claims",
        [[], "claims", 5, None, b"junk", b"\xff", b"[" * 100_000, b""],
        ids=lambda claims: str(claims)[:10],
    )
    def test_claims_are_an_object(self, claims: Any) -> None:
        refused(forged(claims))

    @pytest.mark.parametrize(
        "claim",
        [
            {"exp": NOW + MAX_LIFETIME - 1},
            {"userId": "bob"},
            {"sub": "other"},
            {"permissions": ["subscribe", "trigger"]},
            {"channels": ["private-*"]},
            {"aud": "skubber:everything"},
            {"iat": NOW + 1},
            {"jti": "2"},
            {"extra": 1},
        ],
        ids=str,
    )
    def test_no_claim_can_be_changed_or_added(self, claim: Claims) -> None:
        header, claims, signature = minted(Grants("ada", permissions=frozenset())).split(".")
        changed = encoded({**decoded(claims), **claim})
        refused(f"{header}.{changed}.{signature}")

    def test_no_header_can_be_changed(self) -> None:
        header, claims, signature = minted().split(".")
        for change in ({"kid": kid(SECOND_KEY)}, {"kid": kid(epoch=EPOCH - 1)}, {"typ": "at+jwt"}, {"extra": 1}):
            refused(f"{encoded({**decoded(header), **change})}.{claims}.{signature}")


class TestAnything:
    @pytest.mark.parametrize(
        "token",
        [
            "",
            ".",
            "..",
            "...",
            "a.b.c",
            "null",
            "Bearer x",
            "\0",
            "\ud800",
            "𝄞.𝄞.𝄞",
            f"{encoded(b'[' * 100_000)}.e30.",
            f"{encoded([])}.{encoded({})}.",
            f"{encoded('x')}.{encoded({})}.",
            f"{encoded(b'{')}.{encoded({})}.",
            "e30.e30.e30",
            "=.=.=",
        ],
        ids=lambda token: token[:10].encode("ascii", "replace").decode(),
    )
    def test_what_is_no_token_is_refused(self, token: str) -> None:
        refused(token)

    @given(st.text(st.characters()) | st.binary().map(lambda data: data.decode("latin-1")))
    def test_any_text_is_refused(self, text: str) -> None:
        refused(text)

    @given(values(), values(), st.binary())
    def test_any_parts_are_refused(self, header: Any, claims: Any, signature: bytes) -> None:
        refused(f"{encoded(header)}.{encoded(claims)}.{encoded(signature)}")
        refused(forged(claims, header))

    @given(st.dictionaries(st.sampled_from([*GOOD_CLAIMS, "userId", "userInfo", "nbf", "iss"]), values()))
    def test_any_claims_that_are_signed_are_read_or_refused(self, claims: Claims) -> None:
        with contextlib.suppress(AccessTokenError):
            assert checked(forged({**GOOD_CLAIMS, **claims})).app is APP

    @given(st.integers(0, 400), st.text(st.characters(), max_size=2))
    def test_a_token_with_some_characters_changed_is_refused(self, place: int, other: str) -> None:
        token = minted(Grants("ada"))
        place %= len(token)
        changed = token[:place] + other + token[place + 1 :]
        # The last character holds bits of nothing: what differs there only is the same signature.
        if changed[:-1] != token[:-1]:
            refused(changed)
