"""How secrets are compared: in a time that tells nothing of where they differ.

Measured times would tell more of the machine than of the code. So: at every door ``hmac.compare_digest`` decides, and
no other comparison in the sources has a part in it.
"""

import ast
import hmac
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import skubber
from abuse.test_forged_tokens import signed, signing_key
from server.http_client import request, upgrade
from server.live import LiveServer
from server.websocket_client import text
from support.apps import KEY, SECRET
from support.pusher_client import Message, sign_in, subscription
from support.websocket_readings import WsprotoReading

APP = "/apps/4711/channels"
WRONG = "w" * len(SECRET)


async def http(live: LiveServer, *parts: Any, body: bytes | None = None) -> bool:
    """Whether a request is answered with success."""
    client = await live.connect()
    client.send(request(*parts, body=body))
    return (await client.answer()).status == 200


async def pusher(live: LiveServer, message: Callable[[str], Message]) -> bool:
    """Whether what a Pusher client says is answered with success."""
    client = await live.connect()
    client.send(upgrade(f"/app/{KEY}?protocol=7"))
    await client.reader.readuntil(b"\r\n\r\n")
    wire = WsprotoReading(of_server=True)

    async def answer() -> Message:
        taken = len(wire.messages)
        while len(wire.messages) == taken:
            wire.feed(await client.reader.read(65536))
        answered: Message = json.loads(wire.messages[taken][1])
        return answered

    socket_id = json.loads((await answer())["data"])["socket_id"]
    client.send(text(json.dumps(message(socket_id)).encode()))
    return "succe" in (await answer())["event"]


async def plain(live: LiveServer, secret: str) -> bool:
    return await http(live, "GET", APP, f"X-Api-Key: {KEY}", f"X-Api-Secret: {secret}")


async def in_the_query(live: LiveServer, secret: str) -> bool:
    return await http(live, "GET", f"{APP}?apiKey={KEY}&apiSecret={secret}")


async def signed_request(live: LiveServer, secret: str) -> bool:
    query = f"auth_key={KEY}&auth_timestamp={int(time.time())}&auth_version=1.0"
    signature = hmac.new(secret.encode(), f"GET\n{APP}\n{query}".encode(), "sha256").hexdigest()
    return await http(live, "GET", f"{APP}?{query}&auth_signature={signature}")


async def for_a_token(live: LiveServer, secret: str) -> bool:
    body = json.dumps({"apiKey": KEY, "apiSecret": secret}).encode()
    return await http(live, "POST", "/api/auth/signalr-token", body=body)


async def with_a_token(live: LiveServer, secret: str) -> bool:
    token = signed(signing_key(secret=secret))
    return await http(live, "POST", f"/push/negotiate?access_token={token}", body=b"")


async def private_channel(live: LiveServer, secret: str) -> bool:
    return await pusher(
        live,
        lambda socket_id: {"event": "pusher:subscribe", "data": subscription(socket_id, "private-c", secret=secret)},
    )


async def signed_in(live: LiveServer, secret: str) -> bool:
    return await pusher(
        live, lambda socket_id: {"event": "pusher:signin", "data": sign_in(socket_id, '{"id":"ann"}', secret=secret)}
    )


Door = Callable[[LiveServer, str], Coroutine[Any, Any, bool]]
DOORS: list[Door] = [
    plain,
    in_the_query,
    signed_request,
    for_a_token,
    with_a_token,
    private_channel,
    signed_in,
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
async def test_what_decides_takes_the_same_time_whatever_differs(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async with LiveServer() as live:
        assert (await door(live, SECRET), await door(live, WRONG)) == (True, False)
        for verdict in (True, False):
            with monkeypatch.context() as patch:
                patch.setattr(hmac, "compare_digest", lambda *_, verdict=verdict: verdict)
                assert (await door(live, SECRET), await door(live, WRONG)) == (verdict, verdict)


SECRETIVE = ("secret", "signature", "digest", "hash", "mac", "password", "token", "auth")
HARMLESS = {
    # names of parameters
    "'auth_key' in first",
    "'auth_signature' in first",
    "first.get('auth_version') != '1.0'",
    "key != 'auth_signature'",
    # another kind of token
    "b'upgrade' not in _tokens(values.get(b'connection', ()))",
    "b'websocket' not in _tokens(values.get(b'upgrade', ()))",
    # what a token says once it has been checked
    "(self.token.app.id, self.user_id) == (app_id, user_id)",
    "self.token.grants.user_id == self.user_id",
    "permission not in self._principal.token.grants.permissions",
    "token.role != Role.OWNER",
    "response.status_code == UnauthorizedError.status",
    # connection tokens, found by their hash: a time would tell nothing of how much of one is right
    "token in self._by_token",
    "token not in self._connections",
    "token not in self.connections",
    "token in self.connections",
    # the slots of a cluster, and the name of an error
    "sum((last - first + 1 for first, last, _ in in_order)) != REDIS_CLUSTER_HASH_SLOTS",
    "'AuthenticationError' in said",
    # in the database: ids, and hashes, of which a time would tell nothing of what was hashed
    "tokens.c.id == token_id",
    "tokens.c.id == row.id",
    "tokens.c.hash == digest",
    "tables.admin_tokens.c.id != ''",
    "sessions.c.token_id == token_id",
    "sessions.c.token_id == tokens.c.id",
    "sessions.c.hash == _hash(value)",
    "tables.admin_sessions.c.hash == _hash(value)",
}
"""Comparisons that look as if they were of secrets, and are of none."""


def test_no_secret_is_compared_in_a_time_that_tells() -> None:
    package = Path(skubber.__file__).parent
    trees = [ast.parse(file.read_text("utf-8")) for file in package.rglob("*.py")]
    found = {ast.unparse(node) for tree in trees for node in ast.walk(tree) if is_of_secrets(node)}
    assert found == HARMLESS


def is_of_secrets(node: ast.AST) -> bool:
    """Whether this is a comparison, not made for secrets, of what is named like one."""
    if not isinstance(node, ast.Compare):
        return False
    is_for_values = any(isinstance(each, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for each in node.ops)
    words = [word for operand in (node.left, *node.comparators) for word in names_in(operand)]
    return is_for_values and any(part in word.lower() for word in words for part in SECRETIVE)


def names_in(operand: ast.expr) -> Iterator[str]:
    """All names in an expression, and its texts."""
    for node in ast.walk(operand):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                yield name
