"""Pings, silence, and the end of access tokens, by the timer wheel and the clock on the wall."""

import pytest

from skubber.sessions.signalr.connections import NEGOTIATION_TIMEOUT
from support.signalr_client import EventStreamClient, SignalRNode, WebSocketClient
from support.signalr_messages import ENCODINGS, Encoding, Said

PING: Said = {"type": 6}
SILENT = {"type": 7, "error": "The client was silent for too long.", "allowReconnect": True}
EXPIRED = {"type": 7, "error": "The access token has expired: reconnect with a new one.", "allowReconnect": True}

IN_BOTH_ENCODINGS = pytest.mark.parametrize("encoding", ENCODINGS, ids=repr)
AnyClient = WebSocketClient | EventStreamClient


def connect(node: SignalRNode, transport: str, lifetime: int = 3600) -> AnyClient:
    """Connect a client."""
    token = node.token(lifetime=lifetime)
    match transport:
        case "WebSockets":
            return node.connect_client(token)
        case "resumable":
            return node.connect_resumable(token)
    return node.connect_event_stream(token)


OVER_EVERY_TRANSPORT = pytest.mark.parametrize("transport", ["WebSockets", "resumable", "ServerSentEvents"])


class TestPings:
    @IN_BOTH_ENCODINGS
    async def test_the_server_pings_to_be_heard(self, encoding: Encoding) -> None:
        node = SignalRNode(keep_alive=15, client_timeout=240)
        client = node.connect_client(encoding=encoding)
        for _ in range(3):
            node.pass_time(14)
            assert client.received() == []
            node.pass_time(1)
            assert client.received() == [PING]

    @OVER_EVERY_TRANSPORT
    async def test_over_whichever_transport(self, transport: str) -> None:
        node = SignalRNode(keep_alive=15, client_timeout=240)
        client = connect(node, transport)
        node.pass_time(30)
        assert client.received() == [PING, PING]

    async def test_what_a_client_says_does_not_delay_them(self) -> None:
        """It tells that the client is there, not the client that the server is."""
        node = SignalRNode(keep_alive=15)
        client = node.connect_client()
        for _ in range(15):
            node.pass_time(1)
            client.send(PING)
        assert client.received() == [PING]


class TestSilence:
    @OVER_EVERY_TRANSPORT
    async def test_a_client_that_has_fallen_silent_is_closed(self, transport: str) -> None:
        node = SignalRNode(keep_alive=15, client_timeout=30)
        client = connect(node, transport)
        node.pass_time(29)
        assert client.received() == [PING]
        node.pass_time(1)
        assert client.close_message() == SILENT
        client.hang_up()
        node.assert_nothing_is_kept()

    @OVER_EVERY_TRANSPORT
    @pytest.mark.parametrize("delay", [0, 1, 14, 29])
    async def test_anything_the_client_says_is_a_sign_of_life(self, transport: str, delay: int) -> None:
        node = SignalRNode(keep_alive=15, client_timeout=30)
        client = connect(node, transport)
        node.pass_time(delay)
        client.send(PING)
        node.pass_time(29)
        assert PING in client.received()
        assert not client.has_ended
        node.pass_time(1)
        assert client.close_message() == SILENT

    @pytest.mark.parametrize(("keep_alive", "client_timeout"), [(1, 2), (7, 20), (120, 240), (20, 10), (120, 5)])
    async def test_timeouts_are_kept_to_the_second_whatever_their_ratio(
        self, keep_alive: int, client_timeout: int
    ) -> None:
        node = SignalRNode(keep_alive=keep_alive, client_timeout=client_timeout)
        client = node.connect_client()
        node.pass_time(max(client_timeout, keep_alive) - 1)
        assert not any(message["type"] == 7 for message in client.received())
        node.pass_time(1)
        assert client.close_message() == SILENT


class TestExpiry:
    @OVER_EVERY_TRANSPORT
    @pytest.mark.parametrize("lifetime", [1, 5, 15, 16, 61, 3600])
    async def test_a_connection_ends_with_its_token_to_the_second(self, transport: str, lifetime: int) -> None:
        node = SignalRNode(keep_alive=15)
        client = connect(node, transport, lifetime)
        for _ in range(lifetime - 1):
            node.pass_time(1)
            client.send(PING)
        assert not any(message["type"] == 7 for message in client.received())
        node.pass_time(1)
        assert client.close_message() == EXPIRED
        client.hang_up()
        node.assert_nothing_is_kept()

    async def test_it_may_outlive_it_for_a_while(self) -> None:
        node = SignalRNode(keep_alive=15, expiry_grace=20)
        client = node.connect_client(node.token(lifetime=10))
        for _ in range(29):
            node.pass_time(1)
            client.send(PING)
        client.received()
        assert client.close_code is None
        node.pass_time(1)
        assert client.close_message() == EXPIRED

    async def test_the_clock_on_the_wall_counts(self) -> None:
        """A machine that slept has turned no wheel meanwhile."""
        node = SignalRNode(keep_alive=15)
        client = node.connect_client(node.token(lifetime=3600))
        node.now += 3600.5
        node.pass_time(15)
        assert client.close_message() == EXPIRED

    async def test_a_clock_that_is_set_back_ends_nothing_early(self) -> None:
        node = SignalRNode(keep_alive=15, client_timeout=240)
        client = node.connect_client(node.token(lifetime=20))
        node.now -= 100
        node.pass_time(119)
        assert not any(message["type"] == 7 for message in client.received())
        node.pass_time(1)
        assert client.close_message() == EXPIRED


async def test_a_handshake_that_takes_its_time_does_not_take_it_from_the_rest() -> None:
    node = SignalRNode(handshake_timeout=15, keep_alive=15, client_timeout=30)
    client = node.open()
    node.pass_time(14)
    assert client.shake_hands() == {}
    node.pass_time(14)
    assert client.received() == []
    node.pass_time(1)
    assert client.received() == [PING]


async def test_a_client_that_answers_no_close_frame_is_cut() -> None:
    node = SignalRNode(keep_alive=1, client_timeout=2)
    client = node.connect_client()
    node.pass_time(2)
    assert client.close_message() == SILENT
    node.pass_time(5)
    assert client.transport.is_aborted


async def test_an_event_stream_whose_client_does_not_take_the_rest_is_cut() -> None:
    node = SignalRNode(keep_alive=1, client_timeout=2)
    client = node.connect_event_stream()
    node.pass_time(2)
    assert client.close_message() == SILENT
    assert not client.transport.is_aborted
    node.pass_time(5)
    assert client.transport.is_aborted


async def test_what_is_negotiated_and_not_opened_is_forgotten(node: SignalRNode) -> None:
    node.negotiate(node.query())
    node.pass_time(NEGOTIATION_TIMEOUT - 1)
    assert node.connections._by_token
    node.pass_time(1)
    node.assert_nothing_is_kept()
