"""Laravel Echo, configured as Laravel does for Reverb and for Pusher, against the running server."""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pusher import Pusher

from e2e.support.auth_endpoint import MASTER_KEY, AuthEndpoint
from e2e.support.javascript import JavaScript
from e2e.support.server import APP_ID, KEY, SECRET, Server

NOTIFICATION = "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated"


@pytest.fixture
async def echo(node: None) -> AsyncIterator[JavaScript]:
    """Laravel Echo, in Node."""
    script = await JavaScript.start("echo.mjs", dict(os.environ))
    yield script
    await script.stop()


@pytest.fixture(params=["reverb", "pusher"])
def broadcaster(request: pytest.FixtureRequest) -> str:
    """The broadcaster that Laravel's front end names."""
    name: str = request.param
    return name


@pytest.fixture
def laravel(server: Server) -> Pusher:
    """Laravel's back end, which publishes with an SDK of Pusher's."""
    return Pusher(
        app_id=APP_ID,
        key=KEY,
        secret=SECRET,
        host="127.0.0.1",
        port=server.port,
        ssl=False,
        encryption_master_key_base64=MASTER_KEY,
    )


async def connect(
    echo: JavaScript, server: Server, auth: AuthEndpoint, broadcaster: str, client: str, user: str = "1"
) -> str:
    """Connect with what `php artisan install:broadcasting` writes into echo.js; returns the socket id."""
    options: dict[str, Any] = {
        "broadcaster": broadcaster,
        "key": KEY,
        "wsHost": "127.0.0.1",
        "wsPort": server.port,
        "wssPort": server.port,
        "forceTLS": False,
        "enabledTransports": ["ws", "wss"],
        "authEndpoint": f"{auth.url}?user={user}",
    }
    if broadcaster == "pusher":
        options["cluster"] = "mt1"
    socket_id: str = await echo.call("connect", client=client, options=options)
    return socket_id


async def listen(echo: JavaScript, client: str, how: str, channel: str, event: str = "OrderShipped") -> None:
    """Subscribe and listen; returns when it is subscribed."""
    await echo.call("listen", client=client, how=how, channel=channel, event=event)
    await said(echo, client, channel, "subscribed")


async def said(echo: JavaScript, client: str, channel: str, kind: str) -> Any:
    """The next thing of a kind that a client hears on a channel."""
    message = await echo.message(lambda m: (m["client"], m["channel"], m["kind"]) == (client, channel, kind))
    return message.get("data")


async def test_events_of_a_public_channel_by_class_and_by_name(
    echo: JavaScript, server: Server, auth_endpoint: AuthEndpoint, broadcaster: str, laravel: Pusher
) -> None:
    await connect(echo, server, auth_endpoint, broadcaster, "a")
    await listen(echo, "a", "channel", "orders")
    laravel.trigger("orders", "App\\Events\\OrderShipped", {"orderId": 1})
    assert await said(echo, "a", "orders", "event") == {"orderId": 1}
    await listen(echo, "a", "channel", "orders-by-name", ".order.shipped")
    laravel.trigger(["orders-by-name", "elsewhere"], "order.shipped", {"orderId": 2})
    assert await said(echo, "a", "orders-by-name", "event") == {"orderId": 2}


async def test_to_others_leaves_out_the_sender(
    echo: JavaScript, server: Server, auth_endpoint: AuthEndpoint, broadcaster: str, laravel: Pusher
) -> None:
    socket_id = await connect(echo, server, auth_endpoint, broadcaster, "sender")
    await connect(echo, server, auth_endpoint, broadcaster, "other")
    for client in ("sender", "other"):
        await listen(echo, client, "channel", "to-others")
    laravel.trigger("to-others", "App\\Events\\OrderShipped", {"n": 1}, socket_id)
    laravel.trigger("to-others", "App\\Events\\OrderShipped", {"n": 2})
    assert [await said(echo, "other", "to-others", "event") for _ in range(2)] == [{"n": 1}, {"n": 2}]
    assert await said(echo, "sender", "to-others", "event") == {"n": 2}


async def test_private_channels_with_events_notifications_and_whispers(
    echo: JavaScript, server: Server, auth_endpoint: AuthEndpoint, broadcaster: str, laravel: Pusher
) -> None:
    channel = "App.Models.User.1"
    for client in ("a", "b"):
        await connect(echo, server, auth_endpoint, broadcaster, client)
        await listen(echo, client, "private", channel)
    laravel.trigger(f"private-{channel}", "App\\Events\\OrderShipped", {"orderId": 1})
    laravel.trigger(f"private-{channel}", NOTIFICATION, {"id": "n1", "type": "invoice.paid"})
    await echo.call("whisper", client="a", how="private", channel=channel, data={"name": "Ann"})
    for client in ("a", "b"):
        assert await said(echo, client, channel, "event") == {"orderId": 1}
        assert (await said(echo, client, channel, "notification"))["id"] == "n1"
    assert await said(echo, "b", channel, "whisper") == {"name": "Ann"}
    assert not echo.seen(lambda m: m["kind"] == "whisper")


async def test_a_private_channel_that_the_back_end_denies(
    echo: JavaScript, server: Server, auth_endpoint: AuthEndpoint, broadcaster: str
) -> None:
    await connect(echo, server, auth_endpoint, broadcaster, "a", "1&wrong=1")
    await echo.call("listen", client="a", how="private", channel="denied", event="E")
    error = await said(echo, "a", "denied", "error")
    assert (error["type"], error["status"]) == ("AuthError", 401)


async def test_encrypted_private_channels(
    echo: JavaScript, server: Server, auth_endpoint: AuthEndpoint, broadcaster: str, laravel: Pusher
) -> None:
    await connect(echo, server, auth_endpoint, broadcaster, "a")
    await listen(echo, "a", "encryptedPrivate", "payroll")
    laravel.trigger("private-encrypted-payroll", "App\\Events\\OrderShipped", {"salary": 1})
    assert await said(echo, "a", "payroll", "event") == {"salary": 1}


async def test_who_is_here_who_joins_and_who_leaves(
    echo: JavaScript, server: Server, auth_endpoint: AuthEndpoint, broadcaster: str, laravel: Pusher
) -> None:
    room = f"room-{broadcaster}"
    for user in ("ann", "bob"):
        await connect(echo, server, auth_endpoint, broadcaster, user, user)
    await listen(echo, "ann", "join", room)
    assert await said(echo, "ann", room, "here") == [{"name": "User ann"}]
    await listen(echo, "bob", "join", room)
    assert await said(echo, "bob", room, "here") == [{"name": "User ann"}, {"name": "User bob"}]
    assert await said(echo, "ann", room, "joining") == {"name": "User bob"}
    await echo.call("whisper", client="bob", how="join", channel=room, data={"typing": True})
    assert await said(echo, "ann", room, "whisper") == {"typing": True}
    laravel.trigger(f"presence-{room}", "App\\Events\\OrderShipped", {"orderId": 1})
    for user in ("ann", "bob"):
        assert await said(echo, user, room, "event") == {"orderId": 1}
    await echo.call("leave", client="bob", channel=room)
    assert await said(echo, "ann", room, "leaving") == {"name": "User bob"}
