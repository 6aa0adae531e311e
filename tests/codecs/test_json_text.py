import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs.json_text import MAX_DEPTH, is_portable_json
from support.signalr_messages import TEXT, values

TEXTS = st.binary() | st.text(st.sampled_from('[]{}",:\\ud8019.-eE tfn\n'), max_size=12).map(str.encode)


def nested(levels: int) -> list[bytes]:
    """Texts with so many levels of arrays, objects, and both in turn."""
    return [
        b"[" * levels + b"]" * levels,
        b'{"a":' * levels + b"1" + b"}" * levels,
        b'[{"a":' * (levels // 2) + b"[]" * (levels % 2) + b"1" * (1 - levels % 2) + b"}]" * (levels // 2),
        b'[1,"x",[],' * (levels - 1) + b"{}" + b"]" * (levels - 1),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"null",
        b"true",
        b'""',
        b"[]",
        b"{}",
        b" [ 1 , {\n} ]\t",
        b"0",
        b"-0",
        b"1.50",
        b"1e308",
        b"5e-324",
        b"18446744073709551615",
        b"-9223372036854775808",
        b'"\\u0000\\ud834\\udd1e"',
        '"é𝄞\u2028"'.encode(),
        b'{"":1,"a":2,"a":3,"proto":4,"__proto":5}',
        b'"__proto__"',
        b'["__proto__",{"a":"__proto__"}]',
    ],
)
def test_what_every_client_reads_may_be_passed_on(text: bytes) -> None:
    assert is_portable_json(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"junk",
        b"undefined",
        b"NaN",
        b"Infinity",
        b"[1,]",
        b"{'a':1}",
        b"01",
        b"1.",
        b".5",
        b"+1",
        b"1 2",
        b"[]]",
        b'"',
        b'"\n"',
        b'"\\x"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud800":1}',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'{"a":"\xc3"}',
        b"\xef\xbb\xbf1",
        b"1e400",
        b"-1e400",
        b"18446744073709551616",
        b"-9223372036854775809",
        b"[1,{" + b'"a":' + b"9" * 30 + b"}]",
        b"9" * 5000,
        b'{"__proto__":1}',
        b'[[{"a":{"__proto__":{}}}]]',
        b'{"\\u005f_proto__":1}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda text: text[:20].decode("latin-1"),
)
def test_what_some_client_cannot_read_may_not(text: bytes) -> None:
    assert not is_portable_json(text)


def test_nesting_is_counted_whatever_is_nested() -> None:
    for text in nested(MAX_DEPTH):
        assert is_portable_json(text)
    for text in nested(MAX_DEPTH + 1):
        assert not is_portable_json(text)


def test_a_client_that_reads_64_levels_reads_the_deepest_wherever_a_message_holds_it() -> None:
    # The deepest place there is: {"type":1,"arguments":[{"members":[{"userInfo":...}]}]}
    assert MAX_DEPTH + 5 <= 64


@given(TEXTS)
def test_any_bytes_are_portable_or_not(text: bytes) -> None:
    if is_portable_json(text):
        json.loads(text.decode())


@given(values(st.integers(-(2**63), 2**64 - 1)))
def test_every_value_that_has_both_encodings_is_portable(value: Any) -> None:
    for text in (json.dumps(value).encode(), json.dumps(value, ensure_ascii=False, indent=1).encode()):
        assert is_portable_json(text)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(msgspec.json.decode(text))) == json.loads(text)


@given(TEXT, st.integers(0, 3))
def test_what_is_cut_off_is_not(value: str, missing: int) -> None:
    text = json.dumps([[value]]).encode()
    assert not is_portable_json(text[: -1 - missing])
