import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skubber.codecs import sockjs
from skubber.core.errors import InvalidRequestError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_a_message_comes_out_as_it_went_in(text: str) -> None:
    frame = sockjs.encode_message(text.encode())
    assert frame[:1] == b"a"
    assert json.loads(frame[1:]) == [text]


@given(TEXT)
def test_a_frame_is_one_line_with_as_many_bytes_as_characters(text: str) -> None:
    frame = sockjs.encode_message(text.encode())
    assert frame.isascii()
    assert frame.index(b"\n") == len(frame) - 1


def test_a_close_frame_has_the_code_and_the_reason() -> None:
    assert sockjs.encode_close(4009, "Gone ü") == b'c[4009,"Gone \\u00fc"]\n'


@pytest.mark.parametrize(
    ("body", "messages"),
    [(b"[]", []), (b'["{}"]', [b"{}"]), (b'[ "a" , "\\u00fc" ]', [b"a", "ü".encode()]), (b'[""]', [b""])],
)
def test_a_posted_array_is_its_messages(body: bytes, messages: list[bytes]) -> None:
    assert sockjs.decode_messages(body) == messages


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{}",
        b'"a"',
        b"[1]",
        b'["a"',
        b"[null]",
        b'[["a"]]',
        b"\xff",
        b'["\xff"]',
        b'["\\ud800"]',
        b"[" * 99_999,
    ],
)
def test_any_other_body_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        sockjs.decode_messages(body)
    assert caught.value.code == "invalid_messages"


def test_the_first_message_is_a_path() -> None:
    assert sockjs.decode_path(b'{"path":"/app/k?protocol=7","more":{"x":1}}') == "/app/k?protocol=7"


@pytest.mark.parametrize(
    "message", [b"", b"{}", b'{"path":1}', b'{"path":null}', b'"/app/k"', b"[]", b"\xff", b"{" * 99_999]
)
def test_a_first_message_without_a_path_is_refused(message: bytes) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        sockjs.decode_path(message)
    assert caught.value.code == "invalid_path"
