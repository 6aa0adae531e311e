import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from skubber.core.errors import InvalidRequestError
from skubber.sessions.signalr.hub_methods import SIGN_IN, STREAM_EVENTS, SUBSCRIBE, TRIGGER, UNSUBSCRIBE, Signature
from support.signalr_messages import values

SIGNATURES = [SUBSCRIBE, STREAM_EVENTS, UNSUBSCRIBE, TRIGGER, SIGN_IN]
SUBSCRIBING = pytest.mark.parametrize("signature", [SUBSCRIBE, STREAM_EVENTS], ids=lambda each: each.name)


def bound(signature: Signature, *arguments: Any) -> list[Any]:
    """What a method is called with."""
    return signature.bind([Raw(json.dumps(argument).encode()) for argument in arguments])


def refused(signature: Signature, *texts: bytes) -> str:
    """Why arguments, given as JSON texts, are refused."""
    with pytest.raises(InvalidRequestError) as error:
        signature.bind(list(map(Raw, texts)))
    assert error.value.code == "invalid_arguments"
    assert error.value.message.startswith(f"Call {signature.name}({signature.text}): ")
    assert error.value.message.endswith(".")
    return error.value.message


@SUBSCRIBING
class TestSubscribing:
    def test_a_channel_is_enough(self, signature: Signature) -> None:
        assert bound(signature, "c") == ["c", None, None]

    def test_an_authorization_may_follow(self, signature: Signature) -> None:
        assert bound(signature, "private-c", "K:s") == ["private-c", "K:s", None]
        assert bound(signature, "presence-c", "K:s", '{"user_id":"1"}') == ["presence-c", "K:s", '{"user_id":"1"}']

    def test_what_is_null_is_not_there(self, signature: Signature) -> None:
        assert bound(signature, "c", None, None) == ["c", None, None]
        assert bound(signature, "presence-c", None, "{}") == ["presence-c", None, "{}"]

    @pytest.mark.parametrize(
        "texts",
        [
            [],
            [b"null"],
            [b"5"],
            [b'["c"]'],
            [b'{"channel":"c"}'],
            [b'"c"', b"5"],
            [b'"c"', b'"K:s"', b'{"user_id":"1"}'],
            [b'"c"', b"null", b"null", b"null"],
            [b'"\xff"'],
            [b'"\\ud800"'],
            [b'"c'],
            [b""],
            [b"[" * 100_000],
        ],
        ids=lambda texts: repr(texts)[:30],
    )
    def test_anything_else_is_refused(self, signature: Signature, texts: list[bytes]) -> None:
        refused(signature, *texts)


class TestOtherMethods:
    def test_unsubscribing_takes_a_channel(self) -> None:
        assert bound(UNSUBSCRIBE, "c") == ["c"]

    def test_signing_in_takes_an_authorization_and_user_data(self) -> None:
        assert bound(SIGN_IN, "K:s", '{"id":"1"}') == ["K:s", '{"id":"1"}']

    @given(values())
    def test_triggering_takes_data_of_any_kind_as_they_are(self, data: Any) -> None:
        channel, event, raw = bound(TRIGGER, "private-c", "client-x", data)
        assert (channel, event) == ("private-c", "client-x")
        assert bytes(raw) == json.dumps(data).encode()

    @pytest.mark.parametrize(
        ("signature", "texts"),
        [
            (UNSUBSCRIBE, []),
            (UNSUBSCRIBE, [b"null"]),
            (UNSUBSCRIBE, [b'"c"', b'"c"']),
            (TRIGGER, [b'"c"', b'"e"']),
            (TRIGGER, [b'"c"', b"null", b"1"]),
            (TRIGGER, [b"1", b'"e"', b"1"]),
            (TRIGGER, [b'"c"', b'"e"', b"1", b"1"]),
            (SIGN_IN, [b'"K:s"']),
            (SIGN_IN, [b"null", b'"{}"']),
            (SIGN_IN, [b'"K:s"', b'{"id":"1"}']),
            (SIGN_IN, [b'"K:s"', b'"{}"', b"null"]),
        ],
    )
    def test_anything_else_is_refused(self, signature: Signature, texts: list[bytes]) -> None:
        refused(signature, *texts)


def test_the_error_says_how_to_call_and_what_is_wrong() -> None:
    assert refused(SUBSCRIBE) == "Call Subscribe(channel, auth?, channelData?): 0 arguments were given."
    assert refused(TRIGGER, b"5", b'"e"', b"1") == "Call Trigger(channel, event, data): Expected `str`, got `int`."


def test_an_error_repeats_no_argument() -> None:
    assert "secret-value" not in refused(SIGN_IN, b'"secret-value"', b'{"secret-value":1}')


def test_the_documents_name_as_many_parameters_as_there_are() -> None:
    for signature in SIGNATURES:
        names = signature.text.split(", ")
        assert len(names) == len(signature.types)
        assert [name.endswith("?") for name in names] == [place >= signature.required for place in range(len(names))]


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda each: each.name)
@given(texts=st.lists(st.binary(max_size=20) | values().map(lambda value: json.dumps(value).encode()), max_size=4))
def test_any_arguments_are_bound_or_refused(signature: Signature, texts: list[bytes]) -> None:
    with contextlib.suppress(InvalidRequestError):
        assert len(signature.bind(list(map(Raw, texts)))) == len(signature.types)
