"""pusher-js and the pusher SDK for Node, run by ``driver.mjs``."""

import json
from typing import Any

from .api import with_headers
from .auth_endpoint import MASTER_KEY
from .javascript import JavaScript
from .server import APP_ID, KEY, SECRET, Endpoint, Server


def client_options(server: Endpoint, auth: str | None = None) -> dict[str, Any]:
    """How pusher-js is pointed at a server, and perhaps at a back end that authorizes."""
    options: dict[str, Any] = {
        "wsHost": "127.0.0.1",
        "wsPort": server.port,
        "wssPort": server.port,
        "forceTLS": server.is_tls,
        "enabledTransports": ["ws"],
        "cluster": "",
        "disableStats": True,
    }
    if auth is not None:
        options["channelAuthorization"] = {"endpoint": auth, "transport": "ajax"}
        options["userAuthentication"] = {"endpoint": auth, "transport": "ajax"}
    return options


async def connect(javascript: JavaScript, server: Server, client: str, auth: str | None = None, key: str = KEY) -> str:
    """Connect a pusher-js client and return its socket id."""
    await javascript.call("connect", client=client, key=key, options=client_options(server, auth))
    await javascript.state(client, "connected")
    socket_id: str = await javascript.call("socket_id", client=client)
    return socket_id


async def subscribe(javascript: JavaScript, client: str, channel: str) -> Any:
    """Subscribe and return the data of subscription_succeeded."""
    await javascript.call("subscribe", client=client, channel=channel)
    return (await javascript.event(client, channel, "pusher:subscription_succeeded"))["data"]


def publish(server: Server, channel: str, event: str = "greeting", data: str = '{"n":1}', **more: Any) -> None:
    """Publish over the HTTP API."""
    response = with_headers(server, "POST", "/events", {"name": event, "channel": channel, "data": data, **more})
    assert (response.status_code, response.text) == (200, "{}")


async def node_sdk(javascript: JavaScript, server: Server, method: str, *arguments: Any) -> Any:
    """Call a method of the Node SDK, which must succeed; returns the answer's JSON."""
    options = {
        "appId": APP_ID,
        "key": KEY,
        "secret": SECRET,
        "host": "127.0.0.1",
        "port": str(server.port),
        "encryptionMasterKeyBase64": MASTER_KEY,
    }
    result = await javascript.call("sdk", options=options, method=method, args=arguments)
    assert result["status"] == 200, result
    return json.loads(result["body"])
