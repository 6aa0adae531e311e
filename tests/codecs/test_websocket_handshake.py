"""The opening handshake, with two other implementations as clients."""

import base64
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from websockets.typing import Subprotocol
from websockets.uri import parse_uri
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request
from wsproto.utilities import generate_accept_token

from skubber.codecs.websocket_handshake import HandshakeError, accept_key, switching_protocols, validate_upgrade

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
HEADERS = {
    b"host": b"push.example.com",
    b"upgrade": b"websocket",
    b"connection": b"Upgrade",
    b"sec-websocket-version": b"13",
    b"sec-websocket-key": KEY,
}

Headers = list[tuple[bytes, bytes]]


def parsed(request: bytes) -> Headers:
    """The headers of a request as the HTTP lane has them."""
    lines = request.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    pairs = (line.partition(b":") for line in lines)
    return [(name.lower(), value.strip()) for name, _, value in pairs]


def test_the_key_of_the_rfc_has_the_answer_of_the_rfc() -> None:
    assert accept_key(KEY) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@settings(deadline=None, max_examples=50)
@given(st.binary(min_size=16, max_size=16).map(base64.b64encode))
def test_a_key_has_the_answer_that_wsproto_gives(key: bytes) -> None:
    assert accept_key(key) == generate_accept_token(key)


@pytest.mark.parametrize("subprotocol", [None, Subprotocol("pusher")])
def test_websockets_takes_the_answer(subprotocol: Subprotocol | None) -> None:
    client = ClientProtocol(
        parse_uri("ws://push.example.com/app/key"), subprotocols=[subprotocol] if subprotocol else None
    )
    client.send_request(client.connect())
    key = validate_upgrade(b"GET", "1.1", parsed(b"".join(client.data_to_send())))
    client.receive_data(switching_protocols(key, subprotocol.encode() if subprotocol else None))
    assert client.handshake_exc is None
    assert client.state is OPEN
    assert client.subprotocol == subprotocol
    assert client.extensions == []


def test_wsproto_takes_the_answer() -> None:
    client = WSConnection(ConnectionType.CLIENT)
    request = client.send(Request(host="push.example.com", target="/app/key"))
    client.receive_data(switching_protocols(validate_upgrade(b"GET", "1.1", parsed(request))))
    (answer,) = client.events()
    assert isinstance(answer, AcceptConnection)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {b"upgrade": b"WebSocket"},
        {b"upgrade": b"h2c, websocket"},
        {b"connection": b"keep-alive, Upgrade"},
        {b"connection": b"keep-alive ,upgrade"},
        {b"sec-websocket-extensions": b"permessage-deflate"},
        {b"origin": b"https://elsewhere.example"},
    ],
)
def test_a_proper_request_is_taken(changes: dict[bytes, bytes]) -> None:
    assert validate_upgrade(b"GET", "1.1", (HEADERS | changes).items()) == KEY


def test_a_list_may_come_in_several_headers() -> None:
    headers = [*HEADERS.items(), (b"connection", b"keep-alive"), (b"upgrade", b"h2c")]
    assert validate_upgrade(b"GET", "1.1", headers) == KEY


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({b"upgrade": None}, 400),
        ({b"upgrade": b"h2c"}, 400),
        ({b"upgrade": b"websockets"}, 400),
        ({b"connection": None}, 400),
        ({b"connection": b"keep-alive"}, 400),
        ({b"sec-websocket-version": None}, 426),
        ({b"sec-websocket-version": b"8"}, 426),
        ({b"sec-websocket-version": b"13, 8"}, 426),
        ({b"sec-websocket-key": None}, 400),
        ({b"sec-websocket-key": b""}, 400),
        ({b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25j"}, 400),
        ({b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZSE="}, 400),
        ({b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ"}, 400),
        ({b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ==="}, 400),
        ({b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25j!Q=="}, 400),
        ({b"sec-websocket-key": b"\xff" * 24}, 400),
    ],
)
def test_an_improper_request_is_refused(changes: dict[bytes, bytes | None], status: int) -> None:
    headers = [(name, value) for name, value in (HEADERS | changes).items() if value is not None]
    with pytest.raises(HandshakeError) as refusal:
        validate_upgrade(b"GET", "1.1", headers)
    assert refusal.value.status == status
    assert refusal.value.message.endswith(".")


def test_a_key_given_twice_is_refused() -> None:
    with pytest.raises(HandshakeError):
        validate_upgrade(b"GET", "1.1", [*HEADERS.items(), (b"sec-websocket-key", KEY)])


@pytest.mark.parametrize(
    ("method", "version", "status", "header"),
    [
        (b"POST", "1.1", 405, (b"allow", b"GET")),
        (b"GET", "1.0", 426, (b"upgrade", b"websocket")),
    ],
)
def test_a_refusal_says_what_would_do(method: bytes, version: str, status: int, header: tuple[bytes, bytes]) -> None:
    with pytest.raises(HandshakeError) as refusal:
        validate_upgrade(method, version, HEADERS.items())
    assert refusal.value.status == status
    assert header in refusal.value.headers


def test_an_unknown_version_is_told_the_known_one() -> None:
    with pytest.raises(HandshakeError) as refusal:
        validate_upgrade(b"GET", "1.1", (HEADERS | {b"sec-websocket-version": b"14"}).items())
    assert dict(refusal.value.headers) == {b"sec-websocket-version": b"13", b"upgrade": b"websocket"}


NAMES = st.sampled_from(list(HEADERS)) | st.binary(max_size=10)
VALUES = st.sampled_from(list(HEADERS.values())) | st.binary(max_size=30)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=8) | st.just(b"GET"), st.sampled_from(["1.1", "1.0"]), st.lists(st.tuples(NAMES, VALUES)))
def test_any_headers_are_either_taken_or_refused(method: bytes, version: str, headers: Headers) -> None:
    with contextlib.suppress(HandshakeError):
        assert len(base64.b64decode(validate_upgrade(method, version, headers))) == 16
