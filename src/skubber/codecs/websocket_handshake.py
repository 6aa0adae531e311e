"""The server's side of the WebSocket opening handshake. Source: RFC 6455 section 4.2."""

import base64
import binascii
import hashlib
from collections.abc import Iterable

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

# An answer 426 has to name the protocol (RFC 9110 section 15.5.22).
_UPGRADE = (b"upgrade", b"websocket")


class HandshakeError(Exception):
    """The request does not open a WebSocket.

    Attributes:
        status: the HTTP status to answer with.
        message: what is wrong, for the body.
        headers: what the answer needs beside it; names in lower case.
    """

    def __init__(self, status: int, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


def accept_key(key: bytes) -> bytes:
    """The ``Sec-WebSocket-Accept`` that answers a ``Sec-WebSocket-Key``."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


def validate_upgrade(method: bytes, http_version: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Check the request that would open a WebSocket.

    Args:
        method: as sent.
        http_version: ``1.1`` or the like.
        headers: names in lower case.

    Returns:
        The ``Sec-WebSocket-Key``.

    Raises:
        HandshakeError: with the status to answer.
    """
    if method != b"GET":
        raise HandshakeError(405, "WebSockets are opened with GET.", ((b"allow", b"GET"),))
    if http_version != "1.1":
        raise HandshakeError(426, "WebSockets are opened with HTTP/1.1.", (_UPGRADE,))
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    if b"websocket" not in _tokens(values.get(b"upgrade", ())):
        raise HandshakeError(400, "The Upgrade header must be websocket.")
    if b"upgrade" not in _tokens(values.get(b"connection", ())):
        raise HandshakeError(400, "The Connection header must hold Upgrade.")
    if values.get(b"sec-websocket-version") != [b"13"]:
        raise HandshakeError(426, "Only WebSocket version 13 is spoken.", (_UPGRADE, (b"sec-websocket-version", b"13")))
    keys = values.get(b"sec-websocket-key", [])
    if len(keys) != 1 or not _is_key(keys[0]):
        raise HandshakeError(400, "Sec-WebSocket-Key must be 16 bytes in Base64, given once.")
    return keys[0]


def switching_protocols(key: bytes, subprotocol: bytes | None = None) -> bytes:
    """The response that completes the handshake; extensions are never agreed on."""
    extra = b"" if subprotocol is None else b"sec-websocket-protocol: %b\r\n" % subprotocol
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-accept: %b\r\n%b\r\n" % (accept_key(key), extra)
    )


def _tokens(values: Iterable[bytes]) -> set[bytes]:
    return {token.strip().lower() for value in values for token in value.split(b",")}


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False
