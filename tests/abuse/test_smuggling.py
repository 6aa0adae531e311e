"""A request hidden in another one: it must never be done."""

import json

import pytest

from abuse.support import connect
from e2e.support.raw_client import RawClient
from e2e.support.server import APP_ID, KEY, SECRET, Server
from e2e.support.signalr import publish
from server.http_client import request

HIDDEN = request(
    "POST",
    f"/apps/{APP_ID}/events",
    f"X-Api-Key: {KEY}",
    f"X-Api-Secret: {SECRET}",
    body=json.dumps({"name": "smuggled", "channel": "smuggling", "data": "x"}).encode(),
)
COVERS = {
    "CL.TE": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)),
    "TE.CL": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: %d\r\nContent-Length: 0\r\n\r\n" % len(HIDDEN),
    "a space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded line": b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare line feed": b"X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare carriage return": b"X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "junk behind a chunk": b"Transfer-Encoding: chunked\r\n\r\n1\r\nxjunk\r\n0\r\n\r\n",
    "a whole body": b"Content-Length: %d\r\n\r\n" % len(HIDDEN),
}


@pytest.mark.parametrize("cover", COVERS)
async def test_what_is_smuggled_is_never_published(server: Server, cover: str) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("smuggling")
        attacker = await connect(server)
        attacker.send(b"POST /apps/%b/events HTTP/1.1\r\nHost: x\r\n" % APP_ID.encode(), COVERS[cover], HIDDEN)
        assert (await attacker.answer()).status in {400, 401}
        await attacker.close()
        publish(server, "smuggling", "honest")
        assert (await client.receive())["event"] == "honest"


async def test_the_hidden_request_would_be_done_if_it_were_asked_for_openly(server: Server) -> None:
    async with RawClient.connected(server) as client:
        await client.subscribe("smuggling")
        asker = await connect(server)
        asker.send(HIDDEN)
        assert (await asker.answer()).status == 200
        assert (await client.receive())["event"] == "smuggled"
        await asker.close()
