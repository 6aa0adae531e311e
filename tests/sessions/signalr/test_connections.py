"""From negotiation to the end: which connection may be opened, by whom, how, and when it is forgotten."""

import re
from collections.abc import Callable

import pytest

from skubber.core.connection import EndReason
from skubber.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    SkubberError,
    UnauthorizedError,
)
from skubber.core.limits import Limits
from skubber.sessions.session import UpgradeRequest
from skubber.sessions.signalr.connections import NEGOTIATION_TIMEOUT, ConnectionOptions
from skubber.sessions.signalr.entry import HUB_PATH
from skubber.sessions.signalr.transports import Transport
from support.apps import DISABLED_KEY, OTHER_KEY, make_app
from support.edge_client import settled
from support.signalr_client import IN_JSON, EventStreamClient, HubClient, Query, SignalRNode, WebSocketClient
from support.signalr_messages import json_record

OPEN: dict[Transport, Callable[[SignalRNode, Query], HubClient]] = {
    Transport.WEBSOCKETS: lambda node, query: WebSocketClient(node, query, IN_JSON),
    Transport.SERVER_SENT_EVENTS: EventStreamClient,
}
OVER_BOTH = pytest.mark.parametrize("transport", OPEN)


def refused(node: SignalRNode, transport: Transport, query: Query) -> tuple[type[SkubberError], str]:
    """Why a transport cannot be opened."""
    before = dict(node.connections._by_token)
    with pytest.raises(SkubberError) as error:
        OPEN[transport](node, query)
    assert error.value.message.endswith(".")
    assert node.connections._by_token == before
    return type(error.value), error.value.code


class TestOptions:
    @pytest.mark.parametrize(
        ("parameters", "options"),
        [
            ({}, ConnectionOptions(version=0)),
            ({"negotiateVersion": "0"}, ConnectionOptions(version=0)),
            ({"negotiateVersion": ""}, ConnectionOptions(version=0)),
            ({"negotiateVersion": "1"}, ConnectionOptions(version=1)),
            ({"negotiateVersion": "2"}, ConnectionOptions(version=1)),
            ({"dispatch": "name"}, ConnectionOptions(by_name=True, version=0)),
            ({"dispatch": "event"}, ConnectionOptions(version=0)),
            ({"useStatefulReconnect": "true"}, ConnectionOptions(can_resume=True, version=0)),
            ({"useStatefulReconnect": "True"}, ConnectionOptions(can_resume=True, version=0)),
            ({"useStatefulReconnect": "1"}, ConnectionOptions(version=0)),
        ],
    )
    def test_they_are_what_the_url_asks_for(self, parameters: Query, options: ConnectionOptions) -> None:
        assert ConnectionOptions.of(parameters) == options


class TestNegotiation:
    def test_a_connection_has_a_public_id_and_a_secret_token(self, node: SignalRNode) -> None:
        first, second = (node.negotiate(node.query()) for _ in range(2))
        assert re.fullmatch(r"\d+\.\d+", first.connection_id)
        assert len({first.connection_id, second.connection_id, first.token, second.token}) == 4
        assert len(first.token) >= 32
        assert first.connection_id not in first.token

    def test_of_old_the_id_is_all_there_is(self, node: SignalRNode) -> None:
        connection = node.negotiate(node.query(), version=0)
        assert connection.token == connection.connection_id

    @OVER_BOTH
    @pytest.mark.parametrize("version", [0, 1])
    async def test_what_is_negotiated_can_be_opened_in_time(
        self, node: SignalRNode, transport: Transport, version: int
    ) -> None:
        query = node.query()
        connection = node.negotiate(query, version)
        node.pass_time(NEGOTIATION_TIMEOUT - 1)
        client = OPEN[transport](node, {**query, "id": connection.token})
        assert client.shake_hands() == {}
        assert client.connection_id == connection.connection_id
        node.pass_time(NEGOTIATION_TIMEOUT)
        assert client.call("Subscribe", "c") == {"channel": "c"}
        client.hang_up()
        await settled()
        node.assert_nothing_is_kept()

    @OVER_BOTH
    def test_when_nobody_came_in_time_it_is_forgotten(self, node: SignalRNode, transport: Transport) -> None:
        query = node.query()
        token = node.negotiate(query).token
        node.pass_time(NEGOTIATION_TIMEOUT)
        assert refused(node, transport, {**query, "id": token}) == (NotFoundError, "no_such_connection")
        node.assert_nothing_is_kept()


class TestOpening:
    @OVER_BOTH
    async def test_a_connection_is_open_once(self, node: SignalRNode, transport: Transport) -> None:
        query = node.query()
        query["id"] = node.negotiate(query).token
        client = OPEN[transport](node, query)
        for second in OPEN:
            assert refused(node, second, query) == (ConflictError, "connection_in_use")
        assert client.shake_hands() == {}
        for second in OPEN:
            assert refused(node, second, query) == (ConflictError, "connection_in_use")
        client.hang_up()
        await settled()
        assert refused(node, transport, query) == (NotFoundError, "no_such_connection")
        node.assert_nothing_is_kept()

    @OVER_BOTH
    @pytest.mark.parametrize("token", ["x", "7.1", "' OR 1=1", "\u00e9"])
    def test_a_connection_that_nobody_negotiated_is_none(
        self, node: SignalRNode, transport: Transport, token: str
    ) -> None:
        assert refused(node, transport, node.query(id=token)) == (NotFoundError, "no_such_connection")

    @OVER_BOTH
    def test_the_public_id_opens_nothing(self, node: SignalRNode, transport: Transport) -> None:
        connection = node.negotiate(node.query())
        query = node.query(id=connection.connection_id)
        assert refused(node, transport, query) == (NotFoundError, "no_such_connection")

    @OVER_BOTH
    @pytest.mark.parametrize("user_id", [None, "ada"])
    def test_a_connection_belongs_to_who_negotiated_it(
        self, node: SignalRNode, transport: Transport, user_id: str | None
    ) -> None:
        token = node.negotiate(node.query(node.token(user_id))).token
        strangers = [
            node.query(node.token("bob"), id=token),
            node.query(userId="bob", id=token),
            node.query(node.token(user_id, key=OTHER_KEY), id=token),
            node.query(node.token("ada" if user_id is None else None), id=token),
        ]
        for query in strangers:
            assert refused(node, transport, query) == (ForbiddenError, "user_mismatch")
        client = OPEN[transport](node, node.query(node.token(user_id), id=token))
        assert client.shake_hands() == {}

    @OVER_BOTH
    @pytest.mark.parametrize("path", ["/push/", "/push/x", "/pushy", "/"])
    def test_the_hub_is_at_one_path(self, node: SignalRNode, transport: Transport, path: str) -> None:
        query = b"access_token=" + node.token().encode()
        with pytest.raises(NotFoundError, match=HUB_PATH):
            node.entry(transport)(UpgradeRequest(path, query, [], False))
        node.assert_nothing_is_kept()

    @OVER_BOTH
    @pytest.mark.parametrize("negotiated", [True, False])
    def test_nobody_comes_in_without_a_token(self, node: SignalRNode, transport: Transport, negotiated: bool) -> None:
        query = {"id": node.negotiate(node.query()).token} if negotiated else {}
        assert refused(node, transport, query) == (UnauthorizedError, "missing_access_token")
        query["access_token"] = "junk"
        assert refused(node, transport, query) == (UnauthorizedError, "invalid_access_token")

    @OVER_BOTH
    def test_an_app_that_was_switched_off_lets_nobody_in(self, node: SignalRNode, transport: Transport) -> None:
        query = node.query(node.token(key=DISABLED_KEY))
        assert refused(node, transport, query) == (ForbiddenError, "app_disabled")


class TestWithoutNegotiation:
    async def test_a_websocket_needs_none(self, node: SignalRNode) -> None:
        client = node.connect_client()
        assert client.call("Subscribe", "c") == {"channel": "c"}
        client.hang_up()
        node.assert_nothing_is_kept()

    def test_an_event_stream_does(self, node: SignalRNode) -> None:
        assert refused(node, Transport.SERVER_SENT_EVENTS, node.query()) == (
            InvalidRequestError,
            "missing_connection_id",
        )

    @pytest.mark.parametrize("query", [{}, {"negotiateVersion": "1"}, {"useStatefulReconnect": "true"}])
    async def test_there_is_nothing_by_which_another_could_take_it_over(self, node: SignalRNode, query: Query) -> None:
        """The client is told no token, so the public id must not serve as one, nor can it come back after a cut."""
        client = WebSocketClient(node, node.query(**query), IN_JSON)
        assert client.shake_hands(version=2) == {}
        by_id = node.query(id=client.connection_id)
        assert refused(node, Transport.WEBSOCKETS, by_id) == (NotFoundError, "no_such_connection")
        client.hang_up()
        node.assert_nothing_is_kept()


class TestEarlyPosts:
    async def test_an_event_stream_begins_with_what_they_are_answered(self, node: SignalRNode) -> None:
        query = node.query()
        connection = node.negotiate(query)
        await connection.post(json_record({"protocol": "json", "version": 1}))
        client = EventStreamClient(node, {**query, "id": connection.token})
        assert client.handshake_answer() == {}
        assert client.call("Subscribe", "c") == {"channel": "c"}

    async def test_a_client_that_is_turned_away_is_not_heard(self) -> None:
        node = SignalRNode(make_app(limits=Limits(connections=1)))
        node.connect_client()
        query = node.query()
        connection = node.negotiate(query)
        await connection.post(json_record({"protocol": "json", "version": 1}))
        client = EventStreamClient(node, {**query, "id": connection.token})
        assert client.handshake_answer()["error"]
        assert client.has_ended


class TestDraining:
    async def test_every_client_is_sent_to_reconnect(self, node: SignalRNode) -> None:
        node.negotiate(node.query())
        waiting = node.open(id=node.negotiate(node.query()).token)
        over_websocket = node.connect_client(id=node.negotiate(node.query()).token)
        clients = [over_websocket, node.connect_event_stream(), node.connect_resumable()]
        cut = node.connect_resumable()
        cut.hang_up()
        node.connections.drain()
        for client in clients:
            close = client.close_message()
            assert close == {"type": 7, "error": "The server is restarting: please reconnect.", "allowReconnect": True}
            client.hang_up()
        assert waiting.handshake_answer() == {"error": "The server is restarting: please reconnect."}
        waiting.hang_up()
        await settled()
        node.pass_time(NEGOTIATION_TIMEOUT)
        node.assert_nothing_is_kept()

    async def test_draining_twice_says_so_once(self, node: SignalRNode) -> None:
        client = node.connect_client(id=node.negotiate(node.query()).token)
        for _ in range(2):
            node.connections.drain()
            client.session.end(EndReason.DRAINING)
        assert [message["type"] for message in client.received()] == [7]
