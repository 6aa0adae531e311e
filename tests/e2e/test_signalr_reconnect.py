"""SignalR connections that break, end and come back, with Microsoft's JavaScript client."""

import asyncio
import signal
import time
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from e2e.support.api import with_headers
from e2e.support.server import NewServer, Server
from e2e.support.signalr import (
    LONG_POLLING,
    SERVER_SENT_EVENTS,
    TOKEN_PATH,
    TRANSPORTS,
    WEBSOCKETS,
    SignalR,
    access_token,
    hub_url,
    publish,
    publish_numbers,
    token_request,
    user_signature,
)
from e2e.support.signalr_network import Network
from e2e.support.signalr_raw import HANDSHAKE, RawHttp

AT_ONCE = [0, *([100] * 100)]
"""Delays between attempts to reconnect, milliseconds: patient enough for a server to start anew."""

in_both_encodings = pytest.mark.parametrize("protocol", ["json", "messagepack"])


@dataclass(frozen=True)
class NeverOpened:
    """A connection that is negotiated and nothing more.

    Attributes:
        query: asks for it.
        since: monotonic seconds.
    """

    query: dict[str, str]
    since: float


@pytest.fixture(scope="module", autouse=True)
def never_opened(shared_server: Server) -> NeverOpened:
    """A connection that is negotiated when these tests begin: it takes as long as most of them to be forgotten."""
    query = {"access_token": access_token(shared_server), "negotiateVersion": "1"}
    answer = httpx.post(f"{shared_server.url}/push/negotiate", params=query).json()
    return NeverOpened({**query, "id": answer["connectionToken"]}, time.monotonic())


async def resumed(signalr: SignalR, client: str) -> None:
    """Wait until a connection goes on: the client tries once and gives up when it is cut while it does."""
    await signalr.invoke(client, "Unsubscribe", "nothing")


@pytest.mark.parametrize(
    ("transport", "protocol", "ending"),
    [
        (WEBSOCKETS, "json", signal.SIGTERM),
        (WEBSOCKETS, "messagepack", signal.SIGKILL),
        (SERVER_SENT_EVENTS, "json", signal.SIGTERM),
        (LONG_POLLING, "messagepack", signal.SIGTERM),
    ],
)
async def test_a_client_comes_back_after_a_restart_and_subscribes_again(
    signalr: SignalR, new_server: NewServer, transport: str, protocol: str, ending: signal.Signals
) -> None:
    server = new_server()
    url = hub_url(server, access_token(server, userId="ann", channels=["private-*"]))
    channel = "private-restart"
    way = (transport, protocol)
    first_id = await signalr.connect(server, "a", way, url, reconnect=AT_ONCE, resubscribe=[channel])
    await signalr.subscribe("a", channel)
    server.signal(ending)
    started = time.monotonic()
    server.wait()
    assert time.monotonic() - started < 5
    reason = (await signalr.told("a", "reconnecting"))["error"]
    if ending is signal.SIGTERM:
        assert "The server is restarting: please reconnect." in reason
    server.start()
    assert (await signalr.told("a", "reconnected"))["connectionId"] != first_id
    publish(server, channel)
    assert (await signalr.called("a", "Event"))[0]["data"] == "hello"


@in_both_encodings
async def test_a_cut_connection_resumes_with_nothing_lost_and_nothing_twice(
    signalr: SignalR, server: Server, protocol: str
) -> None:
    channel = f"presence-resumed-{protocol}"
    async with Network.before(server) as network:
        url = network.through(hub_url(server, access_token(server, userId="a", channels=["*"])))
        connection_id = await signalr.connect(server, "a", (WEBSOCKETS, protocol), url, resume=True)
        await signalr.subscribe("a", channel)
        await signalr.connect(server, "observer")
        await signalr.subscribe("observer", channel)
        for start in range(0, 240, 30):
            publish_numbers(server, channel, range(start, start + 10))
            network.lose()
            publish_numbers(server, channel, range(start + 10, start + 20))
            network.cut(server_notices=start % 60 == 0)
            publish_numbers(server, channel, range(start + 20, start + 30))
            await resumed(signalr, "a")
        assert await signalr.numbers("a", 240) == list(range(240))
        assert await signalr.numbers("observer", 240) == list(range(240))
        assert [m["target"] for m in signalr.unexpected("a")] == ["MemberAdded"]
        assert not signalr.unexpected("observer")
        publish(server, channel, data="excluded", socket_id=connection_id)
        publish(server, channel, data="not excluded")
        assert (await signalr.called("a", "Event"))[0]["data"] == "not excluded"


@in_both_encodings
async def test_what_a_client_sends_while_its_connection_is_cut_is_done_once_and_answered(
    signalr: SignalR, server: Server, protocol: str
) -> None:
    async with Network.before(server) as network:
        url = network.through(hub_url(server, access_token(server)))
        await signalr.connect(server, "a", (WEBSOCKETS, protocol), url, resume=True)
        # A subscription done twice would be refused the second time; one that is lost would never be answered.
        calls: list[asyncio.Task[Any]] = []

        def subscribe(count: int) -> None:
            numbers = range(len(calls), len(calls) + count)
            calls.extend(asyncio.create_task(signalr.invoke("a", "Subscribe", f"cut-{protocol}-{n}")) for n in numbers)

        for round_number in range(6):
            subscribe(5)
            await asyncio.wait([calls[-1]])
            network.lose()
            subscribe(5)
            await signalr.call("state", client="a")  # the client has sent what it was told to send before
            network.cut(server_notices=round_number % 2 == 0)
            subscribe(5)
            await resumed(signalr, "a")
        answers = await asyncio.gather(*calls)
        assert [answer["channel"] for answer in answers] == [f"cut-{protocol}-{number}" for number in range(len(calls))]


async def test_a_member_whose_connection_is_cut_stays_present_until_it_is_clear_that_it_stays_away(
    signalr: SignalR, new_server: NewServer
) -> None:
    server = new_server("--set", "signalr_resume_window=2")
    async with Network.before(server) as network:
        await signalr.connect(server, "observer")
        await signalr.subscribe("observer", "presence-window")
        for client in ("short", "long"):
            url = network.through(hub_url(server, access_token(server, userId=client, channels=["*"])))
            await signalr.connect(server, client, url=url, resume=True)
            await signalr.subscribe(client, "presence-window")
        network.cut()
        for client in ("short", "long"):
            await resumed(signalr, client)
        await signalr.call("stop", client="short")
        assert (await signalr.called("observer", "MemberRemoved"))[0]["userId"] == "short"

        network.go_down()
        await signalr.told("long", "closed")
        users = with_headers(server, "GET", "/channels/presence-window/users").json()["users"]
        assert {"id": "long"} in users
        assert (await signalr.called("observer", "MemberRemoved"))[0]["userId"] == "long"


async def test_a_client_that_has_missed_more_than_is_kept_starts_anew(signalr: SignalR, new_server: NewServer) -> None:
    server = new_server("--set", "signalr_replay_bytes=4096")
    async with Network.before(server) as network:
        url = network.through(hub_url(server, access_token(server)))
        await signalr.connect(server, "a", url=url, resume=True, reconnect=AT_ONCE, resubscribe=["overrun"])
        await signalr.subscribe("a", "overrun")
        publish_numbers(server, "overrun", range(10))
        assert await signalr.numbers("a", 10) == list(range(10))
        network.lose()
        publish(server, "overrun", data="x" * 5000)
        network.cut()
        await signalr.told("a", "reconnecting")
        await signalr.told("a", "reconnected")
        publish_numbers(server, "overrun", range(10, 20))
        assert await signalr.numbers("a", 10) == list(range(10, 20))


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
async def test_a_client_that_could_resume_comes_back_after_a_restart_too(
    signalr: SignalR, new_server: NewServer, ending: signal.Signals
) -> None:
    server = new_server()
    url = hub_url(server, access_token(server))
    await signalr.connect(server, "a", url=url, resume=True, reconnect=AT_ONCE, resubscribe=["resumable"])
    await signalr.subscribe("a", "resumable")
    server.signal(ending)
    server.wait()
    server.start()
    await signalr.told("a", "reconnected")
    publish_numbers(server, "resumable", range(10))
    assert await signalr.numbers("a", 10) == list(range(10))


async def test_a_connection_ends_with_its_token_and_says_so(signalr: SignalR, server: Server) -> None:
    url = hub_url(server, access_token(server, expiresIn=3))
    expires = time.time() + 3
    for transport in TRANSPORTS:
        await signalr.connect(server, transport, (transport, "json"), url)
    for transport in TRANSPORTS:
        reason = (await signalr.told(transport, "closed"))["error"]
        assert "The access token has expired: reconnect with a new one." in reason
        assert expires - 1 <= time.time() <= expires + 3
    with pytest.raises(AssertionError, match="Status code '401'"):
        await signalr.connect(server, "late", url=url)


async def test_a_client_that_fetches_its_tokens_goes_on_with_a_new_one(signalr: SignalR, server: Server) -> None:
    request = {"url": server.url + TOKEN_PATH, "body": token_request(userId="ann", channels=["*"], expiresIn=2)}
    renewing: dict[str, Any] = {
        "url": hub_url(server),
        "tokenRequest": request,
        "reconnect": AT_ONCE,
        "resubscribe": ["private-renewed"],
    }
    for transport in TRANSPORTS:
        await signalr.connect(server, transport, (transport, "json"), **renewing)
    for transport in TRANSPORTS:
        assert "expired" in (await signalr.told(transport, "reconnecting"))["error"]
        await signalr.told(transport, "reconnected")
        publish(server, "private-renewed")
        assert (await signalr.called(transport, "Event"))[0]["data"] == "hello"


async def test_connections_may_be_given_some_grace(signalr: SignalR, new_server: NewServer) -> None:
    server = new_server("--set", "signalr_expiry_grace=2")
    expires = int(time.time()) + 2
    url = hub_url(server, access_token(server, expiresIn=2))
    for transport in TRANSPORTS:
        await signalr.connect(server, transport, (transport, "json"), url)
    while time.time() < expires + 0.5:
        for transport in TRANSPORTS:
            await signalr.invoke(transport, "Unsubscribe", "nothing")
    for transport in TRANSPORTS:
        await signalr.subscribe(transport, "grace")
    publish(server, "grace")
    for transport in TRANSPORTS:
        assert (await signalr.called(transport, "Event"))[0]["data"] == "hello"
    for transport in TRANSPORTS:
        assert "The access token has expired" in (await signalr.told(transport, "closed"))["error"]
        assert time.time() > expires + 1


async def test_a_terminated_user_is_told_so_and_does_not_come_back(signalr: SignalR, server: Server) -> None:
    issued, plain = access_token(server, userId="eve"), access_token(server)
    for transport in TRANSPORTS:
        way = (transport, "json")
        await signalr.connect(server, f"issued {transport}", way, hub_url(server, issued), reconnect=AT_ONCE)
        claiming = hub_url(server, plain, userId="eve")
        await signalr.connect(server, f"claimed {transport}", way, claiming, reconnect=AT_ONCE)
        signing_in = f"signed in {transport}"
        connection_id = await signalr.connect(server, signing_in, way, hub_url(server, plain), reconnect=AT_ONCE)
        await signalr.invoke(signing_in, "SignIn", *user_signature(connection_id, {"id": "eve"}))
        await signalr.connect(server, f"other {transport}", way, hub_url(server, plain, userId="not-eve"))
    assert with_headers(server, "POST", "/users/eve/terminate_connections").json() == {}
    for transport in TRANSPORTS:
        for client in (f"issued {transport}", f"claimed {transport}", f"signed in {transport}"):
            reason = (await signalr.told(client, "closed"))["error"]
            assert "The connection was terminated by the application." in reason
            assert await signalr.call("state", client=client) == "Disconnected"
            assert not signalr.unexpected(client)
        await signalr.subscribe(f"other {transport}", "after-termination")
        assert not signalr.unexpected(f"other {transport}")


async def test_a_terminated_client_that_could_resume_does_not_come_back(signalr: SignalR, server: Server) -> None:
    url = hub_url(server, access_token(server, userId="mallory"))
    await signalr.connect(server, "a", url=url, resume=True, reconnect=AT_ONCE)
    assert with_headers(server, "POST", "/users/mallory/terminate_connections").json() == {}
    assert "terminated by the application" in (await signalr.told("a", "closed"))["error"]
    assert not signalr.unexpected("a")


async def test_a_negotiated_connection_that_nobody_opens_is_forgotten(
    server: Server, never_opened: NeverOpened
) -> None:
    async with RawHttp.open(server, None, **never_opened.query) as http, asyncio.timeout(20):
        while (await http.post(HANDSHAKE)).status_code == 400:  # noqa: ASYNC110 - nothing tells when it is forgotten
            await asyncio.sleep(0.2)
        assert (await http.get()).status_code == 404
        assert time.monotonic() - never_opened.since > 10
