"""Authorizations, signed by the official SDK where it can."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pusher import Pusher
from pusher.signature import sign

from skubber.codecs.channel_auth import (
    SignedInUser,
    check_channel_signature,
    check_user_signature,
    decode_channel_data,
    decode_user_data,
)
from skubber.core.app import ApiKey
from skubber.core.errors import InvalidRequestError, UnauthorizedError
from skubber.core.limits import Limits
from skubber.core.presence import PresenceMember
from support.apps import KEY, SECOND_KEY, SECOND_SECRET, SECRET
from support.signalr_messages import IDS, TEXT, values

SOCKET_ID = "1234.5678"
LIMITS = Limits()
SDK = Pusher(app_id="4711", key=KEY, secret=SECRET)
ANY_TEXT = st.text(st.characters())
DEEP = "[" * 100_000


def check_channel(auth: str | None, channel: str = "private-c", channel_data: str | None = None) -> None:
    """Check an authorization of a client that connected with ``KEY``."""
    check_channel_signature(auth, ApiKey(KEY, SECRET), SOCKET_ID, channel, channel_data)


def signed_user(user_data: str, key: str = KEY, secret: str = SECRET, socket_id: str = SOCKET_ID) -> str:
    """A sign-in's auth."""
    return f"{key}:{sign(secret, f'{socket_id}::user::{user_data}')}"


class TestChannelSignatures:
    def test_what_the_sdk_signs_is_accepted(self) -> None:
        check_channel(SDK.authenticate("private-c", SOCKET_ID)["auth"])
        answer = SDK.authenticate("presence-c", SOCKET_ID, {"user_id": "ada", "user_info": {"name": "Ädä 𝄞"}})
        check_channel(answer["auth"], "presence-c", answer["channel_data"])

    @pytest.mark.parametrize(
        "auth",
        [
            None,
            "",
            ":",
            KEY,
            f"{KEY}:",
            sign(SECRET, f"{SOCKET_ID}:private-c"),
            f":{sign(SECRET, f'{SOCKET_ID}:private-c')}",
            f"{SECOND_KEY}:{sign(SECRET, f'{SOCKET_ID}:private-c')}",
            f"{SECOND_KEY}:{sign(SECOND_SECRET, f'{SOCKET_ID}:private-c')}",
            f"{KEY}:{sign(SECOND_SECRET, f'{SOCKET_ID}:private-c')}",
            f"{KEY}:{sign(SECRET, f'{SOCKET_ID}:private-d')}",
            f"{KEY}:{sign(SECRET, '1234.5679:private-c')}",
            f"{KEY}:{sign(SECRET, f'{SOCKET_ID}:private-c:')}",
            f"{KEY}:{sign(SECRET, f'{SOCKET_ID}:private-c')} ",
            f"{KEY}:{sign(SECRET, f'{SOCKET_ID}:private-c').upper()}",
            f"{KEY}::{sign(SECRET, f'{SOCKET_ID}:private-c')}",
            f"{KEY}:ünïcode",
            f"{KEY}:\ud800",
        ],
    )
    def test_what_is_not_signed_for_this_key_connection_and_channel_is_refused(self, auth: str | None) -> None:
        with pytest.raises(UnauthorizedError) as error:
            check_channel(auth)
        assert error.value.code == "invalid_signature"
        assert f"{SOCKET_ID}:private-c" in error.value.message

    def test_channel_data_are_signed_to_the_last_byte(self) -> None:
        answer = SDK.authenticate("presence-c", SOCKET_ID, {"user_id": "ada"})
        for channel_data in (None, "", answer["channel_data"] + " ", '{"user_id":"bob"}'):
            with pytest.raises(UnauthorizedError):
                check_channel(answer["auth"], "presence-c", channel_data)

    def test_an_authorization_of_one_kind_is_not_one_of_another(self) -> None:
        channel = SDK.authenticate("private-c", SOCKET_ID)["auth"]
        with pytest.raises(UnauthorizedError):
            check_user_signature(channel, ApiKey(KEY, SECRET), SOCKET_ID, '{"id":"ada"}')
        with pytest.raises(UnauthorizedError):
            check_channel(signed_user('{"id":"ada"}'), "presence-c", '{"id":"ada"}')

    def test_an_error_never_repeats_a_secret_or_the_right_signature(self) -> None:
        right = sign(SECRET, f"{SOCKET_ID}:private-c")
        with pytest.raises(UnauthorizedError) as error:
            check_channel(f"{KEY}:wrong")
        assert right not in error.value.message
        assert SECRET not in error.value.message

    @given(ANY_TEXT, ANY_TEXT, st.none() | ANY_TEXT)
    def test_any_texts_are_refused(self, auth: str, channel: str, channel_data: str | None) -> None:
        with pytest.raises(UnauthorizedError):
            check_channel(f"{KEY}:{auth}", channel, channel_data)

    @given(IDS, IDS, TEXT, st.none() | TEXT)
    def test_keys_and_secrets_may_be_any_text(
        self, key: str, secret: str, channel: str, channel_data: str | None
    ) -> None:
        key = key.replace(":", "")  # it stands before the colon
        parts = [SOCKET_ID, channel] if channel_data is None else [SOCKET_ID, channel, channel_data]
        auth = f"{key}:{sign(secret, ':'.join(parts))}"
        check_channel_signature(auth, ApiKey(key, secret), SOCKET_ID, channel, channel_data)


class TestUserSignatures:
    @pytest.mark.parametrize("user_data", ['{"id":"ada"}', '{"id": "Ädä 𝄞", "user_info": {}}', ""])
    def test_what_is_signed_for_this_connection_is_accepted(self, user_data: str) -> None:
        check_user_signature(signed_user(user_data), ApiKey(KEY, SECRET), SOCKET_ID, user_data)

    @pytest.mark.parametrize(
        "auth",
        [
            None,
            "",
            f"{KEY}:",
            sign(SECRET, f'{SOCKET_ID}::user::{{"id":"ada"}}'),
            signed_user('{"id":"bob"}'),
            signed_user('{"id":"ada"} '),
            signed_user('{"id":"ada"}', socket_id="1234.5679"),
            signed_user('{"id":"ada"}', SECOND_KEY),
            signed_user('{"id":"ada"}', SECOND_KEY, SECOND_SECRET),
            signed_user('{"id":"ada"}', KEY, SECOND_SECRET),
            f"{KEY}:{sign(SECRET, f'{SOCKET_ID}:user:')}",
            f"{KEY}:\ud800",
        ],
    )
    def test_what_is_not_is_refused(self, auth: str | None) -> None:
        with pytest.raises(UnauthorizedError) as error:
            check_user_signature(auth, ApiKey(KEY, SECRET), SOCKET_ID, '{"id":"ada"}')
        assert error.value.code == "invalid_signature"

    def test_the_sdk_signs_sign_ins_the_same_way(self) -> None:
        answer = SDK.authenticate_user(SOCKET_ID, {"id": "ada", "user_info": {"name": "Ada"}})
        check_user_signature(answer["auth"], ApiKey(KEY, SECRET), SOCKET_ID, answer["user_data"])
        assert decode_user_data(answer["user_data"], LIMITS) == SignedInUser("ada")


class TestChannelData:
    @pytest.mark.parametrize(
        ("channel_data", "member"),
        [
            ('{"user_id":"ada"}', PresenceMember("ada", b"null")),
            ('{"user_id":"ada","user_info":{"name": "Ada"}}', PresenceMember("ada", b'{"name": "Ada"}')),
            ('{"user_id":10}', PresenceMember("10", b"null")),
            ('{"user_id":-1}', PresenceMember("-1", b"null")),
            ('{"user_id":12345678901234567890123}', PresenceMember("12345678901234567890123", b"null")),
            ('{"user_id":"𝄞","user_info":"\\u0000"}', PresenceMember("𝄞", b'"\\u0000"')),
            (' {"user_info":null , "user_id":"1","x":1} ', PresenceMember("1", b"null")),
        ],
    )
    def test_they_name_a_user(self, channel_data: str, member: PresenceMember) -> None:
        assert decode_channel_data(channel_data, LIMITS) == member

    @pytest.mark.parametrize(
        "channel_data",
        [
            "",
            "junk",
            "[]",
            "{}",
            '{"user_id":null}',
            '{"user_id":""}',
            '{"user_id":true}',
            '{"user_id":1.5}',
            '{"user_id":1e3}',
            '{"user_id":{}}',
            '{"user_id":"\\ud800"}',
            '{"user_id":"\ud800"}',
            '{"user_id":%s}' % ("9" * 129),
            '{"user_id":%s}' % ("9" * 5000),
            '{"user_id":"1","user_info":}',
            '{"user_id":"1","user_info":"\\ud800"}',
            '{"user_id":"1","user_info":18446744073709551616}',
            '{"user_id":"1","user_info":{"__proto__":1}}',
            '{"user_id":"1","user_info":' + "[" * 51 + "]" * 51 + "}",
            '{"user_id":"1","user_info":' + DEEP,
            DEEP,
        ],
        ids=lambda channel_data: channel_data[:30].encode("ascii", "replace").decode(),
    )
    def test_what_names_no_user_that_everybody_could_be_told_of_is_refused(self, channel_data: str) -> None:
        with pytest.raises(InvalidRequestError) as error:
            decode_channel_data(channel_data, LIMITS)
        assert error.value.code == "invalid_channel_data"
        assert error.value.message.endswith(".")

    def test_the_limits_are_the_last_that_pass(self) -> None:
        for user_id in ("u" * 128, "𝄞" * 128):
            assert decode_channel_data(json.dumps({"user_id": user_id}), LIMITS).user_id == user_id
            with pytest.raises(InvalidRequestError, match="1 to 128 characters"):
                decode_channel_data(json.dumps({"user_id": user_id + "u"}), LIMITS)
        for info in ("i" * 1022, "é" * 511):
            data = json.dumps({"user_id": "1", "user_info": info}, ensure_ascii=False)
            assert len(decode_channel_data(data, LIMITS).user_info) == 1024
            with pytest.raises(InvalidRequestError, match="at most 1023 bytes"):
                decode_channel_data(data, Limits(presence_user_info_bytes=1023))

    @given(ANY_TEXT | values().map(json.dumps))
    def test_any_text_names_a_user_or_is_refused(self, channel_data: str) -> None:
        with contextlib.suppress(InvalidRequestError):
            assert 1 <= len(decode_channel_data(channel_data, LIMITS).user_id) <= 128

    @given(IDS, values())
    def test_user_info_is_kept_as_it_was_signed(self, user_id: str, info: Any) -> None:
        text = json.dumps(info)
        channel_data = f'{{"user_id":{json.dumps(user_id)},"user_info":{text}}}'
        member = decode_channel_data(channel_data, Limits(presence_user_info_bytes=100_000))
        assert member == PresenceMember(user_id, text.encode())


class TestUserData:
    @pytest.mark.parametrize(
        ("user_data", "user"),
        [
            ('{"id":"ada"}', SignedInUser("ada")),
            ('{"id":7}', SignedInUser("7")),
            ('{"user_info":{"name":"Ada"},"watchlist":["bob"],"id":"𝄞"}', SignedInUser("𝄞", ("bob",))),
            ('{"id":"%s"}' % ("u" * 128), SignedInUser("u" * 128)),
            ('{"id":"ada","watchlist":[]}', SignedInUser("ada")),
            ('{"id":"ada","watchlist":null}', SignedInUser("ada")),
            (
                '{"id":"ada","watchlist":["eve","bob","eve",7,"7","ada"]}',
                SignedInUser("ada", ("eve", "bob", "7", "ada")),
            ),
        ],
    )
    def test_they_name_a_user_and_whom_it_watches(self, user_data: str, user: SignedInUser) -> None:
        assert decode_user_data(user_data, LIMITS) == user

    @pytest.mark.parametrize(
        "user_data",
        [
            "",
            "junk",
            "[]",
            "{}",
            '{"user_id":"ada"}',
            '{"id":null}',
            '{"id":""}',
            '{"id":true}',
            '{"id":1.5}',
            '{"id":"\\ud800"}',
            '{"id":"\ud800"}',
            '{"id":"%s"}' % ("u" * 129),
            '{"id":%s}' % ("9" * 129),
            '{"id":%s}' % ("9" * 5000),
            '{"id":"ada","user_info":' + DEEP,
            '{"id":"ada","watchlist":"bob"}',
            '{"id":"ada","watchlist":["bob",null]}',
            '{"id":"ada","watchlist":["bob",""]}',
            '{"id":"ada","watchlist":["bob",{"id":"eve"}]}',
            '{"id":"ada","watchlist":["%s"]}' % ("u" * 129),
        ],
        ids=lambda user_data: user_data[:30].encode("ascii", "replace").decode(),
    )
    def test_what_names_no_user_is_refused(self, user_data: str) -> None:
        with pytest.raises(InvalidRequestError) as error:
            decode_user_data(user_data, LIMITS)
        assert error.value.code == "invalid_user_data"
        assert error.value.message.endswith(".")

    @given(ANY_TEXT | values().map(json.dumps))
    def test_any_text_names_a_user_or_is_refused(self, user_data: str) -> None:
        with contextlib.suppress(InvalidRequestError):
            assert 1 <= len(decode_user_data(user_data, LIMITS).user_id) <= 128
