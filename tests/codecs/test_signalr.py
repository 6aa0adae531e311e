"""The handshake, which is JSON in both encodings."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs.signalr import (
    HANDSHAKE_ACCEPTED,
    HubProtocolError,
    MessageType,
    decode_handshake,
    handshake_refused,
)
from support.signalr_messages import TEXT, values


def test_a_handshake_names_a_protocol_and_its_version() -> None:
    request = decode_handshake(b'{"protocol":"messagepack","version":1}')
    assert (request.protocol, request.version) == ("messagepack", 1)


def test_the_order_of_members_is_free_and_unknown_ones_are_ignored() -> None:
    request = decode_handshake(b' { "version" : 2 , "new" : [1] , "protocol" : "json" } ')
    assert (request.protocol, request.version) == ("json", 2)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"junk",
        b'{"protocol":"json"}',
        b'{"version":1}',
        b'{"protocol":"json","version":"1"}',
        b'{"protocol":"json","version":1.5}',
        b'{"protocol":"json","version":true}',
        b'{"protocol":null,"version":1}',
        b'{"protocol":["json"],"version":1}',
        b'{"protocol":"json","version":1}}',
        b'{"protocol":"json","version":1}{"type":6}',
        b'{"protocol":"\xff","version":1}',
        b'{"protocol":"\\ud800","version":1}',
        b'{"type":6}',
        b"\x02\x91\x06",
        b'{"protocol":"json","version":1,"x":' + b"[" * 100_000,
    ],
)
def test_what_is_no_handshake_is_refused_with_a_sentence_that_shows_one(record: bytes) -> None:
    with pytest.raises(HubProtocolError, match=r'\{"protocol": "json", "version": 1\}\.$'):
        decode_handshake(record)


@given(st.binary() | values().map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_handshake_or_refused(record: bytes) -> None:
    with contextlib.suppress(HubProtocolError):
        decode_handshake(record)


def test_what_is_accepted_is_answered_by_an_empty_object() -> None:
    assert HANDSHAKE_ACCEPTED == b"{}\x1e"


@given(TEXT)
def test_what_is_refused_is_answered_by_the_reason(error: str) -> None:
    answer = handshake_refused(error)
    assert answer.endswith(b"\x1e")
    assert answer.count(b"\x1e") == 1
    decoded: Any = json.loads(answer[:-1])
    assert decoded == {"error": error}


def test_the_numbers_of_the_messages_are_those_of_the_protocol() -> None:
    assert {kind.name: kind.value for kind in MessageType} == {
        "INVOCATION": 1,
        "STREAM_ITEM": 2,
        "COMPLETION": 3,
        "STREAM_INVOCATION": 4,
        "CANCEL_INVOCATION": 5,
        "PING": 6,
        "CLOSE": 7,
        "ACK": 8,
        "SEQUENCE": 9,
    }
