import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs.channel_auth import decode_channel_data
from skubber.core.errors import InvalidRequestError
from skubber.core.limits import Limits
from skubber.core.presence import PresenceMember

LIMITS = Limits()
ANY_TEXT = st.text(st.characters())
"""Lone surrogates included: a decoder must not trip over them."""
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda values: st.lists(values) | st.dictionaries(TEXT, values),
    max_leaves=6,
)


def with_user_info(text: str) -> str:
    """Channel data whose ``user_info`` is written out so."""
    return '{"user_id":"1","user_info":' + text + "}"


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
def test_it_names_a_user(channel_data: str, member: PresenceMember) -> None:
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
        '{"user_id":"1","user_info":"\\ud800"}',
        '{"user_id":"1","user_info":}',
        '{"user_id":%s}' % ("9" * 129),
        '{"user_id":%s}' % ("9" * 5000),
        with_user_info("[" * 101 + "]" * 101),
        with_user_info("[" * 100_000 + "]" * 100_000),
        with_user_info("18446744073709551616"),
    ],
)
def test_what_names_no_user_is_refused(channel_data: str) -> None:
    with pytest.raises(InvalidRequestError) as error:
        decode_channel_data(channel_data, LIMITS)
    assert error.value.code == "invalid_channel_data"


def test_the_limits_are_the_last_that_pass() -> None:
    for user_id in ("u" * 128, "𝄞" * 128):
        assert decode_channel_data(json.dumps({"user_id": user_id}), LIMITS).user_id == user_id
        with pytest.raises(InvalidRequestError, match="1 to 128 characters"):
            decode_channel_data(json.dumps({"user_id": user_id + "u"}), LIMITS)
    for info in ("i" * 1022, "é" * 511):
        data = json.dumps({"user_id": "1", "user_info": info}, ensure_ascii=False)
        assert len(decode_channel_data(data, LIMITS).user_info) == 1024
        with pytest.raises(InvalidRequestError, match="at most 1023 bytes"):
            decode_channel_data(data, Limits(presence_user_info_bytes=1023))


@given(ANY_TEXT | JSON.map(json.dumps))
def test_any_text_names_a_user_or_is_refused(channel_data: str) -> None:
    with contextlib.suppress(InvalidRequestError):
        member = decode_channel_data(channel_data, LIMITS)
        assert 1 <= len(member.user_id) <= 128


@given(JSON)
def test_user_info_is_kept_as_it_was_sent(info: Any) -> None:
    text = json.dumps(info)
    member = decode_channel_data(with_user_info(text), Limits(presence_user_info_bytes=1_000_000))
    assert member.user_info == text.encode()
