"""Little that would become much: compressed bodies and frames. Nothing that a client sends is ever inflated."""

import gzip
import json
import re

import httpx
import pytest

from abuse.support import connect
from e2e.support.api import HEADERS, error_code
from e2e.support.server import APP_ID, Server
from server.http_client import upgrade
from server.websocket_client import frame
from skubber.codecs.websocket_frames import Opcode
from support.apps import KEY


def test_a_compressed_body_is_not_inflated(server: Server) -> None:
    body = gzip.compress(json.dumps({"name": "e", "channel": "c", "data": "x"}).encode())
    headers = {**HEADERS, "Content-Encoding": "gzip"}
    answer = httpx.post(f"{server.url}/apps/{APP_ID}/events", headers=headers, content=body)
    assert (answer.status_code, error_code(answer)[:8]) == (400, "invalid_")


@pytest.mark.parametrize("bit", [0x40, 0x20, 0x10])
async def test_compression_is_not_agreed_to_and_its_frames_are_an_error(server: Server, bit: int) -> None:
    client = await connect(server)
    client.send(upgrade(f"/app/{KEY}?protocol=7", "Sec-WebSocket-Extensions: permessage-deflate"))
    head = await client.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert not re.search(b"extensions", head, re.IGNORECASE)
    sent = frame(Opcode.TEXT, b"\xca\x00")
    client.send(bytes([sent[0] | bit]) + sent[1:])
    assert (1002).to_bytes(2) in await client.rest()
    await client.close()
