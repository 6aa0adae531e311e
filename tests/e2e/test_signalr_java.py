"""Microsoft's Java client, over both of its transports."""

import os
import signal
from collections.abc import AsyncIterator

import pytest

from conftest import require
from e2e.support import signalr_java
from e2e.support.api import with_headers
from e2e.support.server import NewServer, Server
from e2e.support.signalr import LONG_POLLING, WEBSOCKETS, SignalR, access_token, hub_url, publish, publish_numbers

JAVA_TRANSPORTS = [WEBSOCKETS, LONG_POLLING]


@pytest.fixture(scope="session")
def java_driver() -> None:
    """The driver, built."""
    require("The Java client", "java", "mvn", "keytool")
    signalr_java.build()


@pytest.fixture
async def java(java_driver: None, tls_server: Server) -> AsyncIterator[SignalR]:
    """Microsoft's Java client."""
    assert tls_server.certificate is not None
    driver = await signalr_java.start(tls_server.certificate, dict(os.environ))
    yield driver
    await driver.stop()


@pytest.mark.parametrize("transport", JAVA_TRANSPORTS)
@pytest.mark.parametrize("is_tls", [False, True], ids=["plain", "TLS"])
async def test_a_client_does_all_that_the_hub_offers(
    java: SignalR, server: Server, tls_server: Server, transport: str, is_tls: bool
) -> None:
    target, way, channel = (tls_server if is_tls else server), (transport, "json"), f"presence-java-{transport}"
    ann, bob = ({"userId": user, "userInfo": {"name": user}} for user in ("ann", "bob"))
    await java.connect(target, "ann", way)
    assert await java.subscribe("ann", channel) == {"channel": channel, "members": [ann], "me": ann}
    token = access_token(target, userId="bob", channels=["*"], userInfo={"name": "bob"})
    await java.connect(target, "bob", way, hub_url(target, userId="bob"), token=token)
    assert await java.subscribe("bob", channel) == {"channel": channel, "members": [ann, bob], "me": bob}
    assert await java.called("ann", "MemberAdded") == [{"channel": channel, **bob}]

    publish(target, channel, "grüße", "€𝄞\n\x1e")
    for client in ("ann", "bob"):
        assert await java.called(client, "Event") == [{"event": "grüße", "channel": channel, "data": "€𝄞\n\x1e"}]
    await java.invoke("ann", "Trigger", channel, "client-typing", {"on": [1, 2.5, None]})
    said = {"event": "client-typing", "channel": channel, "data": {"on": [1, 2.5, None]}, "userId": "ann"}
    assert await java.called("bob", "Event") == [said]

    with pytest.raises(AssertionError, match="There is no method 'Explode'"):
        await java.invoke("ann", "Explode")
    await java.call("stream", client="ann", stream="s", method="StreamEvents", args=["java-stream"])
    await java.invoke("ann", "Unsubscribe", "nothing")
    publish(target, "java-stream")
    item = {"event": "greeting", "channel": "java-stream", "data": "hello"}
    assert (await java.message(lambda m: m.get("kind") == "item"))["item"] == item
    await java.call("cancel", stream="s")
    publish_numbers(target, channel, range(100))
    assert await java.numbers("ann", 100) == list(range(100))

    await java.call("stop", client="bob")
    assert await java.called("ann", "MemberRemoved") == [{"channel": channel, "userId": "bob"}]
    await java.call("stop", client="ann")
    assert (await java.told("ann", "closed"))["error"] is None


async def test_a_client_is_told_why_its_connection_ends(java: SignalR, new_server: NewServer) -> None:
    server = new_server()
    url = hub_url(server, access_token(server, expiresIn=2))
    for transport in JAVA_TRANSPORTS:
        await java.connect(server, f"short {transport}", (transport, "json"), url)
        await java.connect(
            server, f"eve {transport}", (transport, "json"), hub_url(server, access_token(server, userId="eve"))
        )
        await java.connect(server, f"ann {transport}", (transport, "json"))
    assert with_headers(server, "POST", "/users/eve/terminate_connections").json() == {}
    for transport in JAVA_TRANSPORTS:
        assert "terminated by the application" in (await java.told(f"eve {transport}", "closed"))["error"]
        assert "The access token has expired" in (await java.told(f"short {transport}", "closed"))["error"]
    server.signal(signal.SIGTERM)
    for transport in JAVA_TRANSPORTS:
        assert "The server is restarting" in (await java.told(f"ann {transport}", "closed"))["error"]
    server.wait()


async def test_an_idle_connection_lives_on_pings_and_on_polls(java: SignalR, new_server: NewServer) -> None:
    server = new_server("--set", "signalr_keep_alive=1")
    for transport in JAVA_TRANSPORTS:
        await java.connect(server, transport, (transport, "json"), serverTimeout=1200)
    await java.connect(server, "clock", url=hub_url(server, access_token(server, expiresIn=3)))
    await java.told("clock", "closed")
    for transport in JAVA_TRANSPORTS:
        assert await java.subscribe(transport, "still-there") == {"channel": "still-there"}
        assert not java.unexpected(transport)
