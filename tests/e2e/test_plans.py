"""What an app's plan allows, as Pusher's own clients meet it."""

from pathlib import Path

import pytest
from pusher import Pusher
from pusher.errors import PusherError

from e2e.support.javascript import JavaScript
from e2e.support.pusher_js import client_options, connect, subscribe
from e2e.support.server import APP_ID, KEY, SECRET, NewServer, Server

PLAN = """
[plans.hobby]
connections = 2
channels = 1
messages_per_second = 3

[[apps]]
id = "{id}"
keys = [{{ key = "{key}", secret = "{secret}" }}]
plan = "hobby"
"""


@pytest.fixture
def hobby(new_server: NewServer, tmp_path: Path) -> Server:
    """A server whose app has few of everything."""
    file = tmp_path / "hobby.toml"
    file.write_text(PLAN.format(id=APP_ID, key=KEY, secret=SECRET))
    return new_server("--config", str(file), is_demo=True)


def sdk(server: Server) -> Pusher:
    return Pusher(app_id=APP_ID, key=KEY, secret=SECRET, host="127.0.0.1", port=server.port, ssl=False)


async def test_a_connection_too_many_is_told_4004_and_does_not_come_back(hobby: Server, javascript: JavaScript) -> None:
    for client in ("one", "two"):
        await connect(javascript, hobby, client)
    await javascript.call("connect", client="three", key=KEY, options=client_options(hobby))
    error = await javascript.message(lambda m: m["kind"] == "error" and m["client"] == "three")
    assert error["error"]["error"]["data"]["code"] == 4004
    await javascript.state("three", "disconnected")
    await javascript.call("disconnect", client="one")
    await connect(javascript, hobby, "four")


async def test_a_channel_too_many_is_a_subscription_error(hobby: Server, javascript: JavaScript) -> None:
    await connect(javascript, hobby, "c")
    await subscribe(javascript, "c", "first")
    await javascript.call("subscribe", client="c", channel="second")
    error = (await javascript.event("c", "second", "pusher:subscription_error"))["data"]
    assert (error["status"], error["type"]) == (403, "LimitReached")
    await javascript.call("unsubscribe", client="c", channel="first")
    await subscribe(javascript, "c", "third")


def test_messages_too_many_are_the_sdks_error(hobby: Server) -> None:
    channels = ["a", "b", "c"]
    sdk(hobby).trigger(channels, "e", {})
    outcomes = []
    for _ in range(20):  # within a second there is one more publish at most
        try:
            sdk(hobby).trigger(channels, "e", {})
        except PusherError as error:
            outcomes.append(str(error))
    assert any("429" in outcome or "messages a second" in outcome for outcome in outcomes), outcomes
