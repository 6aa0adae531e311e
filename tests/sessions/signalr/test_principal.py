import contextlib
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs import access_token
from skubber.codecs.access_token import Grants
from skubber.core.app import ApiKey, App
from skubber.core.errors import ForbiddenError, InvalidRequestError, SkubberError, UnauthorizedError
from skubber.sessions.signalr.principal import Principal, SignalRRequest, authenticate
from skubber.store.apps import AppRegistry
from support.apps import DISABLED_KEY, KEY, OTHER_KEY, SECOND_KEY, disabled_app, make_app, other_app
from support.signalr_messages import IDS

NOW = 1_764_028_800
TLS_KEY = "mps_tls"
APPS = AppRegistry(
    [
        make_app(),
        other_app(),
        disabled_app(),
        App.with_keys("tls", [ApiKey(TLS_KEY, "s")], tls_only=True),
    ]
)

Headers = list[tuple[bytes, bytes]]


def token(user_id: str | None = None, key: str = KEY, now: float = NOW) -> str:
    """A token as a back end hands it out."""
    app = APPS.find_by_key(key)
    assert app is not None
    return access_token.issue(app, app.keys[key], Grants(user_id), now, 3600, "id")


def bearer(text: str, scheme: str = "Bearer") -> Headers:
    """An Authorization header, among others."""
    return [(b"host", b"x"), (b"authorization", f"{scheme} {text}".encode("utf-8", "surrogateescape"))]


def authenticated(query: dict[str, str] | bytes, headers: Headers | None = None, *, is_tls: bool = False) -> Principal:
    """Who sent a request."""
    text = query if isinstance(query, bytes) else urlencode(query).encode()
    return authenticate(SignalRRequest.of(text, headers or [], is_tls=is_tls), APPS, NOW)


def refused(query: dict[str, str] | bytes, headers: Headers | None = None) -> tuple[type[SkubberError], str]:
    """Why a request is refused."""
    with pytest.raises(SkubberError) as error:
        authenticated(query, headers)
    assert error.value.message.endswith(".")
    return type(error.value), error.value.code


class TestTokens:
    def test_a_token_may_come_in_the_query(self) -> None:
        principal = authenticated({"access_token": token()})
        assert (principal.token.app.id, principal.token.key.key, principal.user_id) == ("4711", KEY, None)

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
    def test_or_in_a_header(self, scheme: str) -> None:
        assert authenticated({}, bearer(token(), scheme)).token.app.id == "4711"

    def test_the_header_weighs_more_than_the_query(self) -> None:
        both = {"access_token": token(key=OTHER_KEY)}
        assert authenticated(both, bearer(token())).token.app.id == "4711"
        assert refused(both, bearer("junk")) == (UnauthorizedError, "invalid_access_token")

    @pytest.mark.parametrize("scheme", ["Basic", "Digest", "Bearerx"])
    def test_a_header_for_somebody_else_is_not_ours(self, scheme: str) -> None:
        assert authenticated({"access_token": token()}, bearer("dXNlcjpwYXNz", scheme)).token.app.id == "4711"
        assert refused({}, bearer(token(), scheme)) == (UnauthorizedError, "missing_access_token")

    def test_of_a_parameter_given_twice_the_first_counts(self) -> None:
        good, bad = token(), "junk"
        assert authenticated(f"access_token={good}&access_token={bad}".encode()).token.app.id == "4711"
        assert refused(f"access_token={bad}&access_token={good}".encode()) == (
            UnauthorizedError,
            "invalid_access_token",
        )

    @pytest.mark.parametrize(
        ("query", "headers"),
        [
            (b"", []),
            (b"access_token=", []),
            (b"access_token", []),
            (b"Access_Token=x", []),
            (b"userId=ada", []),
            (b"", bearer("")),
            (b"", [(b"authorization", b"")]),
            (b"", [(b"authorization", b"Bearer")]),
        ],
    )
    def test_without_one_nobody_comes_in(self, query: bytes, headers: Headers) -> None:
        assert refused(query, headers) == (UnauthorizedError, "missing_access_token")

    @pytest.mark.parametrize("text", ["junk", "a.b.c", "\udcff", "é", "null", token(now=NOW - 7200), token() + "x"])
    def test_with_a_bad_one_neither(self, text: str) -> None:
        assert refused({}, bearer(text)) == (UnauthorizedError, "invalid_access_token")
        in_query = b"access_token=" + quote(text.encode("utf-8", "surrogateescape")).encode()
        assert refused(in_query) == (UnauthorizedError, "invalid_access_token")

    def test_an_expired_one_may_be_good_for_a_while_longer(self) -> None:
        request = SignalRRequest.of(b"", bearer(token(now=NOW - 3600 - 59)), is_tls=False)
        assert authenticate(request, APPS, NOW, grace=60).token.expires_at == NOW - 59
        for late, grace in ((0, 0), (0, 59), (1, 60)):
            with pytest.raises(UnauthorizedError, match="has expired"):
                authenticate(request, APPS, NOW + late, grace)

    @given(st.binary(), st.lists(st.tuples(st.sampled_from([b"authorization", b"x"]), st.binary())))
    def test_any_request_is_answered(self, query: bytes, headers: Headers) -> None:
        refused(query, [(name, b"Bearer " + value) for name, value in headers])
        refused(query, headers)

    @given(st.binary())
    def test_any_query_behind_a_good_token_is_read_or_refused(self, query: bytes) -> None:
        with contextlib.suppress(InvalidRequestError):
            assert authenticated(query, bearer(token())).token.app.id == "4711"


class TestApps:
    def test_a_disabled_app_lets_nobody_in(self) -> None:
        assert refused({"access_token": token(key=DISABLED_KEY)}) == (ForbiddenError, "app_disabled")

    def test_an_app_may_insist_on_tls(self) -> None:
        query = {"access_token": token(key=TLS_KEY)}
        assert refused(query) == (ForbiddenError, "tls_required")
        assert authenticated(query, is_tls=True).token.app.id == "tls"

    def test_other_apps_do_not_mind(self) -> None:
        for is_tls in (True, False):
            assert authenticated({"access_token": token()}, is_tls=is_tls).token.app.id == "4711"


class TestUsers:
    def test_a_client_may_say_who_it_is_and_proves_nothing_by_it(self) -> None:
        principal = authenticated({"access_token": token(), "userId": "ada"})
        assert (principal.user_id, principal.is_proven) == ("ada", False)

    def test_a_token_that_was_issued_to_a_user_proves_it(self) -> None:
        principal = authenticated({"access_token": token("ada")})
        assert (principal.user_id, principal.is_proven) == ("ada", True)

    def test_saying_the_same_again_does_no_harm(self) -> None:
        principal = authenticated({"access_token": token("ada"), "userId": "ada"})
        assert (principal.user_id, principal.is_proven) == ("ada", True)

    @pytest.mark.parametrize("claimed", ["bob", "Ada", "ada ", " ada", "ada\0", "a"])
    def test_nobody_can_be_another_user_than_the_tokens(self, claimed: str) -> None:
        query = {"access_token": token("ada"), "userId": claimed}
        assert refused(query) == (ForbiddenError, "user_mismatch")

    def test_of_two_user_ids_the_first_counts_and_none_can_be_slipped_in(self) -> None:
        query = f"userId=bob&userId=ada&access_token={token('ada')}".encode()
        assert refused(query) == (ForbiddenError, "user_mismatch")

    def test_an_empty_user_id_is_none(self) -> None:
        principal = authenticated({"access_token": token(), "userId": ""})
        assert (principal.user_id, principal.is_proven) == (None, False)
        assert authenticated({"access_token": token("ada"), "userId": ""}).user_id == "ada"

    def test_a_user_id_has_so_many_characters_at_most(self) -> None:
        assert authenticated({"access_token": token(), "userId": "𝄞" * 128}).user_id == "𝄞" * 128
        assert refused({"access_token": token(), "userId": "𝄞" * 129}) == (InvalidRequestError, "invalid_user_id")

    @pytest.mark.parametrize("query", [b"userId=%C3%A4da%20%26%3D", "userId=äda+%26%3D".encode()])
    def test_a_user_id_may_be_any_text_encoded_or_not(self, query: bytes) -> None:
        assert authenticated(query, bearer(token())).user_id == "äda &="

    @given(IDS)
    def test_any_user_id_comes_through(self, user_id: str) -> None:
        assert authenticated({"access_token": token(), "userId": user_id}).user_id == user_id
        pinned = authenticated({"access_token": token(user_id), "userId": user_id})
        assert (pinned.user_id, pinned.is_proven) == (user_id, True)

    @pytest.mark.parametrize(
        ("one", "other", "are_same"),
        [
            ({"user_id": "ada"}, {"user_id": "ada"}, True),
            ({"user_id": "ada"}, {"user_id": "bob"}, False),
            ({"user_id": "ada"}, {}, False),
            ({}, {}, True),
            ({}, {"key": SECOND_KEY}, True),
            ({}, {"key": OTHER_KEY}, False),
            ({"user_id": "ada"}, {"user_id": "ada", "key": OTHER_KEY}, False),
            ({"user_id": "ada", "now": NOW - 60}, {"user_id": "ada"}, True),
        ],
    )
    def test_two_requests_are_of_one_user_when_app_and_user_are_the_same(
        self, one: dict[str, Any], other: dict[str, Any], are_same: bool
    ) -> None:
        first, second = (authenticated({"access_token": token(**each)}) for each in (one, other))
        assert first.is_user(second.token.app.id, second.user_id) == are_same
        assert second.is_user(first.token.app.id, first.user_id) == are_same


def test_a_request_shows_its_parameters_decoded() -> None:
    request = SignalRRequest.of(b"a=1&b=%20&c&a=2&d=%ff", [], is_tls=True)
    assert request.parameters == {"a": "1", "b": " ", "c": "", "d": "\ufffd"}
    assert request.is_tls
