"""Negotiation, and who may do what on which connection: every request of the hub, and every status."""

import contextlib
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import websockets

from e2e.support.api import error_code
from e2e.support.server import OTHER_KEY, OTHER_SECRET, Server
from e2e.support.signalr import LONG_POLLING, SERVER_SENT_EVENTS, TRANSPORTS, WEBSOCKETS, access_token
from e2e.support.signalr_raw import HANDSHAKE, RawHttp, RawHub, call, records

REQUESTS = ["negotiate", "poll", "event stream", "post", "delete", "websocket"]


async def status(server: Server, request: str, token: str | None, headers: dict[str, str], **query: str) -> int:
    """The status that answers one of ``REQUESTS``; an error must come with a sentence."""
    if request == "websocket":
        try:
            async with RawHub.opened_with(headers, server, token, **query):
                return 101
        except websockets.InvalidStatus as error:
            refusal = error.response
        assert refusal.body.endswith(b".")
        return refusal.status_code
    async with RawHttp.open(server, token, **query) as http:
        http.client.headers.update(headers)
        match request:
            case "negotiate":
                answer = await http.negotiate()
            case "poll":
                answer = await http.get()
            case "event stream":
                async with http.event_stream() as stream:
                    if stream.response.status_code != 200:
                        assert (await stream.response.aread()).endswith(b".")
                    return stream.response.status_code
            case "post":
                answer = await http.post(HANDSHAKE)
            case _:
                answer = await http.delete()
    if answer.is_error:
        error_code(answer)
    return answer.status_code


# -- negotiation


async def test_negotiation_answers_as_the_protocol_says(server: Server) -> None:
    async with RawHttp.open(server, access_token(server)) as http:
        response = await http.negotiate()
        assert response.headers["content-type"] == "application/json"
        assert response.headers["cache-control"] == "no-store"
        answer = response.json()
        connection_id, connection_token = answer.pop("connectionId"), answer.pop("connectionToken")
        assert re.fullmatch(r"\d+\.\d+", connection_id)
        assert len(connection_token) >= 20
        assert connection_id not in connection_token
        assert answer == {
            "negotiateVersion": 1,
            "availableTransports": [
                {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
                {"transport": "ServerSentEvents", "transferFormats": ["Text"]},
                {"transport": "LongPolling", "transferFormats": ["Text", "Binary"]},
            ],
        }
        assert (await http.negotiate(useStatefulReconnect="true")).json()["useStatefulReconnect"] is True


@pytest.mark.parametrize("version", [{}, {"negotiateVersion": "0"}])
async def test_before_version_one_the_connection_id_is_all_there_is(server: Server, version: dict[str, str]) -> None:
    async with RawHttp.open(server, access_token(server)) as http:
        answer = (await http.client.post(f"{server.url}/push/negotiate", params={**http.query, **version})).json()
        assert answer["negotiateVersion"] == 0
        assert "connectionToken" not in answer
        http.query["id"] = answer["connectionId"]
        assert (await http.get()).status_code == 200


async def test_a_later_version_is_answered_with_the_latest_there_is(server: Server) -> None:
    async with RawHttp.open(server, access_token(server)) as http:
        answer = (await http.negotiate(negotiateVersion="2")).json()
        assert (answer["negotiateVersion"], "connectionToken" in answer) == (1, True)


async def test_the_public_id_opens_nothing(server: Server) -> None:
    token = access_token(server)
    async with RawHttp.open(server, token) as http:
        connection_id = (await http.negotiate()).json()["connectionId"]
    for request in ("poll", "event stream", "post", "delete", "websocket"):
        assert await status(server, request, token, {}, id=connection_id) == 404


# -- who may do what


@pytest.mark.parametrize("request_kind", REQUESTS)
async def test_a_request_needs_a_good_token(server: Server, request_kind: str) -> None:
    good = access_token(server)
    head, _, rest = good.partition(".")
    payload, _, signature = rest.partition(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for bad in (None, "", "junk", "a.b.c", f"{head}.{payload}.{flipped}", f"{head}.{payload}."):
        assert await status(server, request_kind, bad, {}, id="x") == 401
    for header in ("Bearer junk", "Bearer", "Basic eDp5"):
        assert await status(server, request_kind, None, {"authorization": header}, id="x") == 401


@pytest.mark.parametrize("request_kind", REQUESTS)
async def test_a_token_that_was_issued_to_a_user_lets_nobody_else_in(server: Server, request_kind: str) -> None:
    assert await status(server, request_kind, access_token(server, userId="ann"), {}, id="x", userId="bob") == 403


@pytest.mark.parametrize("request_kind", ["poll", "event stream", "post", "delete", "websocket"])
async def test_a_connection_is_its_users_alone(server: Server, request_kind: str) -> None:
    ann, bob, anybody = access_token(server, userId="ann"), access_token(server, userId="bob"), access_token(server)
    foreign = httpx.post(
        f"{server.url}/api/auth/signalr-token",
        json={"apiKey": OTHER_KEY, "apiSecret": OTHER_SECRET, "userId": "ann"},
    ).json()["token"]
    async with RawHttp.polling(server, ann) as http:
        connection = http.query["id"]
        for token in (bob, anybody, foreign):
            assert await status(server, request_kind, token, {}, id=connection) == 403
        assert await status(server, request_kind, anybody, {}, id=connection, userId="bob") == 403
        # Another token of the same user's is as good as the first: clients fetch new ones.
        assert (await http.post(call("Unsubscribe", "nothing", invocation_id="1"))).status_code == 200
        http.query["access_token"] = access_token(server, userId="ann")
        assert records((await http.get()).content) == [{"type": 3, "invocationId": "1"}]


@pytest.mark.parametrize("place", ["query", "header", "header in lower case"])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_token_counts_in_the_query_and_in_the_header_on_every_transport(
    server: Server, transport: str, place: str
) -> None:
    token = access_token(server, channels=["private-*"])
    query_token = token if place == "query" else None
    scheme = "bearer" if place == "header in lower case" else "Bearer"
    headers = {} if place == "query" else {"authorization": f"{scheme} {token}"}
    if transport == WEBSOCKETS:
        async with RawHub.opened_with(headers, server, query_token) as hub:
            await hub.send(HANDSHAKE.decode())
            assert await hub.receive() == {}
            assert (await hub.invoke("Subscribe", "private-token"))["result"] == {"channel": "private-token"}
        return
    async with RawHttp.open(server, query_token) as http:
        http.client.headers.update(headers)
        http.query["id"] = (await http.negotiate()).json()["connectionToken"]
        if transport == SERVER_SENT_EVENTS:
            async with http.event_stream() as stream:
                assert (await http.post(HANDSHAKE, call("Subscribe", "private-token"))).status_code == 200
                assert await stream.receive() == {}
                assert (await stream.receive())["target"] == "SubscriptionSucceeded"
            return
        assert (await http.get()).content == b""
        await http.post(HANDSHAKE, call("Subscribe", "private-token"))
        assert records((await http.get()).content)[1]["target"] == "SubscriptionSucceeded"
        assert (await http.delete()).status_code == 202


@pytest.mark.parametrize(
    ("request_kind", "without_id"),
    [("poll", 400), ("event stream", 400), ("post", 400), ("delete", 400), ("websocket", 101)],
)
async def test_a_connection_is_asked_for_by_its_id(server: Server, request_kind: str, without_id: int) -> None:
    token = access_token(server)
    assert await status(server, request_kind, token, {}, id="unknown") == 404
    assert await status(server, request_kind, token, {}) == without_id
    assert await status(server, request_kind, token, {}, id="") == without_id


@contextlib.asynccontextmanager
async def opened(server: Server, transport: str, token: str) -> AsyncIterator[RawHttp]:
    """A connection that is open over a transport."""
    async with RawHttp.negotiated(server, token) as http:
        if transport == LONG_POLLING:
            assert (await http.get()).status_code == 200
            yield http
        elif transport == SERVER_SENT_EVENTS:
            async with http.event_stream() as stream:
                assert stream.response.status_code == 200
                yield http
        else:
            async with RawHub.opened(server, token, id=http.query["id"]):
                yield http


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_connection_is_open_once_and_over_one_transport(server: Server, transport: str) -> None:
    token = access_token(server)
    async with opened(server, transport, token) as http:
        connection = http.query["id"]
        for request_kind in (
            ("websocket", "event stream") if transport == LONG_POLLING else REQUESTS[1:3] + REQUESTS[-1:]
        ):
            assert await status(server, request_kind, token, {}, id=connection) == 409
        posted = await status(server, "post", token, {}, id=connection)
        assert posted == (400 if transport == WEBSOCKETS else 200)
        deleted = await status(server, "delete", token, {}, id=connection)
        assert deleted == (202 if transport == LONG_POLLING else 400)


async def test_what_is_posted_before_the_first_poll_is_answered_by_the_next(server: Server) -> None:
    async with RawHttp.negotiated(server, access_token(server)) as http:
        assert (await http.post(HANDSHAKE)).status_code == 200
        assert (await http.get()).content == b""
        assert (await http.get()).content == b"{}\x1e"


@pytest.mark.parametrize("path", ["/push", "/push/negotiate"])
async def test_other_methods_are_not_allowed(server: Server, path: str) -> None:
    answer = httpx.put(f"{server.url}{path}")
    assert (answer.status_code, error_code(answer)) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/push/", "/push/more", "/push/negotiate/more"])
async def test_there_is_nothing_below_the_hub(server: Server, path: str) -> None:
    token = access_token(server)
    assert httpx.get(f"{server.url}{path}?access_token={token}", follow_redirects=False).status_code in {307, 404, 405}
    with pytest.raises(websockets.InvalidStatus) as error:
        async with websockets.connect(f"{server.websocket_url}{path}?access_token={token}", proxy=None):
            pass
    assert error.value.response.status_code == 404
