"""Clients that come and go, in order and not: nothing of them may stay."""

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from abuse.support import PUSHER, connect, open_websocket, reset, resident_bytes
from e2e.support.api import HEADERS
from e2e.support.server import APP_ID, Server
from e2e.support.signalr import access_token
from e2e.support.signalr_raw import HANDSHAKE, call
from server.http_client import HttpClient, request, upgrade
from server.websocket_client import text
from support.pusher_client import subscription
from support.signalr_messages import json_record

MOST_GROWTH = 1_500_000
"""Bytes. There is none, as a rule. An object that stays of each client costs 1,000 and more: so it is noticed."""

AT_A_TIME = 5

SUBSCRIBE = text(b'{"event":"pusher:subscribe","data":{"channel":"churn"}}')


async def hang_up(client: HttpClient, number: int) -> None:
    """Leave in order, or not."""
    if number % 2:
        await reset(client)
    await client.close()


async def come_and_go(server: Server, number: int) -> None:
    """Connect; subscribe and vanish, hang up in the middle of the opening request, or reset the connection."""
    client = await connect(server)
    opening = upgrade(PUSHER)
    kind = number % 4
    client.send(opening[:40] if kind == 0 else opening, b"" if kind in {0, 1} else SUBSCRIBE)
    if kind:
        await client.reader.readuntil(b"\r\n\r\n")
    if kind == 3:
        await client.reader.readuntil(b"subscription_succeeded")
        await reset(client)
    await client.close()


async def break_off(server: Server, number: int) -> None:
    """Reset the connection in the middle of the opening request, or right behind it; or end only one's own half."""
    client = await connect(server)
    opening = upgrade(PUSHER)
    kind = number % 3
    client.send(opening[: number % len(opening)] if kind == 0 else opening, SUBSCRIBE if kind == 2 else b"")
    if kind == 2:
        await client.reader.readuntil(b"subscription_succeeded")
        client.writer.write_eof()
        await client.reader.read()
    else:
        await reset(client)
    await client.close()


async def be_a_member(server: Server, number: int) -> None:
    """Be a member of a presence channel, each client as another user, and leave."""
    client = await open_websocket(server)
    greeting = await client.reader.readuntil(b'}"}')
    socket_id = json.loads(json.loads(greeting[greeting.index(b"{") :].decode())["data"])["socket_id"]
    member = json.dumps({"user_id": f"user-{number}", "user_info": {"name": "x" * 100}})
    joining = {"event": "pusher:subscribe", "data": subscription(socket_id, "presence-churn", member)}
    client.send(text(json.dumps(joining).encode()))
    await client.reader.readuntil(b"subscription_succeeded")
    await hang_up(client, number)


@functools.cache
def token_of(server: Server) -> str:
    """A token that many clients share: it takes longer to fetch than to use."""
    return access_token(server)


async def use_the_hub(server: Server, number: int) -> None:
    """Be a client of the hub, over each transport in turn, and leave; or negotiate and never come."""
    first, second = await connect(server), await connect(server)
    credentials = f"access_token={token_of(server)}"
    first.send(request("POST", f"/push/negotiate?negotiateVersion=1&{credentials}", body=b""))
    target = f"/push?{credentials}&id={json.loads((await first.answer()).body)['connectionToken']}"
    subscribing = request("POST", target, body=HANDSHAKE + json_record(call("Subscribe", "churn")))
    match number % 10:
        case 0 | 1 | 2:
            first.send(upgrade(target))
            await first.reader.readuntil(b"\r\n\r\n")
            first.send(text(HANDSHAKE), text(json_record(call("Subscribe", "churn"))))
            await first.reader.readuntil(b"SubscriptionSucceeded")
        case 3 | 4 | 5:
            first.send(request("GET", target, "Accept: text/event-stream"))
            await first.reader.readuntil(b"\r\n\r\n")
            second.send(subscribing)
            await first.reader.readuntil(b"SubscriptionSucceeded")
        case 6 | 7 | 8:
            for each in (request("GET", target), subscribing, request("GET", target)):
                first.send(each)
                answer = await first.answer()
            assert b"SubscriptionSucceeded" in answer.body
            second.send(request("DELETE", target))
            assert (await second.answer()).status == 202
    await hang_up(first, number // 10)
    await second.close()


Client = Callable[[Server, int], Awaitable[None]]


async def churn(server: Server, client: Client, numbers: range) -> None:
    for start in numbers[::AT_A_TIME]:
        await asyncio.gather(*(client(server, start + n) for n in range(AT_A_TIME)))


async def no_channel_is_left(server: Server) -> None:
    async with asyncio.timeout(10), httpx.AsyncClient(headers=HEADERS) as client:
        url = f"{server.url}/apps/{APP_ID}/channels"
        while (await client.get(url)).json() != {"channels": {}}:  # noqa: ASYNC110 - the kernel tells of hang-ups in time
            await asyncio.sleep(0.05)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("client", "count"),
    [
        (come_and_go, 4_000),
        (break_off, 3_000),
        (be_a_member, 2_000),
        (use_the_hub, 2_000),
        pytest.param(come_and_go, 100_000, marks=pytest.mark.soak),
        pytest.param(break_off, 20_000, marks=pytest.mark.soak),
        pytest.param(be_a_member, 20_000, marks=pytest.mark.soak),
        pytest.param(use_the_hub, 8_000, marks=pytest.mark.soak),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_nothing_stays_of_clients_that_have_come_and_gone(server: Server, client: Client, count: int) -> None:
    await churn(server, client, range(count // 4))
    before = resident_bytes(server)
    await churn(server, client, range(count))
    growth = resident_bytes(server) - before
    print(f"{count} clients: {growth} bytes more")
    assert growth < MOST_GROWTH
    await no_channel_is_left(server)
