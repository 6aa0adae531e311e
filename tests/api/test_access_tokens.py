import json
import tracemalloc
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.api.access_tokens import DEFAULT_LIFETIME, MAX_GRANTS, AccessTokens
from skubber.api.message import ApiRequest, ApiResponse
from skubber.codecs import access_token
from skubber.codecs.access_token import ALL_PERMISSIONS, AccessToken, Grants, Permission
from skubber.core.app import ApiKey, App
from skubber.core.limits import Limits
from skubber.store.apps import AppRegistry
from support.apps import (
    DISABLED_KEY,
    DISABLED_SECRET,
    KEY,
    OTHER_KEY,
    OTHER_SECRET,
    SECOND_KEY,
    SECOND_SECRET,
    SECRET,
    disabled_app,
    make_app,
    other_app,
)
from support.signalr_messages import IDS, values

NOW = 1_764_028_800
HERE, THERE = "192.0.2.1", "2001:db8::1"


class TokenService:
    """The endpoint, with a clock that the test moves."""

    def __init__(self, apps: Iterable[App] = ()) -> None:
        self.now: float = NOW
        self.apps = AppRegistry([make_app(), other_app(), disabled_app(), *apps])
        self.endpoint = AccessTokens(self.apps, lambda: self.now)

    def post(self, body: bytes, address: str = HERE) -> ApiResponse:
        """Send a body as it is."""
        return self.endpoint.answer(ApiRequest("POST", "/api/auth/signalr-token", b"", [], body), address)

    def ask(self, key: str = KEY, secret: str = SECRET, address: str = HERE, **more: Any) -> ApiResponse:
        """Ask for a token."""
        return self.post(json.dumps({"apiKey": key, "apiSecret": secret, **more}).encode(), address)

    def token(self, **more: Any) -> AccessToken:
        """Ask for a token, which must be given, and check it."""
        response = self.ask(**more)
        assert response.status == 200, response.body
        body = json.loads(response.body)
        assert body.keys() == {"token"}
        return access_token.read(body["token"], self.apps.find_by_key, self.now)

    def guess(self, times: int, key: str = KEY, address: str = HERE) -> list[int]:
        """The statuses that wrong secrets are answered with."""
        return [self.ask(key, "wrong", address).status for _ in range(times)]


@pytest.fixture
def service() -> TokenService:
    """The endpoint, which nobody has asked anything."""
    return TokenService()


def error_of(response: ApiResponse) -> tuple[int, str]:
    """Status and code of an error, which must come with a sentence."""
    body = json.loads(response.body)
    assert body.keys() == {"code", "error"}
    assert body["error"].endswith(".")
    return response.status, body["code"]


class TestTokens:
    def test_key_and_secret_are_enough(self, service: TokenService) -> None:
        token = service.token()
        assert (token.app.id, token.key.key, token.grants) == ("4711", KEY, Grants())
        assert token.expires_at == NOW + 3600

    def test_the_settings_say_how_long_they_may_be_valid(self, service: TokenService) -> None:
        service.endpoint = AccessTokens(service.apps, lambda: service.now, 86_400)
        assert service.token().expires_at == NOW + 86_400
        assert service.token(expiresIn=7200).expires_at == NOW + 7200
        assert error_of(service.ask(expiresIn=86_401)) == (400, "invalid_expires_in")

    def test_each_key_opens_its_own_app(self, service: TokenService) -> None:
        assert service.token(key=SECOND_KEY, secret=SECOND_SECRET).key.key == SECOND_KEY
        assert service.token(key=OTHER_KEY, secret=OTHER_SECRET).app.id == "other"

    def test_a_token_holds_what_was_asked_for(self, service: TokenService) -> None:
        token = service.token(
            userId="ada",
            userInfo={"name": "Ädä"},
            channels=["private-orders.*", "presence-room"],
            permissions=["subscribe"],
            expiresIn=60,
        )
        assert token.grants.user_id == "ada"
        assert json.loads(token.grants.user_info) == {"name": "Ädä"}
        assert token.grants.channels == ("private-orders.*", "presence-room")
        assert token.grants.permissions == {Permission.SUBSCRIBE}
        assert token.expires_at == NOW + 60

    def test_what_is_null_or_unknown_is_not_asked_for(self, service: TokenService) -> None:
        token = service.token(userId=None, userInfo=None, new={"x": 1}, user_id="ada", UserId="ada")
        assert token.grants == Grants()

    def test_the_user_info_goes_into_the_token_as_it_was_sent(self, service: TokenService) -> None:
        wish = '"userId":"ada","userInfo": { "n" : 1.50 }'
        body = f'{{"apiKey":"{KEY}","apiSecret":"{SECRET}",{wish} }}'.encode()
        text = json.loads(service.post(body).body)["token"]
        token = access_token.read(text, service.apps.find_by_key, NOW)
        assert token.grants.user_info == b'{ "n" : 1.50 }'

    def test_there_is_nothing_to_tell_of_a_user_who_is_not_named(self, service: TokenService) -> None:
        assert service.token(userInfo={"name": "Ada"}).grants == Grants()

    def test_permissions_may_be_none_at_all(self, service: TokenService) -> None:
        assert service.token(permissions=[]).grants.permissions == frozenset()
        assert service.token(permissions=["trigger", "subscribe", "trigger"]).grants.permissions == ALL_PERMISSIONS

    def test_no_two_tokens_are_the_same(self, service: TokenService) -> None:
        assert service.ask().body != service.ask().body

    def test_no_cache_keeps_a_token(self, service: TokenService) -> None:
        assert (b"cache-control", b"no-store") in service.ask().headers

    @pytest.mark.parametrize("body", [{}, {"userId": "ada"}, {"expiresIn": 0}, {"apiKey": "nobody's"}])
    def test_no_answer_holds_the_secret(self, service: TokenService, body: dict[str, Any]) -> None:
        answer = service.post(json.dumps({"apiKey": KEY, "apiSecret": SECRET, **body}).encode()).body
        assert SECRET.encode() not in answer

    @given(IDS, IDS)
    def test_keys_and_secrets_may_be_any_text(self, key: str, secret: str) -> None:
        service = TokenService([App.with_keys("a/b:ü", [ApiKey(key, secret)])])
        assert service.token(key=key, secret=secret).key.key == key
        assert service.ask(key, secret + "x").status == 401


class TestBadRequests:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"junk",
            b"[]",
            b"null",
            b'"x"',
            b"{}",
            b'{"apiKey":"k"}',
            b'{"apiSecret":"s"}',
            b'{"apiKey":"","apiSecret":"s"}',
            b'{"apiKey":"k","apiSecret":""}',
            b'{"apiKey":null,"apiSecret":"s"}',
            b'{"apiKey":"k","apiSecret":5}',
            b'{"api_key":"k","api_secret":"s"}',
            b'{"ApiKey":"k","ApiSecret":"s"}',
            b'{"apiKey":"\\ud800","apiSecret":"s"}',
            b'{"apiKey":"k","apiSecret":"\\ud800"}',
            b'{"apiKey":"\xff","apiSecret":"s"}',
            b'{"apiKey":"k","apiSecret":"s"}x',
            b"\xef\xbb\xbf" + b'{"apiKey":"k","apiSecret":"s"}',
            b"apiKey=k&apiSecret=s",
            b"[" * 100_000,
            b'{"apiKey":"k","apiSecret":"s","x":' + b"[" * 100_000,
        ],
        ids=lambda body: body[:40].decode("latin-1"),
    )
    def test_a_body_is_json_with_key_and_secret(self, service: TokenService, body: bytes) -> None:
        assert error_of(service.post(body)) == (400, "invalid_body")

    @pytest.mark.parametrize(
        "more",
        [
            {"userId": 5},
            {"userId": ["ada"]},
            {"channels": "private-*"},
            {"channels": [1]},
            {"channels": None},
            {"permissions": "subscribe"},
            {"permissions": ["admin"]},
            {"permissions": ["Subscribe"]},
            {"permissions": None},
            {"expiresIn": "60"},
            {"expiresIn": True},
            {"expiresIn": []},
        ],
        ids=str,
    )
    def test_members_have_their_types(self, service: TokenService, more: dict[str, Any]) -> None:
        assert error_of(service.ask(**more)) == (400, "invalid_body")

    @pytest.mark.parametrize(
        ("code", "good", "bad"),
        [
            ("invalid_expires_in", {"expiresIn": 1}, {"expiresIn": 0}),
            ("invalid_expires_in", {"expiresIn": DEFAULT_LIFETIME}, {"expiresIn": DEFAULT_LIFETIME + 1}),
            ("invalid_expires_in", {"expiresIn": 2}, {"expiresIn": -1}),
            ("invalid_expires_in", {"expiresIn": 60.0}, {"expiresIn": 60.5}),
            ("invalid_expires_in", {"expiresIn": 2}, {"expiresIn": 10**30}),
            ("invalid_user_id", {"userId": "u"}, {"userId": ""}),
            ("invalid_user_id", {"userId": "𝄞" * 128}, {"userId": "𝄞" * 129}),
            ("invalid_user_info", {"userInfo": "i" * 1022}, {"userInfo": "i" * 1023}),
            ("invalid_user_info", {"userInfo": 2**64 - 1}, {"userInfo": 2**64}),
            ("invalid_user_info", {"userInfo": {"proto": 1}}, {"userInfo": {"__proto__": 1}}),
            ("invalid_channels", {"channels": ["c"] * MAX_GRANTS}, {"channels": ["c"] * (MAX_GRANTS + 1)}),
            ("invalid_channels", {"channels": ["c" * 200]}, {"channels": ["c" * 201]}),
            ("invalid_channels", {"channels": ["*", "private-*.a@b,c;d=e_f-*"]}, {"channels": ["private-[a]"]}),
            ("invalid_channels", {"channels": []}, {"channels": [""]}),
            ("invalid_channels", {"channels": ["presence-a"]}, {"channels": ["presence-a", "presence-?"]}),
            ("invalid_channels", {"channels": ["a"]}, {"channels": ["#server-to-user-ada"]}),
            ("invalid_channels", {"channels": ["a"]}, {"channels": ["a\n"]}),
            ("invalid_channels", {"channels": ["a"]}, {"channels": ["ä"]}),
        ],
    )
    def test_the_limits_are_the_last_that_pass(
        self, service: TokenService, code: str, good: dict[str, Any], bad: dict[str, Any]
    ) -> None:
        assert service.ask(**good).status == 200
        assert error_of(service.ask(**bad)) == (400, code)

    def test_limits_are_those_of_the_apps_plan(self) -> None:
        limits = Limits(presence_user_id_length=3, presence_user_info_bytes=4, channel_name_length=5)
        service = TokenService([App.with_keys("small", [ApiKey("k", "s")], limits=limits)])
        assert service.ask("k", "s", userId="ada", userInfo=1234, channels=["abcde"]).status == 200
        for more in ({"userId": "adam"}, {"userInfo": 12345}, {"channels": ["abcdef"]}):
            assert service.ask("k", "s", **more).status == 400

    def test_bad_requests_with_the_right_secret_are_no_guesses(self, service: TokenService) -> None:
        for _ in range(100):
            assert service.ask(expiresIn=0).status == 400
            assert service.post(b"junk").status == 400
        assert service.ask().status == 200

    @given(st.binary() | values().map(lambda value: json.dumps(value).encode()))
    def test_any_body_is_answered(self, body: bytes) -> None:
        assert error_of(TokenService().post(body)) == (400, "invalid_body")

    @given(
        st.dictionaries(
            st.sampled_from(["userId", "userInfo", "channels", "permissions", "expiresIn"]), values() | st.integers()
        )
    )
    def test_any_wish_is_answered(self, more: dict[str, Any]) -> None:
        response = TokenService().ask(**more)
        assert response.status in {200, 400}
        if response.status == 400:
            error_of(response)


class TestCredentials:
    @pytest.mark.parametrize(
        ("key", "secret"),
        [
            (KEY, "wrong"),
            (KEY, SECRET[:-1]),
            (KEY, SECRET + " "),
            (KEY, SECRET.upper()),
            (KEY, KEY),
            (KEY, SECOND_SECRET),
            (KEY, OTHER_SECRET),
            (KEY.upper(), SECRET),
            ("nobody's", SECRET),
            ("nobody's", "nobody's"),
            (SECRET, KEY),
            (DISABLED_KEY, SECRET),
            ("ü" * 1000, "𝄞" * 1000),
        ],
    )
    def test_what_does_not_belong_together_is_refused(self, service: TokenService, key: str, secret: str) -> None:
        assert error_of(service.ask(key, secret)) == (401, "invalid_credentials")

    def test_credentials_are_checked_before_wishes(self, service: TokenService) -> None:
        assert error_of(service.ask(secret="wrong", expiresIn=0, channels=["?"])) == (401, "invalid_credentials")

    def test_only_who_knows_the_secret_is_told_that_an_app_is_disabled(self, service: TokenService) -> None:
        assert error_of(service.ask(DISABLED_KEY, DISABLED_SECRET)) == (403, "app_disabled")
        assert error_of(service.ask(DISABLED_KEY, "wrong")) == (401, "invalid_credentials")


class TestGuessing:
    def test_ten_wrong_secrets_for_one_key_are_too_many(self, service: TokenService) -> None:
        assert service.guess(12) == [401] * 10 + [429] * 2

    def test_then_even_the_right_secret_has_to_wait(self, service: TokenService) -> None:
        service.guess(10)
        response = service.ask()
        assert error_of(response) == (429, "too_many_attempts")
        assert "try again in 5 s" in json.loads(response.body)["error"]
        service.now += 4.9
        assert "try again in 1 s" in json.loads(service.ask().body)["error"]
        service.now += 0.1
        assert service.ask().status == 200

    def test_who_may_guess_again_may_do_so_once_every_five_seconds(self, service: TokenService) -> None:
        service.guess(10)
        statuses = []
        for _ in range(20):
            service.now += 1
            statuses += service.guess(1)
        assert statuses == [429, 429, 429, 429, 401] * 4

    def test_waiting_long_enough_gives_all_guesses_back_and_no_more(self, service: TokenService) -> None:
        service.guess(10)
        service.now += 1_000_000
        assert service.guess(12) == [401] * 10 + [429] * 2

    def test_the_right_secret_from_elsewhere_need_not_wait(self, service: TokenService) -> None:
        service.guess(100)
        assert service.ask(address=THERE).status == 200
        assert service.guess(1, address=THERE) == [401]

    def test_other_keys_from_the_same_address_need_not_wait(self, service: TokenService) -> None:
        service.guess(100)
        assert service.ask(OTHER_KEY, OTHER_SECRET).status == 200
        assert service.ask(SECOND_KEY, SECOND_SECRET).status == 200

    def test_an_address_has_fifty_guesses_whatever_the_keys(self, service: TokenService) -> None:
        statuses = [status for number in range(60) for status in service.guess(1, f"nobody's {number}")]
        assert statuses == [401] * 50 + [429] * 10
        assert error_of(service.ask()) == (429, "too_many_attempts")
        assert service.ask(address=THERE).status == 200
        service.now += 5
        assert service.ask().status == 200

    def test_refused_attempts_do_not_make_the_wait_longer(self, service: TokenService) -> None:
        service.guess(10)
        for _ in range(1000):
            service.ask()
        service.now += 5
        assert service.ask().status == 200

    def test_right_secrets_are_never_too_many(self, service: TokenService) -> None:
        for _ in range(9):
            service.guess(1)
        for _ in range(200):
            assert service.ask().status == 200
        assert service.guess(2) == [401, 429]

    def test_whether_a_key_exists_makes_no_difference(self, service: TokenService) -> None:
        for key in (KEY, "nobody's", DISABLED_KEY):
            assert service.guess(12, key) == [401] * 10 + [429] * 2

    def test_what_is_remembered_of_guesses_is_small_however_long_they_are(self, service: TokenService) -> None:
        service.guess(1)
        tracemalloc.start()
        try:
            for number in range(200):
                service.guess(1, f"{number}" * 20_000, f"192.0.2.{number}")
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < 500_000

    def test_no_more_guessers_are_remembered_than_so_many(self, service: TokenService) -> None:
        for number in range(10_100):
            service.guess(1, address=f"2001:db8::{number:x}")
        assert len(service.endpoint._guesses_by_key._buckets) == 10_000
        assert len(service.endpoint._guesses_by_address._buckets) == 10_000
